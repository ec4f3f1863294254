"""What came of a scenario."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields


@dataclass
class Outcome:
    """One line of the table.

    Attributes:
        scenario: what was done.
        operations: writes and reads, or runs of an operation.
        faults: kills, stalls, payloads that came late or never.
        lost: writes that reported success and are not in the history exactly once, in order, with their values.
        wrong: reads that failed, showed a mixture, or showed what git does not have; states that differ.
        recovered: faults after which everything was as it should be.
        note: figures.
        problems: what was lost or wrong, in words.
    """

    scenario: str
    operations: int = 0
    faults: int = 0
    lost: int = 0
    wrong: int = 0
    recovered: int = 0
    note: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.lost and not self.wrong and self.recovered == self.faults

    def check(self) -> Outcome:
        assert self.ok, f"{self}\n" + "\n".join(self.problems[:20])
        return self


def table(outcomes: Iterable[Outcome]) -> str:
    """The outcomes, aligned."""
    names = [f.name for f in fields(Outcome) if f.name != "problems"]
    values = [[getattr(outcome, name) for name in names] for outcome in outcomes]
    lines = [names, *([f"{v:,}" if isinstance(v, int) else v for v in row] for row in values)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(names))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in lines)
