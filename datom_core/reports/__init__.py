"""What changed, as a report for people and programs: a page, a workbook, markdown, JSON, all with the same counts.

Pure but for the file that it is told to write: values come in, bytes go out. What changed is found in `comparing`.
"""

from datom_core.reports.json_document import report_schema
from datom_core.reports.sections import ReportSection, report_sections
from datom_core.reports.writing import ReportForm, render_report, report_form, write_report

__all__ = [
    "ReportForm",
    "ReportSection",
    "render_report",
    "report_form",
    "report_schema",
    "report_sections",
    "write_report",
]
