"""The release, and how it signs the documents that it writes."""

__version__ = "0.1.0"

#: How what we write begins to say who wrote it.
SIGNATURE = "py-"
#: Value of ``datom_version`` in documents: text for people. Only that it is ours or R's is ever read from it (`proof`).
WRITER = f"{SIGNATURE}{__version__}"
