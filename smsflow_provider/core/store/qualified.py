"""
What failures say about numbers: hard errors quarantine at once, soft ones are counted, and those
of people who opted out at the gateway put them onto our lists.

How hard a code is, and how many soft errors are too many, is data that was published to the
store (see ``core/delivery/qualify``): senders and receivers judge alike. Every statement that
writes here goes through the numbers in ascending order, so that two writers cannot deadlock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Self

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.store.connection import Connection, Row
from smsflow_provider.core.store.refused_opt_outs import note_opt_outs
from smsflow_provider.core.store.rules import read_published
from smsflow_provider.core.store.statements import statements

_SQL: Final = "qualified"

#: Topics of published rules: the tables of gateways, those of an installation over them, limits.
SHIPPED: Final = "errors"
OWN: Final = "errors_own"
LIMITS: Final = "limits"
#: The code that stands for all others.
ANY_CODE: Final = "*"

HARD: Final = "hard"
SOFT: Final = "soft"
NONE: Final = "none"
#: Onto the list of opt-outs, and not into quarantine: a START takes it back.
OPT_OUT: Final = "opt_out"
#: A message got through: what was counted of its number is forgotten.
_CLEAR: Final = "clear"

#: Where an entry of the quarantine came from.
FROM_RECEIPTS: Final = "receipts"
FROM_REFUSALS: Final = "refusals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When soft errors are too many."""

    #: So many of them put a number into quarantine, 1 or more.
    soft_errors: int = 5
    #: An error counts only this long after the last that did.
    at_least_apart: timedelta = timedelta(hours=24)
    #: What was counted is forgotten when no error has counted for this long.
    forget_after: timedelta = timedelta(days=10)
    #: How long a number stays that failures brought. None: until a person takes it out.
    quarantine_for: timedelta | None = None

    def as_document(self) -> dict[str, float | None]:
        """Write it as JSON can hold it: durations in seconds."""
        kept = None if self.quarantine_for is None else self.quarantine_for.total_seconds()
        return {
            "soft_errors": self.soft_errors,
            "at_least_apart_s": self.at_least_apart.total_seconds(),
            "forget_after_s": self.forget_after.total_seconds(),
            "quarantine_for_s": kept,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what ``as_document`` wrote."""
        kept = document["quarantine_for_s"]
        return cls(
            soft_errors=int(document["soft_errors"]),
            at_least_apart=timedelta(seconds=document["at_least_apart_s"]),
            forget_after=timedelta(seconds=document["forget_after_s"]),
            quarantine_for=None if kept is None else timedelta(seconds=kept),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualifier:
    """The rules as they were published: how hard each code is, and the limits."""

    #: By connection type: code to hardness. Those of the installation first.
    tables: Sequence[Mapping[str, Mapping[str, str]]] = ()
    limits: Limits = field(default_factory=Limits)

    def listed(self, conn_type: str, code: str) -> str | None:
        """
        Say how hard *code* is by a row of its own; None: there is none.

        Zeros in front make no other code: carriers write ``001`` and ``1`` alike.
        """
        short = code.lstrip("0") if code.isdecimal() else code
        for table in self.tables:
            codes = table.get(conn_type, {})
            found = codes.get(code) or codes.get(short)
            if code and found:
                return found
        return None

    def hardness_of(self, conn_type: str, code: str) -> str:
        """Say how hard *code* is; for one that nobody knows, the table's default, or else soft."""
        defaults = (table.get(conn_type, {}).get(ANY_CODE) for table in self.tables)
        return self.listed(conn_type, code) or next(filter(None, defaults), SOFT)


def read_qualifier(connection: Connection) -> Qualifier:
    """Read the published rules; where none were, every error is soft and the limits are usual."""
    found = read_published(connection, LIMITS)
    return Qualifier(
        tables=(read_published(connection, OWN), read_published(connection, SHIPPED)),
        limits=Limits.from_document(found["own"]) if "own" in found else Limits(),
    )


@dataclass(frozen=True, slots=True)
class _Event:
    """One thing that was learnt of a number."""

    phone: int
    at: datetime
    hardness: str
    reason: str


def note_final_receipts(connection: Connection, rows: Iterable[Row]) -> int:
    """
    Draw from final receipts what they say about numbers.

    Call it last in the transaction that applies them, with those that moved a message only: a
    receipt that comes again changes nothing unless it is ``at_least_apart`` late. Messages whose
    rows are dropped are passed over.

    Args:
        rows: With ``preparation``, ``position``, ``kind`` (``accepted`` says nothing), ``code``,
            ``conn_type`` and ``received_at``.

    Returns:
        How many numbers are in quarantine now that were not before.
    """
    final = [row for row in rows if row["kind"] in {"delivered", "undelivered"}]
    if not final:
        return 0
    qualifier = read_qualifier(connection)
    failed = [(row, _hardness(row, qualifier)) for row in final if row["kind"] == "undelivered"]
    errors = _events(connection, [(row, hard) for row, hard in failed if hard in {HARD, SOFT}])
    arrived = [row for row in final if row["kind"] == "delivered"]
    cleared = _cleared(connection, arrived, error_phones=[one.phone for one in errors])
    quarantined = _take(connection, errors + cleared, qualifier.limits, source=FROM_RECEIPTS)
    note_opt_outs(connection, [row for row, hard in failed if hard == OPT_OUT])
    return quarantined


def note_failed(
    connection: Connection,
    preparation: int,
    rows: Sequence[Row],
    *,
    at: datetime | None = None,
) -> int:
    """
    Draw from refusals at the hand-over what they say about numbers.

    Only codes with a row of their own count: a gateway refuses for many reasons, and few are
    the number's. Costs nothing when there are none.

    Args:
        preparation: Of the messages.
        rows: With ``position``, ``code`` and ``conn_type``.
        at: When they were refused. None: now.

    Returns:
        How many numbers are in quarantine now that were not before.
    """
    if not rows:
        return 0
    qualifier = read_qualifier(connection)
    now = at or utc_now()
    told = [
        ({**row, "preparation": preparation, "received_at": now}, hardness)
        for row in rows
        if (hardness := qualifier.listed(row["conn_type"], row["code"]))
    ]
    events = _events(connection, [(row, hard) for row, hard in told if hard in {HARD, SOFT}])
    quarantined = _take(connection, events, qualifier.limits, source=FROM_REFUSALS)
    note_opt_outs(connection, [row for row, hard in told if hard == OPT_OUT])
    return quarantined


def _hardness(row: Row, qualifier: Qualifier) -> str:
    return qualifier.hardness_of(row["conn_type"], row["code"])


def _events(connection: Connection, told: Sequence[tuple[Row, str]]) -> list[_Event]:
    """Find whose number each error is about."""
    wanted = defaultdict(list)
    for row, _ in told:
        wanted[row["preparation"]].append(row["position"])
    phones = {
        (preparation, found["position"]): found["phone"]
        for preparation, positions in sorted(wanted.items())
        for found in connection.execute(
            statements(_SQL)["phones_of_messages"],
            {"preparation": preparation, "positions": positions},
        )
    }
    return [
        _Event(phones[key], row["received_at"], hardness, _reason_of(row))
        for row, hardness in told
        if (key := (row["preparation"], row["position"])) in phones
    ]


def _reason_of(row: Row) -> str:
    return f"{row['conn_type']} {row['code']}".strip()


def _cleared(
    connection: Connection, arrived: Sequence[Row], *, error_phones: Sequence[int]
) -> list[_Event]:
    """Find, of the messages that arrived, those to numbers of which anything is counted."""
    if not arrived or not (error_phones or _is_any_counted(connection)):
        return []
    wanted: dict[int, dict[int, datetime]] = defaultdict(dict)
    for one in arrived:
        wanted[one["preparation"]][one["position"]] = one["received_at"]
    return [
        _Event(found["phone"], at_of[found["position"]], _CLEAR, "")
        for preparation, at_of in sorted(wanted.items())
        for found in connection.execute(
            statements(_SQL)["counted_phones_of_messages"],
            {
                "preparation": preparation,
                "positions": list(at_of),
                "phones": list(error_phones),
            },
        )
    ]


def _is_any_counted(connection: Connection) -> bool:
    row = connection.execute(statements(_SQL)["is_any_counted"]).fetchone()
    return bool(row and row["found"])


def _take(connection: Connection, events: Sequence[_Event], limits: Limits, *, source: str) -> int:
    """
    Bring *events* into the quarantine, those of one number in the order of time.

    The first pass goes through all numbers in order, and holds their rows: later ones, for
    numbers of which there is more to tell, meet rows that are held already.
    """
    quarantined = 0
    for some in _passes(events):
        values = {**_columns_of(some), "source": source, **limits.as_document()}
        rows = connection.execute(statements(_SQL)["note_events"], values).fetchall()
        quarantined += sum(row["is_quarantined"] for row in rows)
    cleared = sorted({one.phone for one in events if one.hardness == _CLEAR})
    if cleared:
        connection.execute(statements(_SQL)["drop_cleared"], {"phones": cleared})
    return quarantined


def _passes(events: Sequence[_Event]) -> list[list[_Event]]:
    """Sort *events* into passes that name each number once; the first names all of them."""
    passes: list[list[_Event]] = []
    place: dict[int, int] = defaultdict(int)
    for event in sorted(events, key=lambda one: (one.phone, one.at)):
        if place[event.phone] == len(passes):
            passes.append([])
        passes[place[event.phone]].append(event)
        place[event.phone] += 1
    return passes


def _columns_of(events: Sequence[_Event]) -> dict[str, list[Any]]:
    return {
        "phones": [one.phone for one in events],
        "ats": [one.at for one in events],
        "kinds": [one.hardness for one in events],
        "reasons": [one.reason for one in events],
    }
