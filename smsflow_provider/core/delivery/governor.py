"""
What pauses a delivery by itself, and lets its waves follow each other.

Every worker looks about once a second; whatever one of them finds, it does once, under the lock
of the delivery. A delivery that was paused goes on when a person says so, never by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, Final

from smsflow_provider.core.content.sending_settings import PauseWhen, SendingSettings
from smsflow_provider.core.delivery.waves import next_wave
from smsflow_provider.core.errors import SchemaError
from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.states import DeliveryState, PauseReason
from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.deliveries import Delivery, read_delivery, write_log
from smsflow_provider.core.store.kept_connection import KeptConnection
from smsflow_provider.core.store.waves import (
    Sight,
    begin_wave,
    count_opted_out,
    end_wave,
    hold_delivery,
    index_phones,
    read_sight,
)

#: Seconds between two counts of the people who opted out. When a wave has ended, each look counts.
OPT_OUTS_EVERY_S: Final = 10.0
#: Seconds to wait at the end for a look that is under way.
_CLOSE_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """The delivery must pause."""

    reason: PauseReason
    event: LogEvent
    problem: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveEnds:
    """All of the wave is settled: it is waited for receipts and opt-outs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveBegins:
    """The next wave may leave."""

    wave: int
    #: Its last position. None: the rest.
    until: int | None


Act = Hold | WaveEnds | WaveBegins


def judge(
    sight: Sight, settings: SendingSettings, *, count_opted_out: Callable[[], int]
) -> Act | None:
    """
    Say what must be done with a delivery that stands as *sight* says.

    A delivery with nothing left to send is never paused: it is about to finish.

    Args:
        count_opted_out: Counts people who opted out; called only if the settings ask.

    Returns:
        None: nothing.
    """
    if sight.state is not DeliveryState.SENDING or sight.ended >= sight.to_deliver:
        return None
    if sight.is_off:
        return Hold(
            reason=PauseReason.SWITCH,
            event=LogEvent.SWITCHED_OFF,
            problem="Everything is switched off: the delivery is held",
        )
    return _judge_shares(sight, settings, count_opted_out) or _judge_wave(sight, settings)


def _judge_shares(
    sight: Sight, settings: SendingSettings, count_opted_out: Callable[[], int]
) -> Hold | None:
    """Look at failures, then at opt-outs. A wave that has ended is judged however small it is."""
    rule = settings.pause_when
    least = 1 if _is_wave_over(sight, settings) else rule.after
    return _judge_failures(sight, rule, least) or _judge_opt_outs(
        sight, rule, least, count_opted_out
    )


def _judge_failures(sight: Sight, rule: PauseWhen, least: int) -> Hold | None:
    settled = sight.seen.settled - sight.judged_from.settled
    bad = sight.seen.bad - sight.judged_from.bad
    if rule.failed is None or settled < least or bad <= rule.failed * settled:
        return None
    return Hold(
        reason=PauseReason.FAILURES,
        event=LogEvent.TOO_MANY_FAILURES,
        problem="Too many messages failed, did not arrive or are in doubt: the delivery is held",
        facts={"of": settled, "failed": bad, "limit": rule.failed},
    )


def _judge_opt_outs(
    sight: Sight, rule: PauseWhen, least: int, count_opted_out: Callable[[], int]
) -> Hold | None:
    accepted = sight.seen.accepted - sight.judged_from.accepted
    if rule.opted_out is None or accepted < least:
        return None
    people = count_opted_out()
    if people <= rule.opted_out * accepted:
        return None
    return Hold(
        reason=PauseReason.OPT_OUTS,
        event=LogEvent.TOO_MANY_OPT_OUTS,
        problem="Too many recipients opted out: the delivery is held",
        facts={"of": accepted, "opted_out": people, "limit": rule.opted_out},
    )


def _judge_wave(sight: Sight, settings: SendingSettings) -> Act | None:
    if sight.wave_until is None:
        return None
    if sight.wave_ended_s is None:
        return WaveEnds() if sight.in_wave >= sight.wave_until else None
    if not _is_wave_over(sight, settings):
        return None
    if settings.waves is None or settings.waves.ask:
        return Hold(
            reason=PauseReason.WAVE,
            event=LogEvent.WAVE_ASKS,
            problem="A wave has ended: look at it, then resume",
            facts={"wave": sight.wave, "messages": sight.wave_until},
        )
    return following_wave(sight, settings)


def _is_wave_over(sight: Sight, settings: SendingSettings) -> bool:
    wait_s = settings.waves.wait_s if settings.waves else 0
    return sight.wave_ended_s is not None and sight.wave_ended_s >= wait_s


def following_wave(sight: Sight, settings: SendingSettings) -> WaveBegins:
    """Say which wave follows the one of *sight*, which has one."""
    until = next_wave(sight.to_deliver, settings.waves, until=sight.wave_until or 0)
    return WaveBegins(wave=sight.wave + 1, until=until)


def start_wave(
    connection: Connection, delivery: Delivery, begun: WaveBegins, *, actor: str
) -> None:
    """Let the next wave of *delivery*, which the caller has locked, leave; its log says so."""
    begin_wave(connection, delivery, wave=begun.wave, wave_until=begun.until)
    write_log(
        connection,
        delivery,
        level="info",
        event=LogEvent.WAVE_BEGUN,
        problem="The next wave leaves" if begun.until else "The rest leaves",
        facts={"by": actor, "wave": begun.wave, "until": begun.until or delivery.to_deliver},
    )


class Governor:
    """
    Looks after one delivery that is being sent, for one worker.

    Args:
        settings: How the delivery leaves; see ``sending_of``.
        actor: Who pauses it, for its log.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        store: Store,
        delivery: Delivery,
        settings: SendingSettings,
        actor: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = KeptConnection(store)
        self._delivery = delivery
        self._settings = settings
        self._actor = actor
        self._clock = clock
        self._opted_out = 0
        self._counted_at: float | None = None
        self._is_indexed = False
        self._is_blind = False
        self._looking: Thread | None = None
        self._error: Exception | None = None

    def look(self) -> None:
        """
        Begin a look in a thread of its own, unless the last one is still under way.

        So a worker never waits for a lock of the delivery, nor for the index that opt-outs need.

        Raises:
            StoreError: The last look failed: see ``look_now``.
        """
        if self._looking is not None and self._looking.is_alive():
            return
        error, self._error = self._error, None
        if error is not None:
            raise error
        self._looking = Thread(target=self._look_aside, name="smsflow governor", daemon=True)
        self._looking.start()

    def look_now(self) -> None:
        """
        Look, and do what must be done: pause the delivery, or let its next wave leave.

        Harmless on a delivery that is not being sent. Does nothing on the schema of the former
        version, which has no waves and no switch.

        Raises:
            StoreError: The store does not answer, or the delivery was prepared again.
        """
        if self._is_blind:
            return
        try:
            with self._connection.transaction() as connection:
                if self._settings.pause_when.opted_out is not None and not self._is_indexed:
                    index_phones(connection, self._delivery)
                    self._is_indexed = True
            with self._connection.transaction() as connection:
                act = self._judge(connection)
            if act is not None:
                self._act()
        except SchemaError:
            self._is_blind = True

    def close(self) -> None:
        """Wait for a look that is under way, for some seconds, and close the connection."""
        if self._looking is not None:
            self._looking.join(timeout=_CLOSE_S)
        self._connection.close()

    def _look_aside(self) -> None:
        try:
            self.look_now()
        except Exception as error:  # noqa: BLE001  raised by the next look
            self._error = error

    def _judge(self, connection: Connection) -> Act | None:
        sight = read_sight(connection, self._delivery)

        def count() -> int:
            return self._count_opted_out(connection, sight)

        return judge(sight, self._settings, count_opted_out=count)

    def _act(self) -> None:
        """Look again with the delivery locked: another worker or a person may have been faster."""
        with self._connection.transaction() as connection:
            delivery = read_delivery(connection, self._delivery.id, lock=True)
            act = self._judge(connection)
            if isinstance(act, Hold):
                self._hold(connection, delivery, act)
            elif isinstance(act, WaveEnds):
                self._end_wave(connection, delivery)
            elif isinstance(act, WaveBegins):
                start_wave(connection, delivery, act, actor=self._actor)

    def _hold(self, connection: Connection, delivery: Delivery, hold: Hold) -> None:
        hold_delivery(
            connection,
            delivery,
            reason=hold.reason,
            actor=self._actor,
            event=hold.event,
            problem=hold.problem,
            facts=hold.facts,
        )

    def _end_wave(self, connection: Connection, delivery: Delivery) -> None:
        end_wave(connection, delivery)
        write_log(
            connection,
            delivery,
            level="info",
            event=LogEvent.WAVE_ENDED,
            problem="A wave is settled: receipts and opt-outs are waited for",
            facts={"wave": delivery.wave, "messages": delivery.wave_until},
        )

    def _count_opted_out(self, connection: Connection, sight: Sight) -> int:
        now = self._clock()
        is_old = self._counted_at is None or now - self._counted_at >= OPT_OUTS_EVERY_S
        if is_old or sight.wave_ended_s is not None:
            self._opted_out = count_opted_out(connection, self._delivery, sight)
            self._counted_at = now
        return self._opted_out


def pause_for_cap(store: Store, delivery_id: str, *, limit: int, actor: str) -> bool:
    """
    Pause a delivery because all deliveries have reached the daily cap of *limit* parts.

    Returns:
        False: it is not being sent; nothing was done.
    """
    with store.transaction() as connection:
        delivery = read_delivery(connection, delivery_id, lock=True)
        if delivery.state is not DeliveryState.SENDING:
            return False
        hold_delivery(
            connection,
            delivery,
            reason=PauseReason.DAILY_CAP,
            actor=actor,
            event=LogEvent.DAILY_CAP,
            problem="All deliveries together have sent what they may today: the delivery is held",
            facts={"parts_per_day": limit},
        )
    return True
