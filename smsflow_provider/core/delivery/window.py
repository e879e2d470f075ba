"""
The sliding window: one transaction a tick carries results in and marks out.

At most ``most_open`` messages are marked and not settled at any moment; that is also the most
that a kill of this worker can leave in doubt.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from smsflow_provider.core.delivery.hand_over import HandOver
from smsflow_provider.core.delivery.outlet import Outlet, Planned
from smsflow_provider.core.delivery.plan import Plan
from smsflow_provider.core.delivery.watch import Watch
from smsflow_provider.core.errors import RefusedError, SendInterruptedError
from smsflow_provider.core.model import DeliveryKind, OutcomeKind
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.ledger import Ledger
from smsflow_provider.core.store.ledger_rows import Settled, Standing, Taken, Ticked

#: Seconds between two looks at the whole: governor, circuits, workers that were lost.
_LOOK_S: Final = 1.0
_SMOOTHING: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSettings:
    """How wide and how fast the window slides."""

    #: Messages marked and not settled at once, at the most: what a kill can leave in doubt. The
    #: window is only as wide as the gateway is quick.
    most_open: int = 2000
    #: Seconds between two ticks while messages flow.
    tick_s: float = 0.02
    #: Seconds between two ticks of a paused delivery or one that waits: how soon a stop is seen.
    idle_tick_s: float = 0.5
    #: Longest wait, in seconds, after a gateway that takes nothing.
    longest_backoff_s: float = 60.0
    #: Seconds between two calls of ``on_progress``.
    progress_s: float = 5.0
    #: For how long a look at the delivery lets messages leave, in seconds from when it began: a
    #: stop holds within this and a tick, also while the store hangs.
    stale_s: float = 1.5
    #: A worker silent for this long, in seconds, has lost its chunks to the others.
    lease_s: float = 10.0


class SlidingWindow:
    """Sends what one worker takes of one delivery. See ``run``."""

    def __init__(
        self,
        ledger: Ledger,
        outlets: Sequence[Outlet],
        *,
        delivery: Delivery,
        route_of: Callable[[Taken, dict[int, int]], Outlet],
        watch: Watch,
        allowed: frozenset[int] | None,
        is_interrupted: Callable[[], bool],
        on_progress: Callable[[dict[str, int]], None],
        settings: WindowSettings,
        actor: str,
    ) -> None:
        self._ledger = ledger
        self._ledger.routes = [one.as_route() for one in outlets]
        self._outlets = outlets
        self._watch = watch
        self._is_interrupted = is_interrupted
        self._on_progress = on_progress
        self._settings = settings
        self._actor = actor
        self._delivery = delivery
        self._scopes = tuple(delivery.settings.get("opt_out_scopes", [""]))
        self._is_campaign = delivery.kind is DeliveryKind.CAMPAIGN
        self._plan = Plan(route_of)
        self._hands = HandOver(
            delivery, self._plan, allowed=allowed, fresh_s=max(settings.lease_s / 2, 1.0)
        )
        self._resolving: asyncio.Task[bool] | None = None
        self._resolving_since = -1
        self._standing = Standing(state=delivery.state, expired=False)
        self._told_at = self._looked_at = self._counted_at = time.monotonic()
        self._tick_took_s = settings.tick_s
        self._rate = 0.0
        self._found_no_chunk = False

    async def run(self) -> None:
        """
        Send until the delivery is finished or stopped, whoever of its workers does the last bit.

        Raises:
            SupersededError: Another worker has taken over. What this one has under way is
                abandoned; the other has recorded it as unknown.
            RefusedError: The gateway refuses every message, such as for a wrong password. What
                has not left waits for the next try.
            SendInterruptedError: ``is_interrupted`` said so; nothing is in doubt.
        """
        try:
            await asyncio.to_thread(self._look_first)
            while not await self._step():
                pass
        finally:
            await self._hands.abandon()
            await self._end_resolving()
            self._on_progress(self._hands.counts())
            for outlet in self._outlets:
                await asyncio.to_thread(outlet.close)

    async def _step(self) -> bool:
        """Run one tick. True: the delivery has ended."""
        await self._fill()
        began = ticked_at = time.monotonic()
        leaving = await self._tick(began)
        took_s = time.monotonic() - began
        self._tick_took_s += _SMOOTHING * (took_s - self._tick_took_s)
        if took_s > self._settings.stale_s / 2:
            began = time.monotonic()
            self._standing = await asyncio.to_thread(self._ledger.standing)
        may_leave = self._standing.may_send and not self._is_ending()
        self._hands.leaves_until = began + self._settings.stale_s if may_leave else 0.0
        self._hands.take(leaving, ticked_at=ticked_at)
        await self._read_ahead()  # while these leave
        self._tell()
        if await self._has_ended():
            return True
        await self._hands.wait(self._pause_s(), enough=self._width() // 2)
        return False

    def _look_first(self) -> None:
        """See how far the wave goes and which gateways are given up, before anything leaves."""
        self._standing = self._ledger.standing()
        for outlet in self._outlets:
            outlet.breaker.sync()

    async def _fill(self) -> None:
        """Give the next messages their moments."""
        if not self._standing.may_send or self._is_ending():
            self._plan.unplan(now=time.monotonic())
            return
        if self._plan.is_empty:
            await self._read_ahead()
        await self._set_moments()

    async def _read_ahead(self) -> None:
        """Take chunks, so that the next tick has something to mark."""
        wanted = self._plan.wanted(self._width()) if self._standing.may_send else 0
        if wanted and not self._is_ending():
            for fresh, again in await asyncio.to_thread(self._lease, wanted):
                self._plan.add(fresh, again, now=time.monotonic())

    def _lease(self, wanted: int) -> list[tuple[list[Taken], list[Taken]]]:
        leased = []
        while wanted > 0 and (chunk := self._ledger.lease_chunk(until=self._standing.wave_until)):
            leased.append(chunk)
            wanted -= sum(map(len, chunk))
        self._found_no_chunk = wanted > 0
        return leased

    async def _set_moments(self) -> None:
        if self._plan.is_empty:
            return  # a circuit that is asked for room means to give it
        now = time.monotonic()
        width = self._width()
        rooms = {one.route: one.room(now, width=width) for one in self._outlets}
        chosen = self._plan.choose(now, rooms=rooms)
        if not chosen:
            return
        planned = await asyncio.to_thread(self._reserve, chosen)
        rest = [taken for taken, _ in chosen[len(planned) :]]
        self._plan.put_back(rest, now=now)
        self._plan.set_moments(planned)

    def _reserve(self, chosen: Sequence[tuple[Taken, Outlet]]) -> list[Planned]:
        """Ask the pace for moments; the first message without one ends what can leave for now."""
        moments = {}
        for outlet in self._outlets:
            own = [taken for taken, through in chosen if through is outlet]
            if own:
                outlet.pace.lead_s = self._lead_s()
                now = time.monotonic()
                granted = outlet.pace.reserve(own, workers=self._standing.workers, now=now)
                moments[outlet.route] = iter(granted)
        planned = []
        for taken, outlet in chosen:
            at = next(moments[outlet.route], None)
            if at is None:
                break
            planned.append(Planned(taken, outlet, at))
        return planned

    async def _tick(self, now: float) -> list[Planned]:
        settled = self._hands.take_settled()
        self._count_rate(len(settled), now)
        due = self._plan.due(now + self._lead_s())
        work = partial(self._work, settled, due, now)
        ticked, count = await self._hands.write_during(work, due)
        self._standing = ticked.standing
        leaving, rest = due[:count], due[count:]
        if rest or not ticked.standing.may_send:
            self._plan.unplan(rest, now=time.monotonic())
        self._plan.drop(ticked.proven)
        if not ticked.gone and not ticked.proven:
            return leaving
        self._hands.count(one.kind for one in ticked.gone)
        gone = {one.position for one in ticked.gone} | ticked.proven
        for one in leaving:
            if one.taken.position in gone:
                one.outlet.open -= 1
        return [one for one in leaving if one.taken.position not in gone]

    def _work(
        self, settled: Sequence[Settled], due: Sequence[Planned], now: float
    ) -> tuple[Ticked, int]:
        """Do all of a tick that blocks, in one thread. Tells how many of *due* were taken, too."""
        parts = [one.taken.parts for one in due]
        try:
            count = self._ask_watch(parts, now)
        except Exception as error:  # noqa: BLE001  told when all is settled: answers come first
            self._hands.broken, count = error, 0
        ticked = self._ledger.tick(
            settled=settled,
            leaving=[(one.taken, one.outlet.route) for one in due[:count]],
            scopes=self._scopes,
            is_campaign=self._is_campaign,
        )
        if not ticked.standing.may_send:
            self._watch.put_parts_back(sum(parts[:count]))
            return ticked, 0
        if not ticked.gone and not ticked.proven:
            return ticked, count
        gone = {one.position for one in ticked.gone} | ticked.proven
        self._watch.put_parts_back(
            sum(one.taken.parts for one in due[:count] if one.taken.position in gone)
        )
        return ticked, count

    def _ask_watch(self, parts: Sequence[int], now: float) -> int:
        """Do what is to be done beside the ledger. Gives how many messages the cap lets leave."""
        for chore in self._hands.take_chores():
            chore()
        if now - self._looked_at >= _LOOK_S:
            self._looked_at = now
            self._look()
        self._watch.put_parts_back(self._hands.take_parts_back())
        return self._within_cap(parts)

    def _within_cap(self, parts: Sequence[int]) -> int:
        """Count how many messages of so many parts the daily cap lets leave."""
        wanted = sum(parts)
        left = self._watch.take_parts(wanted) if wanted else 0
        if left == wanted:
            return len(parts)
        for place, own in enumerate(parts):
            if own > left:
                self._watch.put_parts_back(left)
                return place
            left -= own
        return len(parts)

    def _look(self) -> None:
        if self._standing.is_off and self._standing.state is DeliveryState.SENDING:
            self._watch.switched_off()
        self._watch.look()
        for outlet in self._outlets:
            outlet.breaker.sync()
        if self._found_no_chunk:
            self._ledger.reap(lease_s=self._settings.lease_s)

    async def _has_ended(self) -> bool:
        standing = self._standing
        if standing.state is DeliveryState.FINISHED:
            return True
        if self._hands.is_busy:
            return False
        if self._is_ending():
            return await self._give_up()
        if (ended := _end_of(standing)) is not None:
            return await self._close(*ended)
        if standing.state is DeliveryState.PAUSED:
            self._resolved()  # a pause because of doubts would never end them otherwise
        if standing.may_send and self._plan.is_empty and self._found_no_chunk:
            return await self._finish()
        return False

    def _resolved(self) -> bool:
        """Let doubts be ended beside the ticks. True: nothing more can be done about them."""
        if self._resolving is None:
            self._resolving = asyncio.create_task(self._watch.resolve())
            self._resolving_since = self._hands.marked
        if not self._resolving.done():
            return False
        ended, self._resolving = self._resolving, None
        # What was sent meanwhile may be in doubt too: an answer from before says nothing of it.
        is_old, self._resolving_since = self._resolving_since != self._hands.marked, -1
        return ended.result() and not is_old

    async def _end_resolving(self) -> None:
        if self._resolving is not None:
            self._resolving.cancel()
            await asyncio.gather(self._resolving, return_exceptions=True)

    async def _finish(self) -> bool:
        if self._hands.has_settled or not await asyncio.to_thread(self._ledger.is_settled):
            return False
        if not self._resolved():
            return False
        return await asyncio.to_thread(self._ledger.finish, actor=self._actor)

    async def _close(self, kind: OutcomeKind, code: str) -> bool:
        """Write what came back, and settle the rest as *kind*."""
        await self._write_last()
        await asyncio.to_thread(self._ledger.close_rest, kind, code)
        if kind is OutcomeKind.CANCELLED:
            return True
        # Paused in this very moment, or others are at it: go on until it has ended.
        return await asyncio.to_thread(self._ledger.finish, actor=self._actor)

    async def _write_last(self) -> None:
        """Write what came back, and forget what has not left: the ledger has it."""
        self._plan.clear(now=time.monotonic())
        await asyncio.to_thread(self._ledger.tick, settled=self._hands.take_settled())

    async def _give_up(self) -> bool:
        await self._write_last()
        await asyncio.to_thread(self._ledger.give_chunks_back)
        if self._hands.broken is not None:
            raise self._hands.broken
        if not self._hands.hopeless:
            raise SendInterruptedError(
                "told to end: the next try goes on", delivery=self._delivery.id
            )
        raise RefusedError(
            "the gateway refuses every message: mend its connection, the next try goes on",
            gateway=self._hands.hopeless_gateway,
            code=self._hands.hopeless,
        )

    def _is_ending(self) -> bool:
        return bool(self._hands.hopeless or self._hands.broken or self._is_interrupted())

    def _lead_s(self) -> float:
        """How long before its moment a message is marked, so that it can leave in time."""
        return min(0.5, 0.01 + 2 * (self._tick_took_s + self._settings.tick_s))

    def _width(self) -> int:
        """How many messages may be marked at once: no more than the gateway gets through."""
        flying = max(one.connections * one.max_batch for one in self._outlets)
        if any(one.max_batch > 1 for one in self._outlets):
            flying *= 2  # the next requests are whole when the first ones come back
        queued = math.ceil(self._rate * 3 * (self._tick_took_s + self._settings.tick_s))
        least = max(one.max_batch for one in self._outlets)
        return max(least, min(flying + queued, self._settings.most_open))

    def _count_rate(self, settled: int, now: float) -> None:
        passed_s = max(now - self._counted_at, 1e-3)
        self._counted_at = now
        self._rate += _SMOOTHING * (settled / passed_s - self._rate)

    def _pause_s(self) -> float:
        """Seconds to the next tick: short while messages flow, longer with nothing to do."""
        if not self._standing.may_send:
            return self._settings.idle_tick_s
        if self._hands.is_busy or self._hands.has_settled:
            return self._settings.tick_s
        now = time.monotonic()
        waits = [one.backoff.left_s(now) for one in self._outlets]
        if self._plan.is_empty:
            return self._settings.tick_s if not self._found_no_chunk else self._idle_s()
        due_s = self._plan.next_due_s(now) or 0.0
        is_paced = any(one.pace.is_paced for one in self._outlets)
        least_s = self._settings.tick_s * (1 if is_paced else 5)
        return min(max(least_s, min(waits), due_s), self._settings.idle_tick_s)

    def _idle_s(self) -> float:
        # Others work on the rest: look now and then whether one of them was lost.
        return min(self._settings.idle_tick_s, 10 * self._settings.tick_s)

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told_at >= self._settings.progress_s:
            self._told_at = now
            self._on_progress(self._hands.counts())


def _end_of(standing: Standing) -> tuple[OutcomeKind, str] | None:
    """Say how what has not left ends: cancelled, expired, or None while it may still leave."""
    if standing.state is DeliveryState.STOPPED:
        return OutcomeKind.CANCELLED, "stopped"
    if standing.state is DeliveryState.SENDING and standing.expired:
        return OutcomeKind.EXPIRED, "validity_over"
    return None
