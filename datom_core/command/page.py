"""An answer of `show` as a page of its own: no scripts, nothing from elsewhere."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from datom_core.command.accountability import accountability
from datom_core.command.forms import Answer


def write_page(answer: Answer, file: Path | None) -> str:
    """Write the page into a file, by default a new one of the system's folder for such; gives its path."""
    import jinja2

    import datom_core as dc

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("datom_core.command", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = made.get_template("show.html.jinja").render(answer=answer, accountability=accountability)
    if file is not None:
        try:
            with dc.whole_file(file) as sink:
                sink.write(page.encode())
        except FileNotFoundError as error:
            raise dc.NotFoundError(f"The folder {file.parent} does not exist. Make it, or choose another.") from error
        return str(file)
    handle, name = tempfile.mkstemp(prefix="datom-", suffix=".html")
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(page)
    return name
