"""The reader that every bag of evidence carries: a program, which is in no package."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import datom_core

PROGRAM = Path(datom_core.__file__).parent / "evidence" / "carried" / "reader.py"

_spec = spec_from_file_location("carried_reader", PROGRAM)
assert _spec is not None
assert _spec.loader is not None
_reader = module_from_spec(_spec)
_spec.loader.exec_module(_reader)

Stranger = _reader.Stranger
compact, f64, h, number = _reader.compact, _reader.f64, _reader.h, _reader.number
content_hash, payload, version_id = _reader.content_hash, _reader.payload, _reader.version_id
set_hash, tags, texts = _reader.set_hash, _reader.tags, _reader.texts
