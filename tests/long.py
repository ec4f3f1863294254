"""What `make test` leaves to `make test-long`: the second of two tests that tell of the same mistakes."""

from __future__ import annotations

import os

import pytest

#: Whether this is the long run.
LONG = bool(os.environ.get("DATOM_LONG"))

#: Marks a test, or a set of its parameters, that only the long run has; a skip, so that it is listed.
long = pytest.mark.skipif(not LONG, reason="`make test-long` runs it")
