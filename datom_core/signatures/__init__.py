"""Signed history: who might sign at which commit, which approvals are proven, and which cuts are locked.

It judges what git says of signatures by what the project allows. It changes nothing.
"""

from typing import TYPE_CHECKING

from datom_core.lazy import lazy

if TYPE_CHECKING:
    from datom_core.signatures.locks import check_unlocked, locked, open_locks
    from datom_core.signatures.records import message_of, records_through, signing_problem
    from datom_core.signatures.time_stamps import TimeStampServer, stamped_at
    from datom_core.signatures.trust import TOLERANCE, Judged, judge, trust_through
    from datom_core.signatures.verification import SignatureLine, SignatureProblem, SignatureReport, verify_history
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "locks": "check_unlocked locked open_locks",
            "records": "message_of records_through signing_problem",
            "time_stamps": "TimeStampServer stamped_at",
            "trust": "TOLERANCE Judged judge trust_through",
            "verification": "SignatureLine SignatureProblem SignatureReport verify_history",
        },
    )

__all__ = [
    "TOLERANCE",
    "Judged",
    "SignatureLine",
    "SignatureProblem",
    "SignatureReport",
    "TimeStampServer",
    "check_unlocked",
    "judge",
    "locked",
    "message_of",
    "open_locks",
    "records_through",
    "signing_problem",
    "stamped_at",
    "trust_through",
    "verify_history",
]
