"""The release, and how it signs the documents that it writes."""

__version__ = "0.1.0"

#: Value of ``datom_version`` in documents: free text for people, parsed by nothing.
WRITER = f"py-{__version__}"
