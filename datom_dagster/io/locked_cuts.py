"""What is said of a locked cut before an asset's code runs for its partition."""

from __future__ import annotations

from typing import Any

import datom_core as dc
from datom_dagster.resources import DatomResource

#: Dagster's tag of a run for one partition.
PARTITION_TAG = "dagster/partition"


def check_lock(datom: DatomResource, cut: str, log: Any, *, refuse: bool) -> None:
    """Say that a cut is locked, or refuse the run.

    Args:
        datom: the project.
        cut: the run's partition.
        log: Dagster's, if there is one.
        refuse: whether the run may not even deliver what the cut stands for already.

    Raises:
        InvalidInputError: it is locked, and that is refused; says by whom and why.
    """
    try:
        locks = datom.open_reader().cuts().approvals.of(cut).standing("locked")
    except dc.DatomError:
        return  # whoever writes or loads says what is wrong with the project
    if not locks:
        return
    told = f"The cut {cut!r} is locked by {'; '.join(f'{r.signer}, {r.recorded_at}: {r.reason}' for r in locks)}."
    if refuse:
        raise dc.InvalidInputError(
            f"{told} A signer withdraws that: project.withdraw({cut!r}, meaning='locked', reason=...).", cut=cut
        )
    if log is not None:
        log.warning(f"{told} Data that differs from what it stands for is refused when it is written.")
