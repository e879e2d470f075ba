"""What the simulator knows about messages: which ids it took, and what it has reported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smsflow_provider.core.gateways.simulator import Family
from smsflow_provider.simulator.inbox import Taken

#: Fields that a family leaves out of what it says, in answers and in reports.
_HIDDEN: Mapping[Family, frozenset[str]] = {
    Family.PLAIN: frozenset({"id", "ref"}),
    Family.ECHO: frozenset({"ref"}),
    Family.BY_REF: frozenset({"id"}),
}
#: In the answer to a request, a family that echoes says no more than a plain one.
_HIDDEN_IN_ANSWER = {**_HIDDEN, Family.ECHO: frozenset({"id", "ref"})}

#: Families that take one message a request.
ONE_BY_ONE = frozenset({Family.PLAIN, Family.ECHO, Family.BY_REF})
#: Families that can be asked about a message, and for receipts.
ASKABLE = frozenset({Family.QUERY, Family.OWN_IDS})
POLLABLE = frozenset(Family) - {Family.PLAIN, Family.ECHO}

_RANK = {"accepted": 1, "undelivered": 2, "delivered": 3}


def as_said(family: Family, row: Mapping[str, Any], *, in_answer: bool = False) -> dict[str, Any]:
    """Leave out of *row* what a gateway of *family* does not say."""
    hidden = (_HIDDEN_IN_ANSWER if in_answer else _HIDDEN).get(family, frozenset())
    return {name: value for name, value in row.items() if name not in hidden}


class Reports:
    """What was reported, in order: the log that polls read."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._best: dict[str, dict[str, Any]] = {}

    def put(self, row: Mapping[str, Any]) -> None:
        """Keep a receipt that is due."""
        kept = {**row, "number": len(self._rows) + 1}
        self._rows.append(kept)
        before = self._best.get(row["ref"])
        is_whole = not row.get("part")
        if is_whole and (before is None or _RANK[row["status"]] > _RANK[before["status"]]):
            self._best[row["ref"]] = kept

    def page(self, *, after: int, limit: int) -> list[dict[str, Any]]:
        """List up to *limit* receipts with a number above *after*, oldest first."""
        return self._rows[after : after + limit]

    def last_of(self, ref: str) -> dict[str, str] | None:
        """Tell what was reported about a whole message: ``status`` and ``code``."""
        row = self._best.get(ref)
        return {"status": row["status"], "code": row["code"]} if row else None


class Register:
    """The ids that were taken, and when. Times never run backwards; seconds."""

    def __init__(self) -> None:
        self._taken: dict[str, tuple[Taken, float]] = {}

    def put(self, taken: Taken, *, now_s: float) -> None:
        """Keep *taken* under its id; one that was accepted is not replaced."""
        before = self._taken.get(taken.message.id)
        if before is None or before[0].status != "accepted":
            self._taken[taken.message.id] = (taken, now_s)

    def find(
        self, message_id: str, *, now_s: float, remembers_s: float, after_s: float = 0.0
    ) -> Taken | None:
        """Find a message taken at least *after_s* and less than *remembers_s* ago."""
        found = self._taken.get(message_id)
        if found is None or not after_s <= now_s - found[1] < remembers_s:
            return None
        return found[0]
