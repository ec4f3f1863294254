"""The table of all forms in which a table can be written, and how to tell the form from a file's name.

A new form is a module that checks and writes it, and a line in `FORMS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, get_args

from datom_core.common import did_you_mean, needing
from datom_core.errors import InvalidInputError
from datom_core.exports.columns import Outgoing
from datom_core.exports.dataset_json import check_dataset_json, write_dataset_json
from datom_core.exports.parquet import check_parquet, write_parquet
from datom_core.exports.refusals import Offence
from datom_core.exports.text import check_text, write_text

if TYPE_CHECKING:
    from datom_core.exports.transport import Version

#: The forms of files: ``xpt`` and ``xpt8`` are SAS transport files of version 5 and 8, ``json`` and ``ndjson`` are
#: CDISC Dataset-JSON 1.1.
ExportForm = Literal["csv", "tsv", "parquet", "xlsx", "xpt", "xpt8", "json", "ndjson"]


@dataclass(frozen=True)
class Form:
    """How a table is written.

    Attributes:
        name: of the form.
        ending: of its files.
        check: finds all that it cannot hold.
        write: writes what was checked.
        text: whether a terminal can show it.
    """

    name: ExportForm
    ending: str
    check: Callable[[Outgoing], Iterator[Offence]]
    write: Callable[[Outgoing, BinaryIO], None]
    text: bool = False


def _check_workbook(out: Outgoing) -> Iterator[Offence]:
    with needing("A workbook", "formats"):
        from datom_core.exports import workbook
    return workbook.check_workbook(out)


def _write_workbook(out: Outgoing, sink: BinaryIO) -> None:
    from datom_core.exports import workbook

    workbook.write_workbook(out, sink)


def _check_transport(out: Outgoing, version: Version) -> Iterator[Offence]:
    with needing("A SAS transport file", "formats"):
        from datom_core.exports import transport_check
    return transport_check.check_transport(out, version)


def _write_transport(out: Outgoing, sink: BinaryIO, version: Version) -> None:
    from datom_core.exports import transport

    transport.write_transport(out, sink, version)


FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Form("csv", ".csv", check_text, partial(write_text, separator=","), text=True),
        Form("tsv", ".tsv", check_text, partial(write_text, separator="\t"), text=True),
        Form("parquet", ".parquet", check_parquet, write_parquet),
        Form("xlsx", ".xlsx", _check_workbook, _write_workbook),
        Form("xpt", ".xpt", partial(_check_transport, version=5), partial(_write_transport, version=5)),
        Form("xpt8", ".xpt", partial(_check_transport, version=8), partial(_write_transport, version=8)),
        Form("json", ".json", check_dataset_json, partial(write_dataset_json, by_lines=False), text=True),
        Form("ndjson", ".ndjson", check_dataset_json, partial(write_dataset_json, by_lines=True), text=True),
    )
}
# The first form of an ending is the one that it stands for.
_OF_ENDING: dict[str, Form] = {}
for _form in FORMS.values():
    _OF_ENDING.setdefault(_form.ending, _form)


def form_called(name: object) -> Form:
    """A form by its name.

    Raises:
        InvalidInputError: there is none of that name; names all.
    """
    known = get_args(ExportForm)
    if not isinstance(name, str) or name not in FORMS:
        raise InvalidInputError(
            f"There is no form {name!r}; it must be one of {', '.join(known)}.{did_you_mean(name, known)}", form=name
        )
    return FORMS[name]


def form_for(path: Path) -> Form:
    """The form that a file's ending names.

    Raises:
        InvalidInputError: it names none; names the endings.
    """
    found = _OF_ENDING.get(path.suffix.lower())
    if found is None:
        raise InvalidInputError(
            f"{path.name!r} does not say which form the file should have; its ending must be one of "
            f"{', '.join(_OF_ENDING)}, or give the form.{did_you_mean(path.suffix, _OF_ENDING)}",
            path=str(path),
        )
    return found


def is_text_form(form: str) -> bool:
    """Whether a form is text, which a terminal can show.

    Raises:
        InvalidInputError: there is no such form.
    """
    return form_called(form).text
