"""The buckets of the shared pace: read and written under a lock, by the clock of the server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from psycopg.types.json import Jsonb

from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.kept_connection import KeptConnection
from smsflow_provider.core.store.statements import statements

_SQL: Final = "pace"
#: Readings of the clock, at most; and the doubt, in seconds, with which the first will do.
_READINGS: Final = 3
_GOOD_DOUBT_S: Final = 0.003


@dataclass(slots=True, kw_only=True)
class Bucket:
    """What the store knows of one limit. Times are seconds since 1970, by the server's clock."""

    #: The next moment of the schedule.
    next_at: float
    #: How much of the limit is used now, above 0.
    factor: float = 1.0
    #: Last time the factor was halved; 0: never.
    throttled_at: float = 0.0
    #: Nothing leaves before. 0: not closed.
    closed_until: float = 0.0
    #: When the bucket was last looked at.
    seen_at: float = 0.0
    #: Last time the factor changed.
    changed_at: float = 0.0
    #: Parts a second that a gateway without a limit was seen to take; 0: nothing was learnt.
    learnt: float = 0.0
    #: Virtual time: parts each delivery has had, divided by its priority.
    virtual: float = 0.0
    #: By delivery: its own virtual time, and when it last asked.
    flows: dict[str, tuple[float, float]] = field(default_factory=dict)
    #: What was granted and still counts: (until when, parts), oldest first.
    recent: list[tuple[float, int]] = field(default_factory=list)

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Read a row of ``smsflow_pace``."""
        memory = row["memory"]
        return cls(
            **{name: row[name] for name in _COLUMNS},
            **{
                name: memory[name] for name in ("changed_at", "learnt", "virtual") if name in memory
            },
            flows={flow: (own, seen) for flow, (own, seen) in memory.get("flows", {}).items()},
            recent=[(until, parts) for until, parts in memory.get("recent", [])],
        )

    def as_row(self) -> dict[str, Any]:
        """Write it as the columns of ``smsflow_pace``."""
        values = asdict(self)
        return {name: values.pop(name) for name in _COLUMNS} | {"memory": values}

    def shift(self, by_s: float) -> None:
        """Move everything that lies ahead, for the server's clock was set."""
        self.next_at += by_s
        self.closed_until += by_s if self.closed_until else 0.0
        self.throttled_at = min(self.throttled_at, self.throttled_at + by_s)
        self.changed_at += by_s
        self.recent = [(until + by_s, parts) for until, parts in self.recent]
        self.flows = {flow: (own, seen + by_s) for flow, (own, seen) in self.flows.items()}


#: Fields that are columns, and numbers that are kept in ``memory``.
_COLUMNS: Final = ("next_at", "factor", "throttled_at", "closed_until", "seen_at")
_NUMBERS: Final = ("changed_at", "learnt", "virtual")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Buckets that nobody else touches until the block ends; what is changed in them is written."""

    buckets: dict[str, Bucket]
    #: The server's clock, seconds since 1970.
    now: float
    #: The monotonic clock of this process right after it was read: never before it.
    read_at: float
    #: Seconds that ``read_at`` may lie behind the moment of the reading.
    doubt_s: float


class PaceBook:
    """
    The shared buckets, over a connection of their own. Not thread-safe; opens nothing until used.

    A process that is frozen with a bucket in its hands loses it after a second.
    """

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        #: Buckets that are there, as far as this connection knows.
        self._known: set[str] = set()
        # The table is emptied by a crash of the server: there is nothing to be made durable.
        self._kept = KeptConnection(store, stall_s=1, is_durable=False, on_open=self._known.clear)

    @contextmanager
    def hold(self, starts_s: Mapping[str, float]) -> Iterator[Held]:
        """
        Hold some buckets for as long as the block runs, in one short transaction.

        Args:
            starts_s: Names of the buckets; seconds after which one that is not there begins.

        Raises:
            StoreUnreachableError: No connection, or it was lost: nothing was written, or at most
                what nobody will use.
        """
        names = sorted(starts_s)
        if not self._known.issuperset(names):
            # Apart: a bucket that is made is not locked by who makes it.
            with self._kept.transaction() as connection:
                self._ensure(connection, starts_s)
            self._known.update(names)
        with self._kept.transaction() as connection:
            held = self._lock(connection, starts_s)
            yield held
            rows = [{"bucket": name, **held.buckets[name].as_row()} for name in names]
            connection.execute(statements(_SQL)["write_buckets"], {"rows": Jsonb(rows)})

    def _ensure(self, connection: Connection, starts_s: Mapping[str, float]) -> None:
        connection.execute(
            statements(_SQL)["ensure_buckets"],
            {"buckets": [*starts_s], "starts_s": [*starts_s.values()]},
        )

    def _lock(self, connection: Connection, starts_s: Mapping[str, float]) -> Held:
        sql, values = statements(_SQL)["lock_buckets"], {"buckets": [*starts_s]}
        asked_at = self._clock()
        rows = connection.execute(sql, values).fetchall()
        read_at = self._clock()
        while len(rows) < len(starts_s):  # forgotten since
            self._ensure(connection, starts_s)
            asked_at = self._clock()
            rows = connection.execute(sql, values).fetchall()
            read_at = self._clock()
        now = max(float(row["clock"]) for row in rows)
        now, read_at, doubt_s = self._surer(connection, now, read_at, read_at - asked_at)
        buckets = {row["bucket"]: Bucket.from_row(row) for row in rows}
        for bucket in buckets.values():
            if now < bucket.seen_at:
                bucket.shift(now - bucket.seen_at)
            bucket.seen_at = now
        return Held(buckets=buckets, now=now, read_at=read_at, doubt_s=doubt_s)

    def _surer(
        self, connection: Connection, now: float, read_at: float, doubt_s: float
    ) -> tuple[float, float, float]:
        """Read the clock again where waiting for a lock, or a slow answer, left much doubt."""
        best = (now, read_at, doubt_s)
        for _ in range(_READINGS):
            if best[2] <= _GOOD_DOUBT_S:
                break
            asked_at = self._clock()
            row = connection.execute(statements(_SQL)["read_clock"]).fetchone()
            read_at = self._clock()
            if row is not None and read_at - asked_at < best[2]:
                best = (float(row["clock"]), read_at, read_at - asked_at)
        return best

    def close(self) -> None:
        """Close the connection; it may be used again. Never raises."""
        self._kept.close()


def forget_idle_buckets(store: Store) -> int:
    """Drop buckets that nobody has used for a day; say how many."""
    with store.transaction() as connection:
        return connection.execute(statements(_SQL)["forget_buckets"]).rowcount
