"""
One circuit a gateway connection: a gateway that does not answer is left alone for a while.

Without it, a gateway that only times out would put message after message in doubt. What it knows
is shared by all workers through the store; what one worker sees counts for that one at once.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Final

from smsflow_provider.core.errors import SchemaError
from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.store.circuits import (
    CircuitRow,
    close_circuit,
    open_circuit,
    read_circuit,
    take_probe,
    tell_circuit,
)
from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.kept_connection import KeptConnection

#: Messages in a row that must fail before it opens.
OPENS_AFTER: Final = 5
#: Seconds for which it opens first; twice as long after each probe that fails, up to the longest.
FIRST_OPEN_S: Final = 30.0
LONGEST_OPEN_S: Final = 600.0
#: Seconds that the others wait for the probe of one worker: longer than any answer takes.
PROBE_S: Final = 60.0

#: Codes with which a message certainly did not leave because the gateway could not be reached.
UNREACHED: Final = frozenset(
    {
        *("dns", "tls", "connect_timeout", "connect_failed", "connect_refused"),
        *("timeout", "reset", "lost", "closed"),
    }
)
#: Codes with which a message was not even tried: they say nothing of the gateway.
UNTRIED: Final = frozenset({"held_back", "too_late", "bad_request", "bad_url", "resend"})


class _State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    #: One message may be tried.
    PROBING = "probing"


class Sign(StrEnum):
    """What an outcome says of the gateway."""

    ANSWERS = "answers"
    FAILS = "fails"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What this worker found and the store does not know yet."""

    is_open: bool
    is_probe: bool
    code: str = ""
    period_s: float = 0.0


def sign_of(kind: OutcomeKind, *, code: str, is_own: bool) -> Sign:
    """
    Say what an outcome shows of the gateway.

    Doubt, and a gateway that cannot be reached, are failures. Any answer is a sign of life: a
    refusal, or "busy", too.
    """
    if kind is OutcomeKind.UNKNOWN:
        return Sign.FAILS
    if kind is OutcomeKind.NOT_SENT and not is_own and code in UNREACHED:
        return Sign.FAILS
    if kind in {OutcomeKind.CANCELLED, OutcomeKind.EXPIRED} or code in UNTRIED:
        return Sign.NOTHING
    return Sign.ANSWERS


class Circuit:
    """
    The circuit of one gateway connection, as one worker sees it. Thread-safe.

    Args:
        gateway: Airflow connection of the gateway.
        delivery: Whose log tells when it opens and closes. None: nobody's.
        clock: Monotonic seconds; the *now* of the other calls is of the same clock.
        jitter: 0 to 1; makes periods differ by a fifth.
    """

    def __init__(
        self,
        store: Store,
        gateway: str,
        *,
        delivery: Delivery | None = None,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._connection = KeptConnection(store)
        self._gateway = gateway
        self._delivery = delivery
        self._clock = clock
        self._jitter = jitter
        self._lock = Lock()
        self._state = _State.CLOSED
        self._failed = 0
        self._level = 0
        self._until = 0.0
        self._change: _Change | None = None
        self._is_wanted = False
        self._is_told_open = False
        self._is_alone = False

    def room(self, now: float) -> int | None:
        """
        Say how many messages may be under way at once.

        Call it only with something to send: whoever asks while it is open may get the next probe.

        Returns:
            None: as many as you like. 0: none. 1: a probe, once all others have come back.
        """
        with self._lock:
            if self._state is _State.CLOSED:
                return None
            self._is_wanted = True
            if self._is_alone and self._state is _State.OPEN and now >= self._until:
                self._state = _State.PROBING
            return 1 if self._state is _State.PROBING else 0

    def note(self, kind: OutcomeKind, *, code: str, is_own: bool, now: float) -> None:
        """Note what became of one message. Costs nothing: no store is asked."""
        sign = sign_of(kind, code=code, is_own=is_own)
        with self._lock:
            if sign is Sign.NOTHING or self._state is _State.OPEN:
                return  # what comes back now left before it opened
            if sign is Sign.ANSWERS:
                self._answered()
                return
            self._failed += 1
            if self._state is _State.PROBING or self._failed >= OPENS_AFTER:
                self._open(code, now=now)

    def sync(self) -> None:
        """
        Tell the store what this worker found, and learn what the others did.

        Call it about once a second, and once before the first message leaves.

        Raises:
            StoreError: The store does not answer; what is to be told is kept for the next time.
        """
        if self._is_alone:
            return
        with self._lock:
            change, is_wanted = self._change, self._is_wanted
            self._is_wanted = False
        try:
            with self._connection.transaction() as connection:
                found, is_mine = self._exchange(connection, change, is_wanted=is_wanted)
        except SchemaError:
            self._is_alone = True  # the schema of the former version: each for itself
            return
        with self._lock:
            if self._change is change:
                self._change = None
                self._adopt(found, is_mine=is_mine)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _answered(self) -> None:
        self._failed = 0
        if self._state is _State.PROBING:
            self._state, self._level = _State.CLOSED, 0
            self._change = _Change(is_open=False, is_probe=True)

    def _open(self, code: str, *, now: float) -> None:
        is_probe = self._state is _State.PROBING
        self._level = self._level + 1 if is_probe else 1
        period_s = FIRST_OPEN_S * 2.0 ** min(self._level - 1, 10) * (0.9 + 0.2 * self._jitter())
        period_s = min(period_s, LONGEST_OPEN_S)
        self._state, self._failed, self._until = _State.OPEN, 0, now + period_s
        self._change = _Change(is_open=True, is_probe=is_probe, code=code, period_s=period_s)

    def _exchange(
        self, connection: Connection, change: _Change | None, *, is_wanted: bool
    ) -> tuple[CircuitRow, bool]:
        if change is not None and change.is_open:
            open_circuit(
                connection,
                self._gateway,
                period_s=change.period_s,
                code=change.code,
                is_probe=change.is_probe,
            )
        elif change is not None:
            close_circuit(connection, self._gateway)
        found = read_circuit(connection, self._gateway)
        is_mine = False
        if found.is_open and found.left_s <= 0 and is_wanted:
            is_mine = take_probe(connection, self._gateway, probe_s=PROBE_S)
        self._tell(connection, found)
        return found, is_mine

    def _tell(self, connection: Connection, found: CircuitRow) -> None:
        if self._delivery is not None and found.is_open != self._is_told_open:
            tell_circuit(connection, self._delivery, self._gateway, found)
        self._is_told_open = found.is_open

    def _adopt(self, found: CircuitRow, *, is_mine: bool) -> None:
        """Believe the store, but for a probe of this worker that is still under way."""
        if not found.is_open:
            if self._state is not _State.CLOSED:
                self._state, self._failed = _State.CLOSED, 0
        elif is_mine:
            self._state, self._level = _State.PROBING, found.failures
            self._until = self._clock() + PROBE_S
        elif self._state is not _State.PROBING or self._clock() >= self._until:
            self._state, self._level = _State.OPEN, found.failures
            self._until = self._clock() + found.left_s
