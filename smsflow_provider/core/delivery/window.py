"""
The sliding window: one transaction a tick carries results in and marks out.

At most ``limit`` messages are marked and not settled at any moment; that is also the most that a
kill can leave in doubt.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from smsflow_provider.core.errors import RefusedError, SendInterruptedError
from smsflow_provider.core.gateways.base import Gateway
from smsflow_provider.core.gateways.status import HOPELESS_CODES
from smsflow_provider.core.model import Message, Outcome, OutcomeKind, message_id_of
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.ledger import Ledger, Settled, Standing, Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSettings:
    """How wide and how fast the window slides."""

    #: Requests under way at once, 1 or more.
    connections: int = 32
    #: Messages marked and not settled at once, at the most: what a kill can leave in doubt.
    most_open: int = 500
    #: Seconds between two ticks while messages flow.
    tick_s: float = 0.02
    #: Seconds between two ticks of a paused delivery or one that waits: how soon a stop is seen.
    idle_tick_s: float = 0.5
    #: Longest wait, in seconds, after a gateway that takes nothing.
    longest_backoff_s: float = 60.0
    #: Seconds between two calls of ``on_progress``.
    progress_s: float = 5.0
    #: A tick that took longer than this, in seconds, hands nothing over before it has looked again.
    stale_s: float = 3.0


class Backoff:
    """How long to leave a gateway alone that certainly did not take a message."""

    def __init__(self, *, longest_s: float, jitter: Callable[[], float] = random.random) -> None:
        self._longest_s = longest_s
        self._jitter = jitter
        self._refusals = 0
        self._until = 0.0

    def refused(self, now: float, retry_after_s: float | None) -> None:
        """Note a certain refusal at *now* (monotonic seconds)."""
        if now < self._until and retry_after_s is None:
            return  # one of a crowd that left before the first refusal came back
        own = min(0.5 * 2**self._refusals, self._longest_s)
        wait = retry_after_s if retry_after_s is not None else own * (0.5 + self._jitter())
        self._refusals = min(self._refusals + 1, 16)
        self._until = max(self._until, now + min(wait, self._longest_s))

    def accepted(self) -> None:
        """Note that the gateway takes messages."""
        self._refusals = 0

    def left_s(self, now: float) -> float:
        """Seconds still to wait at *now*."""
        return max(0.0, self._until - now)


class SlidingWindow:
    """Sends one claimed delivery through one gateway. See ``run``."""

    def __init__(
        self,
        ledger: Ledger,
        gateway: Gateway,
        *,
        delivery: Delivery,
        callback_url_of: Callable[[str], str | None],
        allowed: frozenset[int] | None,
        is_interrupted: Callable[[], bool],
        sleep: Callable[[float], Awaitable[None]],
        on_progress: Callable[[dict[str, int]], None],
        settings: WindowSettings,
        actor: str,
    ) -> None:
        self._ledger = ledger
        self._gateway = gateway
        self._delivery = delivery
        self._callback_url_of = callback_url_of
        self._allowed = allowed
        self._is_interrupted = is_interrupted
        self._sleep = sleep
        self._on_progress = on_progress
        self._settings = settings
        self._actor = actor
        batch = gateway.dialect.max_batch
        self._limit = max(batch, min(settings.connections * batch, settings.most_open))
        self._scopes = tuple(delivery.settings.get("opt_out_scopes", [""]))
        self._backoff = Backoff(longest_s=settings.longest_backoff_s)
        self._under_way: set[asyncio.Task[None]] = set()
        self._open = 0
        self._settled: list[Settled] = []
        self._again: dict[int, int] = {}
        self._counts: dict[OutcomeKind, int] = dict.fromkeys(OutcomeKind, 0)
        self._told_at = time.monotonic()
        self._hopeless = ""
        self._broken: Exception | None = None

    async def run(self) -> None:
        """
        Send until all is settled, the delivery is stopped, or its validity is over.

        Raises:
            SupersededError: Another sender has taken over. What this one has under way is
                abandoned; the other has recorded it as unknown.
            RefusedError: The gateway refuses every message, such as for a wrong password. What
                has not left waits for the next try.
        """
        self._again = dict(self._ledger.waiting_again())
        try:
            while not await self._step():
                pass
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _step(self) -> bool:
        """Run one tick. True: the delivery has ended."""
        began = time.monotonic()
        standing, taken = await self._tick()
        if time.monotonic() - began > self._settings.stale_s:
            standing = await asyncio.to_thread(self._ledger.standing)
        self._hand_over(taken if standing.may_send else self._held_back(taken))
        self._tell()
        if not self._open and (ended := _end_of(standing)) is not None:
            return await self._close(*ended)
        if self._is_ending() and not self._open:
            return await self._give_up()
        if self._is_done(standing, taken):
            return await asyncio.to_thread(self._ledger.finish, actor=self._actor)
        await self._sleep(self._pause_s(standing))
        return False

    async def _tick(self) -> tuple[Standing, list[Taken]]:
        settled, self._settled = self._settled, []
        waits = self._is_ending() or self._backoff.left_s(time.monotonic()) > 0
        room = 0 if waits else self._limit - self._open
        again = list(self._again.items())[: max(room, 0)]
        standing, taken = await asyncio.to_thread(
            self._ledger.tick,
            settled=settled,
            wanted=room - len(again),
            again=again,
            scopes=self._scopes,
        )
        if standing.may_send:
            for position, _ in again:
                del self._again[position]
        return standing, taken

    def _held_back(self, taken: Sequence[Taken]) -> list[Taken]:
        """Put messages back that may not leave any more since they were taken."""
        for one in taken:
            self._again[one.position] = one.attempt
            self._settle(one, OutcomeKind.NOT_SENT, code="held_back")
        return []

    def _hand_over(self, taken: Sequence[Taken]) -> None:
        size = self._gateway.dialect.max_batch
        self._open += len(taken)
        for start in range(0, len(taken), size):
            task = asyncio.create_task(self._send_batch(taken[start : start + size]))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _send_batch(self, batch: Sequence[Taken]) -> None:
        allowed = []
        for one in batch:
            if self._allowed is None or one.phone in self._allowed:
                allowed.append(one)
            else:
                self._settle(one, OutcomeKind.CANCELLED, code="not_on_allow_list")
        for one, outcome in zip(allowed, await self._outcomes(allowed), strict=True):
            self._take_outcome(one, outcome)
        self._open -= len(batch)

    async def _outcomes(self, batch: Sequence[Taken]) -> list[Outcome]:
        """Hand over, once. A gateway that breaks its word leaves doubt, and ends the send."""
        messages = [self._message_of(one) for one in batch]
        if not messages:
            return []
        try:
            outcomes = await self._gateway.send(messages)
            if len(outcomes) != len(messages):
                raise ValueError("a gateway must answer for each message")
        except Exception as error:  # noqa: BLE001  told when all is settled, see _give_up
            self._broken = error
            return [
                Outcome(message_id=one.id, kind=OutcomeKind.UNKNOWN, code="sender_failed")
                for one in messages
            ]
        return outcomes

    def _take_outcome(self, taken: Taken, outcome: Outcome) -> None:
        kind = outcome.kind
        if kind is OutcomeKind.FAILED and outcome.code in HOPELESS_CODES:
            # The connection is wrong, not this message: the next one would meet the same.
            self._hopeless = outcome.code
            kind = OutcomeKind.NOT_SENT
        if kind is OutcomeKind.NOT_SENT:
            self._backoff.refused(time.monotonic(), outcome.retry_after_s)
            self._again[taken.position] = taken.attempt
        else:
            self._backoff.accepted()
        self._settle(taken, kind, code=outcome.code, gateway_ref=outcome.gateway_ref)

    def _settle(self, taken: Taken, kind: OutcomeKind, *, code: str, gateway_ref: str = "") -> None:
        self._counts[kind] += 1
        self._settled.append(
            Settled(
                position=taken.position,
                attempt=taken.attempt,
                kind=kind,
                code=code[:64],
                gateway_ref=gateway_ref[:128],
            )
        )

    def _message_of(self, taken: Taken) -> Message:
        delivery = self._delivery
        message_id = message_id_of(delivery.no, delivery.preparation, taken.position)
        return Message(
            id=message_id,
            to=f"+{taken.phone}",
            sender=taken.sender,
            body=taken.body,
            encoding=taken.encoding,
            parts=taken.parts,
            expires_at=delivery.expires_at,
            callback_url=self._callback_url_of(message_id),
        )

    def _is_done(self, standing: Standing, taken: Sequence[Taken]) -> bool:
        """Nothing taken, nothing under way, nothing to write: all is settled."""
        return (
            standing.state is DeliveryState.SENDING
            and not taken
            and not self._open
            and not self._settled
            and not self._again
            and self._backoff.left_s(time.monotonic()) <= 0
        )

    def _pause_s(self, standing: Standing) -> float:
        """Seconds to the next tick: short while messages flow, longer with nothing to do."""
        if standing.state is not DeliveryState.SENDING:
            return self._settings.idle_tick_s
        left_s = self._backoff.left_s(time.monotonic())
        if left_s and not self._open:
            return min(left_s, self._settings.idle_tick_s)
        return self._settings.tick_s

    async def _close(self, kind: OutcomeKind, code: str) -> bool:
        """Write what came back, and settle the rest as *kind*."""
        settled, self._settled = self._settled, []
        await asyncio.to_thread(self._ledger.tick, settled=settled, wanted=0)
        await asyncio.to_thread(self._ledger.close_rest, kind, code)
        if kind is OutcomeKind.CANCELLED:
            return True
        # Paused in this very moment: go on ticking until somebody resumes or stops it.
        return await asyncio.to_thread(self._ledger.finish, actor=self._actor)

    def _is_ending(self) -> bool:
        return bool(self._hopeless or self._broken or self._is_interrupted())

    async def _give_up(self) -> bool:
        settled, self._settled = self._settled, []
        await asyncio.to_thread(self._ledger.tick, settled=settled, wanted=0)
        if self._broken is not None:
            raise self._broken
        if not self._hopeless:
            raise SendInterruptedError(
                "told to end: the next try goes on", delivery=self._delivery.id
            )
        raise RefusedError(
            "the gateway refuses every message: mend its connection, the next try goes on",
            gateway=self._delivery.gateway,
            code=self._hopeless,
        )

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told_at >= self._settings.progress_s:
            self._told_at = now
            self._on_progress({kind.value: count for kind, count in self._counts.items()})


def _end_of(standing: Standing) -> tuple[OutcomeKind, str] | None:
    """Say how what has not left ends: cancelled, expired, or None while it may still leave."""
    if standing.state is DeliveryState.STOPPED:
        return OutcomeKind.CANCELLED, "stopped"
    if standing.state is DeliveryState.SENDING and standing.expired:
        return OutcomeKind.EXPIRED, "validity_over"
    return None
