"""
Preparations that kill themselves: ``python -m tests.integration.killed_preparation DSN``.

Each line on standard input is an order, as JSON: which delivery to prepare and, unless it is to
live, at which call of the store to die, by SIGKILL. Who is to die is forked from this process,
which has everything loaded; it must not have prepared anything itself, for threads do not
survive a fork. Each line on standard output says what became of one.

The store is the real one. What is counted are the statements of its connections, each before it
runs, COPY also behind its last row, and commits, before and behind.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from smsflow_provider.core.preparation.budgets import Budget, Budgets
from smsflow_provider.core.preparation.prepare import Preparation, prepare
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.reservations import Limit, Period
from tests.core.preparation.preparing import FrameRows, make_draft, make_preparation, make_template

#: Rows of the audience and of one batch; so the texts come in four.
ROWS, BATCH = 400, 100
#: Numbers of the audience that are opted out.
OPTED_OUT = tuple(33_600_000_000 + number for number in range(10, 50))

_NUMBER = re.compile(r"\d+")
_Before = Callable[[str], None]


class Calls:
    """Counts calls by what they do, and dies at the one it is told."""

    def __init__(self, at: tuple[str, int] | None) -> None:
        self._at = at
        self._counts: Counter[str] = Counter()
        #: Step, transaction and call, in order.
        self.all: list[tuple[str, int, str]] = []
        self.step = "begin"

    def come(self, transaction: int, label: str) -> None:
        """One call is about to run, or, where its name says so, is done."""
        self._counts[label] += 1
        self.all.append((self.step, transaction, label))
        if self._at == (label, self._counts[label]):
            os.kill(os.getpid(), signal.SIGKILL)


class CountedCursor(psycopg.Cursor[Any]):
    """Tells its statements to the connection that made it."""

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        """Tell, then run."""
        self._tell(query)
        return super().execute(query, *args, **kwargs)

    @contextmanager
    def copy(self, statement: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Tell, copy, and tell again when the last row was sent."""
        name = self._tell(statement)
        with super().copy(statement, *args, **kwargs) as copy:
            yield copy
            self._come(f"{name}: rows sent")

    def _tell(self, query: Any) -> str:
        text = query.as_string(self) if isinstance(query, sql.Composable) else query
        text = text.decode() if isinstance(text, bytes) else str(text)
        name = _NUMBER.sub("", " ".join(text.split()))[:60]
        self._come(name)
        return name

    def _come(self, label: str) -> None:
        connection = self.connection
        assert isinstance(connection, CountedConnection)
        connection.come(label)


class CountedConnection(psycopg.Connection[Any]):
    """Tells its statements and its commits."""

    calls: Calls
    number: int

    def come(self, label: str) -> None:
        """Tell one."""
        self.calls.come(self.number, label)

    def commit(self) -> None:
        """Tell, commit, and tell again; by what else the transaction did."""
        if self.info.transaction_status is psycopg.pq.TransactionStatus.IDLE:
            super().commit()
            return
        own = [label for _, number, label in self.calls.all if number == self.number]
        self.come(f"commit of: {own[0]}")
        super().commit()
        self.come(f"committed: {own[0]}")


class CountedStore(Store):
    """The store, with connections that count."""

    def __init__(self, dsn: str, calls: Calls) -> None:
        super().__init__(dsn)
        self._calls = calls
        self._opened = 0

    def connect_plain(self) -> psycopg.Connection[Any]:
        """Open a connection that counts."""
        connection = CountedConnection.connect(self._dsn, cursor_factory=CountedCursor)
        self._opened += 1
        connection.calls, connection.number = self._calls, self._opened
        return connection


def make_people() -> FrameRows:
    """People of several countries; some are opted out, double, unreachable, or lack a name."""
    numbers = [f"+{33_600_000_000 + number}" for number in range(ROWS)]
    numbers[100:110] = numbers[200:210]
    numbers[300:305] = ["", "n/a", "+4915123456789", "+447400123456", "06 99 99 99 99"]
    names = [f"Zoë {number}" if number % 3 else f"Bob {number}" for number in range(ROWS)]
    names[350:353] = ["", " ", ""]
    ids = [f"r{number}" for number in range(ROWS)]
    frame = pl.DataFrame({"recipient_id": ids, "phone": numbers, "name": names})
    return FrameRows(frame, size=BATCH)


def make_whole() -> Preparation:
    """A preparation that uses every part of the store a preparation can use."""
    limit = Limit(period=Period.MONTH, parts=10_000_000)
    return make_preparation(
        make_people(),
        template=make_template("Hi {{ name }}", missing="exclude", sender="ACME"),
        budgets=Budgets(by_name={"default": Budget(name="default", limits=(limit,))}),
    )


def run(dsn: str, order: dict[str, Any]) -> None:
    """Prepare one delivery, and say how it went; or die."""
    at = order.get("at")
    calls = Calls(None if at is None else (at[0], at[1]))
    make_draft(Store(dsn), order["delivery"])

    def note(progress: dict[str, Any]) -> None:
        calls.step = progress["step"]

    preparation = replace(make_whole(), on_progress=note)
    delivery = prepare(
        CountedStore(dsn, calls), order["delivery"], preparation, actor=f"process {os.getpid()}"
    )
    _say({"fingerprint": delivery.fingerprint, "calls": calls.all, "pid": os.getpid()})


def _say(told: dict[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(told)}\n")
    sys.stdout.flush()


def main() -> None:
    """Follow the orders."""
    for line in sys.stdin:
        order = json.loads(line)
        if "at" not in order:
            run(sys.argv[1], order)
            continue
        pid = os.fork()
        if not pid:
            run(sys.argv[1], order)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            _say({"exit_code": os.waitstatus_to_exitcode(status), "pid": pid})


if __name__ == "__main__":
    main()
