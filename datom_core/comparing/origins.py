"""Where the key of a table may come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: A key as a caller names it.
KeyLike = str | Sequence[str]
#: Domain or structure -> candidates for its key; a column that ends in ``?`` is used where both tables have it.
NaturalKeys = Mapping[str, Sequence[Sequence[str]]]


@dataclass(frozen=True)
class KeyOrigins:
    """Where the key of a table may come from; what is not given is not tried.

    Attributes:
        given: an explicit key.
        rules: the key of the table's rules.
        data: the key sequence that a define.xml gives, or those of all its tables (`keys_of_define`); the tables' own
            metadata is tried after it.
        natural: more natural keys, tried before those that are shipped.
        ignore: columns that are not compared, so that no key but an explicit one may have them.
    """

    given: KeyLike | None = None
    rules: KeyLike | None = None
    data: KeyLike | Mapping[str, Sequence[str]] | None = None
    natural: NaturalKeys | None = None
    ignore: tuple[str, ...] = ()
