"""The release, and how it signs the documents that it writes."""

__version__ = "0.1.0"

#: How what we write begins to say who wrote it.
SIGNATURE = "py-"
#: Value of ``datom_version`` in documents: text for people. No more is ever read from it than whether it is ours
#: or R's (`verdict`).
WRITER = f"{SIGNATURE}{__version__}"
