"""Write tables into files of the kinds that other people read.

A file has all of a table or is not there; what its form cannot hold is refused before anything is written.
"""

from datom_core.exports.forms import ExportForm, is_text_form
from datom_core.exports.studies import write_study
from datom_core.exports.writing import WrittenFile, write_table

__all__ = ["ExportForm", "WrittenFile", "is_text_form", "write_study", "write_table"]
