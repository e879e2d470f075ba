"""What the simulator got, in order: the oracle of tests. Kept in memory, never cleaned up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from smsflow_provider.core.errors import ConfigError

#: The most messages in one request.
BATCH_LIMIT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedMessage:
    """One message as the client wrote it."""

    #: The client's own id. Not checked for being new: sending twice must show.
    id: str
    to: str
    sender: str
    text: str
    #: ``gsm7`` or ``ucs2``.
    encoding: str
    #: Parts the client expects to be billed.
    parts: int
    #: Last moment to deliver, as an ISO time; None: none was given.
    expires_at: str | None
    #: Where receipts go; None: nowhere.
    callback_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One message as it was got."""

    #: Place in the order of arrival, from 1; never used again, not even after a clearing.
    number: int
    message: SubmittedMessage
    #: ``accepted`` or ``refused``.
    status: str
    #: The simulator's own id of it.
    ref: str
    #: When, as an ISO time in UTC.
    taken_at: str

    def as_dict(self) -> dict[str, object]:
        """Give it flat, as the list shows it."""
        own = {name: getattr(self, name) for name in ("number", "status", "ref", "taken_at")}
        return {**own, **asdict(self.message)}


class Inbox:
    """All messages got since the start or the last clearing."""

    def __init__(self) -> None:
        self._taken: list[Taken] = []
        self._times: Counter[str] = Counter()
        self._number = 0
        self._statuses: Counter[str] = Counter()

    def times(self, message_id: str) -> int:
        """Count how often *message_id* came so far."""
        return self._times[message_id]

    def put(self, message: SubmittedMessage, *, status: str, taken_at: str) -> Taken:
        """Keep *message*, whether or not its id was seen before."""
        self._number += 1
        ref = f"sim-{self._number}"
        taken = Taken(
            number=self._number, message=message, status=status, ref=ref, taken_at=taken_at
        )
        self._taken.append(taken)
        self._times[message.id] += 1
        self._statuses[status] += 1
        return taken

    def page(self, *, after: int, limit: int) -> list[Taken]:
        """List up to *limit* messages with a number above *after*, oldest first."""
        first = self._taken[0].number if self._taken else 1
        start = max(0, after - first + 1)
        return self._taken[start : start + limit]

    def counts(self) -> dict[str, int]:
        """Count messages by status, distinct ids, and messages beyond the first of each id."""
        total, distinct = len(self._taken), len(self._times)
        return {
            "messages": total,
            "accepted": self._statuses["accepted"],
            "refused": self._statuses["refused"],
            "distinct": distinct,
            "duplicates": total - distinct,
        }

    def clear(self) -> None:
        """Forget every message; numbers go on."""
        self._taken.clear()
        self._times.clear()
        self._statuses.clear()


def read_batch(document: object, *, limit: int = BATCH_LIMIT) -> list[SubmittedMessage]:
    """
    Read the messages of a request, *limit* at the most.

    Raises:
        ConfigError: ``facts["problems"]`` lists every problem by place and field, without
            any value: those are phones and texts.
    """
    rows = document.get("messages") if isinstance(document, Mapping) else None
    if not isinstance(rows, list) or not 1 <= len(rows) <= limit:
        raise ConfigError(
            "a request cannot be read", problems=[f"messages: must be a list of 1 to {limit}"]
        )
    problems = [each for place, row in enumerate(rows) for each in _problems(place, row)]
    if problems:
        raise ConfigError("a request cannot be read", problems=problems)
    return [_message(row) for row in rows]


#: Each field with its type, and what stands in when it is missing (None here: it must be there).
_FIELDS: dict[str, tuple[tuple[type, ...], object]] = {
    "id": ((str,), None),
    "to": ((str,), None),
    "text": ((str,), None),
    "sender": ((str,), ""),
    "encoding": ((str,), "gsm7"),
    "parts": ((int,), 1),
    "expires_at": ((str, type(None)), ""),
    "callback_url": ((str, type(None)), ""),
}

_RULES = {
    "id": (re.compile("."), "must not be empty"),
    "to": (re.compile(r"\+[0-9]+\Z"), "must be a number with a leading plus"),
    "encoding": (re.compile(r"(gsm7|ucs2)\Z"), "must be gsm7 or ucs2"),
}


def _problems(place: int, row: object) -> Sequence[str]:
    if not isinstance(row, Mapping):
        return [f"messages[{place}]: must be an object"]
    unknown = [f"messages[{place}].{name}: nobody knows it" for name in row if name not in _FIELDS]
    wrong = [
        f"messages[{place}].{name}: {_problem(row, name)}"
        for name in _FIELDS
        if _problem(row, name)
    ]
    return [*unknown, *wrong]


def _problem(row: Mapping[str, Any], name: str) -> str:
    types, stand_in = _FIELDS[name]
    if name not in row:
        return "is missing" if stand_in is None else ""
    value = row[name]
    if not isinstance(value, types) or isinstance(value, bool):
        return f"must be of type {types[0].__name__}"
    fits, words = _RULES.get(name, (re.compile(""), ""))
    return "" if fits.match(str(value)) else words


def _message(row: Mapping[str, Any]) -> SubmittedMessage:
    values = {name: row.get(name, stand_in) for name, (_, stand_in) in _FIELDS.items()}
    for name in ("expires_at", "callback_url"):
        values[name] = values[name] or None
    return SubmittedMessage(**values)
