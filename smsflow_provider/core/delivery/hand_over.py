"""Handing marked messages over, once each, at their moment, and taking what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import attrgetter
from typing import Final, TypeVar, cast

from smsflow_provider.core.delivery.backoff import own_wait_s
from smsflow_provider.core.delivery.broken_word import without_words
from smsflow_provider.core.delivery.outlet import Outlet, Planned
from smsflow_provider.core.delivery.plan import Plan
from smsflow_provider.core.gateways.deadline import LeavingBy
from smsflow_provider.core.gateways.status import NOT_REACHED_CODES, is_hopeless
from smsflow_provider.core.model import Encoding, Message, Outcome, OutcomeKind, message_id_of
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.ledger_rows import Settled, Taken

_T = TypeVar("_T")
_ENCODINGS = {encoding.value: encoding for encoding in Encoding}
#: Make them of their values, in their order: one is made for each message, and by name it would
#: take twice as long.
_MESSAGE: Final = cast("Callable[[tuple[object, ...]], Message]", partial(tuple.__new__, Message))
_SETTLED: Final = cast("Callable[[tuple[object, ...]], Settled]", partial(tuple.__new__, Settled))
#: Of the time in which a message may leave late: how far apart those of one request may be.
_APART: Final = 0.8
#: Messages that are written without letting another thread in, and for how many seconds it is let
#: in then: less than a millisecond would be nothing to the event loop.
_SLICE: Final = 400
_LET_IN_S: Final = 0.001


class HandOver:
    """
    What is under way of one worker. Lives on one event loop.

    Args:
        allowed: E.164 digits that may be texted at all. None: everybody.
        fresh_s: Seconds after the tick in which they were marked began that messages may leave.
            Later another worker may have taken over, and asked the gateway what became of them.
    """

    def __init__(
        self,
        delivery: Delivery,
        plan: Plan,
        *,
        allowed: frozenset[int] | None,
        fresh_s: float,
    ) -> None:
        self._fresh_s = fresh_s
        self._parts_back = 0
        self._delivery = delivery
        self._of_ids = delivery.no, delivery.preparation
        self._plan = plan
        self._allowed = allowed
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = 0
        self._settled: list[Settled] = []
        self._counts: dict[OutcomeKind, int] = dict.fromkeys(OutcomeKind, 0)
        self._chores: list[Callable[[], None]] = []
        self._back = asyncio.Event()
        #: Enough came back for a tick, and it has not begun.
        self._is_tick_due = False
        self._enough = 1
        #: Marks so far.
        self.marked = 0
        #: Until when what is marked may leave, on the monotonic clock. A look that is old says
        #: nothing: somebody may have stopped the delivery since.
        self.leaves_until = 0.0
        #: The code for which a gateway refuses every message; empty: none does.
        self.hopeless = ""
        self.hopeless_gateway = ""
        self.broken: Exception | None = None

    @property
    def is_busy(self) -> bool:
        """Whether anything is marked and has not come back."""
        return self._open > 0

    @property
    def has_settled(self) -> bool:
        """Whether results wait to be written."""
        return bool(self._settled)

    def counts(self) -> dict[str, int]:
        """Give what came back so far, by kind."""
        return {kind.value: count for kind, count in self._counts.items()}

    def count(self, kinds: Iterable[OutcomeKind]) -> None:
        """Count what was settled without a hand-over."""
        for kind in kinds:
            self._counts[kind] += 1

    def take_settled(self) -> list[Settled]:
        """Take the results that are to be written."""
        settled, self._settled = self._settled, []
        self._is_tick_due = False
        return settled

    def take_chores(self) -> list[Callable[[], None]]:
        """Take what the next tick does in its thread."""
        chores, self._chores = self._chores, []
        return chores

    def take_parts_back(self) -> int:
        """Take the parts of messages that were counted as leaving, and did not."""
        parts, self._parts_back = self._parts_back, 0
        return parts

    def take(self, marked: Sequence[Planned], *, ticked_at: float) -> None:
        """
        Take messages whose marks are committed: each leaves at its moment.

        Args:
            ticked_at: When the tick that marked them began, on the monotonic clock.
        """
        self._open += len(marked)
        self.marked += len(marked)
        for one in marked:
            one.leave_by = ticked_at + self._fresh_s
        now = time.monotonic()
        for outlet in dict.fromkeys(one.outlet for one in marked):
            own = [one for one in marked if one.outlet is outlet]
            outlet.ready.extend(_batches_of(own, now=now))
            self._pump(outlet)

    def _pump(self, outlet: Outlet) -> None:
        """Use every free connection of *outlet*."""
        while outlet.ready and outlet.busy < outlet.connections:
            outlet.busy += 1
            task = asyncio.create_task(self._send_ready(outlet, outlet.ready.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send_ready(self, outlet: Outlet, batch: Sequence[Planned]) -> None:
        """Send *batch*, and what is ready behind it: a task for each would cost more than that."""
        while True:
            await self._send(outlet, batch)
            if not outlet.ready:
                break
            if self._is_tick_due:  # a gateway that answers at once would keep the loop from it
                await asyncio.sleep(0)
                if not outlet.ready:
                    break
            batch = outlet.ready.popleft()
        outlet.busy -= 1

    async def _send(self, outlet: Outlet, batch: Sequence[Planned]) -> None:
        now = time.monotonic()
        if batch[-1].at > now:
            await asyncio.sleep(batch[-1].at - now)
            now = time.monotonic()
        leave_by = min(batch[0].at + outlet.pace.late_s, batch[0].leave_by, self.leaves_until)
        leaving = self._chosen(outlet, batch, is_late=now > leave_by, now=now)
        if leaving:
            with LeavingBy(leave_by):
                outcomes = await self._outcomes(outlet, leaving)
            self._note(outlet, outcomes)
            self._take_outcomes(outlet, leaving, outcomes)
        outlet.open -= len(batch)
        self._open -= len(batch)
        if len(self._settled) >= self._enough or not self._open:
            self._is_tick_due = not self._back.is_set()
            self._back.set()

    def _chosen(
        self, outlet: Outlet, batch: Sequence[Planned], *, is_late: bool, now: float
    ) -> Sequence[Planned]:
        """Settle what must not leave now, and give the rest."""
        trusted = outlet.breaker.room(now)
        is_held = is_late or (trusted is not None and trusted < len(batch))
        if self._allowed is None and not is_held:
            return batch
        leaving = []
        for one in batch:
            if self._allowed is not None and one.taken.phone not in self._allowed:
                self._settle(outlet, one.taken, OutcomeKind.CANCELLED, code="not_on_allow_list")
            elif is_held:
                self._put_back(outlet, one.taken)
            else:
                leaving.append(one)
        return leaving

    async def _outcomes(self, outlet: Outlet, batch: Sequence[Planned]) -> list[Outcome]:
        """Hand over, once. A gateway that breaks its word leaves doubt, and ends the send."""
        messages = [one.message or self._message_of(one) for one in batch]
        try:
            outcomes = await outlet.gateway.send(messages)
            if len(outcomes) != len(messages):
                raise ValueError("a gateway must answer for each message")
        except Exception as error:  # noqa: BLE001  told when all is settled
            self.broken = without_words(error)
            return [
                Outcome(message_id=one.id, kind=OutcomeKind.UNKNOWN, code="sender_failed")
                for one in messages
            ]
        return outcomes

    def _note(self, outlet: Outlet, outcomes: Sequence[Outcome]) -> None:
        """Tell the circuit what became of one request: a lost answer is one, however many ride."""
        now = time.monotonic()
        if len(outcomes) == 1:
            (one,) = outcomes
            outlet.breaker.note(one.kind, code=one.code, is_own=one.is_own, now=now)
            return
        seen = {(str(one.kind), one.code, one.is_own): one.kind for one in outcomes}
        for (_, code, is_own), kind in sorted(seen.items()):
            outlet.breaker.note(kind, code=code, is_own=is_own, now=now)

    def _take_outcomes(
        self, outlet: Outlet, leaving: Sequence[Planned], outcomes: Sequence[Outcome]
    ) -> None:
        accepted, route = OutcomeKind.ACCEPTED, outlet.route
        count = parts = 0
        for planned, outcome in zip(leaving, outcomes, strict=True):
            taken = planned.taken
            if outcome.kind is not accepted:
                self._take_outcome(outlet, taken, outcome)
                continue
            count += 1
            parts += taken.parts
            code, ref = outcome.code[:64], outcome.gateway_ref[:128]
            self._settled.append(
                _SETTLED((taken.position, taken.attempt, accepted, code, ref, True, route))
            )
        if count:  # told once for all of them: that is what most messages come to
            self._counts[accepted] += count
            outlet.backoff.accepted()
            outlet.pace.accepted(parts)

    def _take_outcome(self, outlet: Outlet, taken: Taken, outcome: Outcome) -> None:
        kind = outcome.kind
        if kind is OutcomeKind.FAILED and is_hopeless(outcome.code):
            # The connection is wrong, not this message: the next one would meet the same.
            self.hopeless, self.hopeless_gateway = outcome.code, outlet.conn_id
            kind = OutcomeKind.NOT_SENT
        if kind is OutcomeKind.NOT_SENT:
            self._plan_again(outlet, taken, outcome, now=time.monotonic())
        else:
            outlet.backoff.accepted()
        self._settle(outlet, taken, kind, code=outcome.code, gateway_ref=outcome.gateway_ref)

    def _plan_again(self, outlet: Outlet, taken: Taken, outcome: Outcome, *, now: float) -> None:
        due = now
        if outcome.is_own:
            due += own_wait_s(taken.attempt, outcome.retry_after_s)
        else:
            outlet.backoff.refused(now, outcome.retry_after_s)
            if outcome.code not in NOT_REACHED_CODES and not self.hopeless:
                throttled = partial(
                    outlet.pace.throttled,
                    sender=taken.sender,
                    retry_after_s=outcome.retry_after_s,
                )
                self._chores.append(throttled)
        self._plan.add_again(taken.again(), due=due)

    def _put_back(self, outlet: Outlet, taken: Taken) -> None:
        """Let a marked message that may not leave any more go once more, with a new mark."""
        self._plan.add_again(taken.again(), due=time.monotonic())
        self._settle(outlet, taken, OutcomeKind.NOT_SENT, code="held_back")

    def _settle(
        self, outlet: Outlet, taken: Taken, kind: OutcomeKind, *, code: str, gateway_ref: str = ""
    ) -> None:
        self._counts[kind] += 1
        if kind is OutcomeKind.NOT_SENT or kind is OutcomeKind.CANCELLED:  # certainly not left
            self._parts_back += taken.parts
        reference = gateway_ref[:128]
        self._settled.append(
            Settled(taken.position, taken.attempt, kind, code[:64], reference, route=outlet.route)
        )

    def _message_of(self, planned: Planned) -> Message:
        taken = planned.taken
        message_id = message_id_of(*self._of_ids, taken.position)
        return _MESSAGE(
            (
                message_id,
                f"+{taken.phone}",
                taken.sender,
                taken.body,
                _ENCODINGS[taken.encoding],
                taken.parts,
                self._delivery.expires_at,
                planned.outlet.callback_url_of(message_id),
            )
        )

    async def write_during(self, work: Callable[[], _T], due: Sequence[Planned]) -> _T:
        """
        Do *work* in a thread, and write the messages of *due* meanwhile; gives what it returns.

        What is not written when *work* is done is written when it leaves. Its thread needs the
        interpreter too: it is let in between some messages and the next.
        """
        working = asyncio.get_running_loop().run_in_executor(None, work)
        try:
            for place in range(0, len(due), _SLICE):
                if place:
                    await asyncio.sleep(_LET_IN_S)
                if working.done():
                    break
                for one in due[place : place + _SLICE]:
                    one.message = self._message_of(one)
        finally:  # whatever happens: the store is in use until then
            await asyncio.wait({working})
        return working.result()

    async def wait(self, pause_s: float, *, enough: int) -> None:
        """Wait *pause_s*, or less: until *enough* came back, or everything."""
        self._enough = max(1, enough)
        if len(self._settled) >= self._enough or (self._settled and not self._open):
            await asyncio.sleep(0)
            return
        self._back.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._back.wait()

    async def abandon(self) -> None:
        """Give up what is under way: it stays in doubt."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _batches_of(marked: Sequence[Planned], *, now: float) -> list[list[Planned]]:
    """Group messages of one outlet into requests: none leaves before its moment, nor too late."""
    outlet = marked[0].outlet
    ordered = sorted(marked, key=attrgetter("at"))
    if ordered[-1].at <= now:
        size = outlet.max_batch
        return [ordered[place : place + size] for place in range(0, len(ordered), size)]
    apart_s = outlet.pace.late_s * _APART
    batches: list[list[Planned]] = []
    for one in ordered:
        last = batches[-1] if batches else []
        if last and len(last) < outlet.max_batch and one.at - max(last[0].at, now) <= apart_s:
            last.append(one)
        else:
            batches.append([one])
    return batches
