"""Files that are not what they are called, or hold nothing: refused at once, in every format."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

import datom_core as dc

FORMATS = "csv tsv txt psv parquet xpt sas7bdat sav zsav por dta xls xlsx xlsm xlsb json ndjson".split()


@pytest.mark.parametrize("extension", FORMATS)
def test_an_empty_file(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"dm.{extension}"
    path.touch()
    with pytest.raises(dc.InvalidInputError, match=rf"dm.{extension}: the file is empty \(0 bytes\)"):
        dc.read_extract(path)


@pytest.mark.parametrize("extension", [e for e in FORMATS if e not in ("csv", "tsv", "txt", "psv")])
def test_text_that_is_called_something_else(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"dm.{extension}"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(dc.InvalidInputError, match=r"does not begin like one|not CDISC"):
        dc.read_extract(path)


@pytest.mark.parametrize("extension", FORMATS)
def test_a_transport_file_that_is_called_something_else(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"dm.{extension}"
    pyreadstat.write_xport(pd.DataFrame({"A": [1.0]}), str(path))
    if extension == "xpt":
        assert dc.read_extract(path).num_rows == 1
        return
    with pytest.raises(dc.InvalidInputError, match=f"called {extension}, but by its first bytes it is xpt"):
        dc.read_extract(path)
    assert dc.read_extract(path, format="xpt").num_rows == 1


@pytest.mark.parametrize("r_compat", [False, True])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt"])
def test_a_header_alone(name: str, r_compat: bool, tmp_path: Path) -> None:
    (tmp_path / name).write_text("a\tb\n" if name == "t.tsv" else "a,b\n")
    with pytest.raises(dc.InvalidInputError, match="there is no row, only the header of 2 columns"):
        dc.read_extract(tmp_path / name, r_compat=r_compat)


def test_unknown_extensions(tmp_path: Path) -> None:
    for name in ("dm.docx", "dm"):
        (tmp_path / name).write_text("a\n1\n")
        with pytest.raises(dc.InvalidInputError, match="Readable are csv, tsv"):
            dc.read_extract(tmp_path / name)
    assert dc.read_extract(tmp_path / "dm", format="csv").to_pydict() == {"a": [1]}
    with pytest.raises(dc.InvalidInputError, match="format is one of"):
        dc.read_extract(tmp_path / "dm", format="docx")
    with pytest.raises(dc.NotFoundError, match="There is no file"):
        dc.read_extract(tmp_path / "nothing.csv")


def test_a_broken_off_parquet(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": range(1000)}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(dc.InvalidInputError, match="cannot be read whole"):
        dc.read_extract(path)
