"""What a comparison has to find of a script of edits, told from the memory of which row is which."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from datom_core.comparing import TableChanges

if TYPE_CHECKING:
    from tests.comparing.edit_scripts import Editor, Row, Truth


def told(editor: Editor) -> Truth:
    """The truth, row by row."""
    from tests.comparing.edit_scripts import Truth, alike

    truth = Truth(retyped=set(editor.retyped), labels=set(editor.labels))
    gone = editor.dropped | set(editor.renames)
    compared = [c for c in editor.columns if c not in gone | editor.retyped]
    after_columns = [c for c in editor.columns if c not in editor.dropped] + sorted(editor.new)
    copies = Counter(i for i, _ in editor.rows if i is not None)
    pairs: list[tuple[int, int, Row, Row]] = []
    for place, (number, row) in enumerate(editor.rows):
        if number is None:
            truth.added[alike(row, after_columns)] += 1
        elif copies[number] == 1 or not editor.key:
            pairs.append((number, place, editor.old[number], row))
    if editor.key:
        twice = [i for i, n in copies.items() if n > 1]
        truth.duplicates = (len(twice), sum(copies[i] for i in twice))
    for number, row in enumerate(editor.old):
        if number not in copies:
            truth.removed[alike(row, editor.columns)] += 1
    stayed, used = [], set()
    for number, place, old, new in pairs:
        if number in used:  # a copy of a whole row is one more
            truth.added[alike(new, after_columns)] += 1
            continue
        used.add(number)
        if _pair(truth, editor, old, new, compared, after_columns):
            stayed.append((number, place))
    order = [place for _, place in sorted(stayed)]
    truth.reordered = order != sorted(order)
    _renamed(truth, editor, [(editor.old[n], editor.rows[p][1]) for n, p in stayed])
    return truth


def _pair(truth: Truth, editor: Editor, old: Row, new: Row, compared: list[str], after_columns: list[str]) -> bool:
    """Count a pair of rows; whether a comparison pairs them."""
    from tests.comparing.edit_scripts import alike, same

    differs = [c for c in compared if same(old[c]) != same(new[c])]
    if not differs:
        truth.unchanged += 1
    elif differs == [editor.sequence]:
        truth.renumbered[(same(old[differs[0]]), same(new[differs[0]]))] += 1
    elif not editor.key or not (set(differs).isdisjoint(editor.key) or _found_again(editor, old, new, compared)):
        truth.removed[alike(old, editor.columns)] += 1
        truth.added[alike(new, after_columns)] += 1
        return False
    elif not set(differs).isdisjoint(editor.key):
        truth.rekeyed[alike(old, editor.key) + alike(new, editor.key)] += 1
    else:
        truth.changed += 1
        for column in differs:
            truth.cells[(*alike(old, editor.key), column, same(old[column]), same(new[column]))] += 1
    return True


def _found_again(editor: Editor, old: Row, new: Row, compared: list[str]) -> bool:
    """Whether a row with another key can be told to be the same one: nothing else changed, and no other is alike."""
    from tests.comparing.edit_scripts import alike

    rest = [c for c in compared if c not in editor.key]
    if all(old[c] is None for c in rest) or alike(old, rest) != alike(new, rest):
        return False
    subject = [editor.subject] if editor.subject in editor.key and len(editor.key) > 1 else []
    columns: list[Any] = [*rest, *subject]
    here = sum(alike(r, columns) == alike(old, columns) for r in editor.old)
    there = sum(alike(r, columns) == alike(new, columns) for _, r in editor.rows)
    return here == there == 1


def _renamed(truth: Truth, editor: Editor, pairs: list[tuple[Row, Row]]) -> None:
    """Columns whose values are the same under another name, if no other has them."""
    from tests.comparing.edit_scripts import same

    gone = [c for c in editor.columns if c in editor.dropped | set(editor.renames)]
    came = [*editor.renames, *editor.new]
    matches = [
        (g, c)
        for g in gone
        for c in came
        if pairs and any(o[g] is not None for o, _ in pairs) and all(same(o[g]) == same(n[c]) for o, n in pairs)
    ]
    for g, c in matches:
        if sum(m[0] == g for m in matches) == sum(m[1] == c for m in matches) == 1:
            truth.renamed[g] = editor.renames.get(c, c)


def check_sums(found: TableChanges) -> None:
    """Each row is in one class, and the counts of columns and subjects add up."""
    assert found.before is not None
    assert found.after is not None
    sides = found.duplicates["side"].to_pylist()
    paired = found.unchanged + found.changed + len(found.renumbered) + len(found.rekeyed)
    assert found.before.rows == paired + len(found.removed) + sides.count("before")
    assert found.after.rows == paired + len(found.added) + sides.count("after")
    assert sum(found.by_column.values()) == len(found.cells) == sum(map(len, found.typed.values()))
    if found.subject:
        counts = {
            "added": len(found.added), "removed": len(found.removed), "changed": found.changed,
            "cells": len(found.cells), "renumbered": len(found.renumbered), "rekeyed": len(found.rekeyed),
            "duplicates": len(found.duplicates),
        }  # fmt: skip
        assert {n: sum(found.by_subject[n].to_pylist()) for n in counts} == counts
