"""
End the doubt about messages by asking the gateway what became of them.

"Not taken" sends a message again, so it is believed only from a gateway that was asked late enough
after the hand-over, and that says it twice: one that had been frozen may answer a question before
it reads a request that has waited for as long. And only from one that knows a message which it
certainly took: a look-up at the wrong account finds nothing at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol, runtime_checkable

from smsflow_provider.core.delivery.questions import Turns
from smsflow_provider.core.delivery.reconciled import Patience, Reconciled
from smsflow_provider.core.delivery.unknown import message_id_of_doubt, routes_of
from smsflow_provider.core.errors import GatewayError, MaybeSentError, NotSentError, SmsflowError
from smsflow_provider.core.gateways.base import (
    Asked,
    Dialect,
    Feature,
    Found,
    Gateway,
    Known,
    LookUp,
)
from smsflow_provider.core.model import Message
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.doubts import (
    Doubt,
    Ended,
    Ending,
    doubtful_deliveries,
    end_doubts,
    read_doubts,
    read_witness,
)
from smsflow_provider.core.store.receipts import ReceivedReceipt

#: Code of a message whose sender was lost: that sender may be frozen, and wake up.
_SENDER_LOST: Final = "sender_lost"
#: What a dialect raises that breaks its word. Its question has no answer then; the send goes on.
_BROKEN: Final = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError)
#: Seconds: longer than anything is kept.
_NEVER_S: Final = 1e8
#: Questions in a row without an answer after which a gateway is left alone.
_MOST_FAILURES: Final = 3

Sleep = Callable[[float], Awaitable[None]]


@runtime_checkable
class Forgetful(Protocol):
    """A gateway that can be asked, but not for ever."""

    @property
    def lookup_until_s(self) -> float:
        """Seconds after the hand-over until which "not taken" means that."""
        ...


def can_be_asked(dialect: Dialect) -> bool:
    """Say whether a gateway can be asked what became of a message."""
    return Feature.LOOKUP in dialect.features and isinstance(dialect, LookUp)


def again_is_safe(dialect: Dialect) -> bool:
    """
    Say whether a message in doubt may go again whatever became of it.

    The gateway refuses a second one with the same id; its dialect reads that as accepted.
    """
    return Feature.DUPLICATE_REFUSAL in dialect.features


async def reconcile_delivery(
    store: Store,
    delivery: Delivery,
    gateway: Gateway,
    *,
    route: int = 0,
    now: datetime | None = None,
    limit: int | None = None,
    patience: Patience | None = None,
    sleep: Sleep = asyncio.sleep,
) -> Reconciled:
    """
    Ask *gateway* about the messages of one delivery that it may have taken.

    Only outcomes that are ``unknown`` are doubts; what is marked and under way is not. Safe beside
    senders, receipts and another call of its own: a doubt ends once. Nothing is ever handed over.

    Args:
        route: Which of the delivery's gateways *gateway* is: 0 its own, 1 the one it fails over to.
        now: The caller's clock. It can make a "not taken" wait longer, never shorter: ages are
            measured by the store's.
        limit: Most messages to ask about, in the order of their positions. None: all.
        patience: How sure "not taken" must be; None: as by default.

    A gateway that says ``lookups_per_s`` is asked no more often than that, by all who ask it.

    Returns:
        Counts; all are 0 for a gateway that cannot be asked.
    """
    dialect = gateway.dialect
    if not isinstance(dialect, LookUp) or not can_be_asked(dialect):
        return Reconciled()
    conn_id = dict(enumerate(routes_of(delivery))).get(route, "")
    per_s = float(getattr(gateway, "lookups_per_s", 0.0))
    turns = Turns(store, conn_id, per_s=per_s, sleep=sleep)
    round_ = _Round(
        store,
        delivery,
        gateway,
        dialect,
        turns=turns,
        conn_id=conn_id,
        now=now,
        patience=patience or Patience(),
        sleep=sleep,
    )
    try:
        return await round_.run(route=route, limit=limit)
    finally:
        turns.close()


async def reconcile(
    store: Store,
    *,
    gateway_of: Callable[[str], AbstractAsyncContextManager[Gateway]],
    now: datetime | None = None,
    limit: int | None = None,
    patience: Patience | None = None,
    sleep: Sleep = asyncio.sleep,
) -> Reconciled:
    """
    Ask the gateways about the messages in doubt of all deliveries, the latest first.

    Args:
        gateway_of: Opens the gateway of a connection. An error of ours is noted in ``problems``,
            and the other gateways are asked all the same.
        limit: Most messages to ask about in all. None: all.

    See `reconcile_delivery` for the rest.
    """
    sum_ = Reconciled()
    for delivery_id, _ in await asyncio.to_thread(doubtful_deliveries, store):
        delivery = await asyncio.to_thread(find_delivery, store, delivery_id)
        for route, connection_id in enumerate(routes_of(delivery)):
            left = None if limit is None else limit - sum_.asked
            if left is not None and left <= 0:
                return sum_
            if not await asyncio.to_thread(read_doubts, store, delivery, route=route, limit=1):
                continue
            try:
                async with gateway_of(connection_id) as gateway:
                    found = await reconcile_delivery(
                        store,
                        delivery,
                        gateway,
                        route=route,
                        now=now,
                        limit=left,
                        patience=patience,
                        sleep=sleep,
                    )
            except SmsflowError as error:
                found = Reconciled(problems=(f"{connection_id}: {error.problem}",))
            sum_ = sum_.plus(found)
    return sum_


@dataclass(slots=True)
class _Tally:
    asked: int = 0
    taken: int = 0
    not_taken: int = 0
    waits: list[float] = field(default_factory=list)

    def sum(self) -> Reconciled:
        return Reconciled(
            asked=self.asked,
            taken=self.taken,
            not_taken=self.not_taken,
            unsure=self.asked - self.taken - self.not_taken,
            again_in_s=min(self.waits, default=None),
        )

    def add(self, ended: Ended) -> None:
        self.taken += ended.taken
        self.not_taken += ended.not_taken


class _Round:
    """One pass over the doubts of one delivery at one gateway."""

    def __init__(
        self,
        store: Store,
        delivery: Delivery,
        gateway: Gateway,
        dialect: LookUp,
        *,
        turns: Turns,
        conn_id: str,
        now: datetime | None,
        patience: Patience,
        sleep: Sleep,
    ) -> None:
        self._store = store
        self._delivery = delivery
        self._gateway = gateway
        self._dialect = dialect
        self._name = gateway.dialect.name
        self._named_by = conn_id if getattr(dialect, "reports_by_ref", False) else ""
        self._turns = turns
        self._now = now
        self._patience = patience
        self._sleep = sleep
        self._failures = 0
        self._tally = _Tally()

    async def run(self, *, route: int, limit: int | None) -> Reconciled:
        """Ask about each doubt once, and once more about those that were not taken."""
        denied: list[Doubt] = []
        async for page in self._pages(route=route, limit=limit):
            denied += await self._ask_first(page)
        if denied:
            await self._sleep(self._patience.confirm_s)
            denied = denied if await self._is_trusted(route) else []
        size = self._dialect.lookup_batch
        for start in range(0, len(denied), size):
            await self._ask_again(denied[start : start + size])
        return self._tally.sum()

    async def _pages(self, *, route: int, limit: int | None) -> AsyncIterator[list[Doubt]]:
        after, left = 0, limit
        while (left is None or left > 0) and self._failures < _MOST_FAILURES:
            size = (
                self._dialect.lookup_batch
                if left is None
                else min(left, self._dialect.lookup_batch)
            )
            page = await asyncio.to_thread(
                read_doubts, self._store, self._delivery, route=route, after=after, limit=size
            )
            if not page:
                return
            after = page[-1].position
            left = None if left is None else left - len(page)
            yield [one for one in page if not self._is_forgotten(one)]

    async def _ask_first(self, page: Sequence[Doubt]) -> list[Doubt]:
        """End what was taken. Returns what was not, as far as that can be believed."""
        self._tally.asked += len(page)
        found = await self._ask(page)
        await self._end(
            [
                _taken(one, found[one.position], self._delivery, self._name)
                for one in page
                if self._is(one, found, Known.TAKEN)
            ]
        )
        denied = [one for one in page if self._is(one, found, Known.NOT_TAKEN)]
        open_ = [one for one in page if not self._is(one, found, Known.TAKEN)]
        self._tally.waits += [rest for one in open_ if (rest := self._rest_s(one)) > 0]
        return [one for one in denied if self._rest_s(one) <= 0]

    async def _is_trusted(self, route: int) -> bool:
        """Ask about a message that the gateway took. False: it does not know that one."""
        until_s = _NEVER_S
        if isinstance(self._dialect, Forgetful):
            until_s = self._dialect.lookup_until_s
        witness = await asyncio.to_thread(
            read_witness,
            self._store,
            self._delivery,
            route=route,
            after_s=self._dialect.lookup_after_s,
            until_s=until_s,
        )
        if witness is None:
            return True
        failures = self._failures
        found = await self._ask([witness])
        return self._failures <= failures and not self._is(witness, found, Known.NOT_TAKEN)

    async def _ask_again(self, denied: Sequence[Doubt]) -> None:
        found = await self._ask(denied)
        await self._end(
            [
                _taken(one, found[one.position], self._delivery, self._name)
                for one in denied
                if self._is(one, found, Known.TAKEN)
            ]
            + [
                Ending(position=one.position, attempt=one.attempt, is_taken=False)
                for one in denied
                if self._is(one, found, Known.NOT_TAKEN)
            ]
        )

    @staticmethod
    def _is(doubt: Doubt, found: dict[int, Found], known: Known) -> bool:
        return doubt.position in found and found[doubt.position].known is known

    async def _ask(self, page: Sequence[Doubt]) -> dict[int, Found]:
        """Ask one question. What it tells, by position; nothing when it cannot be read."""
        if not page:
            return {}
        asked = {message_id_of_doubt(self._delivery, one): one for one in page}
        question = [
            Asked(message=_message_of(one, message_id), handed_over_at=one.marked_at)
            for message_id, one in asked.items()
        ]
        await self._turns.wait()
        try:
            answer = await self._gateway.ask(self._dialect.write_lookup(question))
            found = self._dialect.read_lookup(question, answer)
        except (GatewayError, *_BROKEN) as error:
            self._failures += 1
            if isinstance(error, NotSentError | MaybeSentError):
                self._tally.waits.append(self._patience.confirm_s)
            return {}
        self._failures = 0
        return {asked[one.message_id].position: one for one in found if one.message_id in asked}

    async def _end(self, endings: Sequence[Ending]) -> None:
        if endings:
            ended = await asyncio.to_thread(
                end_doubts,
                self._store,
                self._delivery,
                endings,
                named_by=self._named_by,
                is_by_likeness=bool(getattr(self._dialect, "finds_by_likeness", False)),
            )
            self._tally.add(ended)

    def _rest_s(self, doubt: Doubt) -> float:
        """Seconds until "not taken" can be believed; 0 or less: it can."""
        needed = self._dialect.lookup_after_s
        if doubt.code == _SENDER_LOST:
            needed += self._patience.lost_sender_s
        return needed - self._age_s(doubt)

    def _age_s(self, doubt: Doubt) -> float:
        """Seconds since anything of this attempt was done: by the store's clock, or less."""
        read_at = doubt.read_at if self._now is None else min(doubt.read_at, self._now)
        return (read_at - max(doubt.marked_at, doubt.settled_at)).total_seconds()

    def _is_forgotten(self, doubt: Doubt) -> bool:
        if not isinstance(self._dialect, Forgetful):
            return False
        since = (doubt.read_at - doubt.marked_at).total_seconds()
        return since >= self._dialect.lookup_until_s


def _taken(doubt: Doubt, found: Found, delivery: Delivery, conn_type: str) -> Ending:
    receipt = found.receipt
    return Ending(
        position=doubt.position,
        attempt=doubt.attempt,
        is_taken=True,
        gateway_ref=found.gateway_ref[:128],
        receipt=None
        if receipt is None
        else ReceivedReceipt(
            message_id=message_id_of_doubt(delivery, doubt),
            kind=receipt.kind,
            code=receipt.code[:64],
            gateway_ref=(receipt.gateway_ref or found.gateway_ref)[:128],
            received_at=doubt.read_at,
            conn_type=conn_type,
        ),
    )


def _message_of(doubt: Doubt, message_id: str) -> Message:
    return Message(
        id=message_id,
        to=f"+{doubt.phone}",
        sender=doubt.sender,
        body=doubt.body,
        encoding=doubt.encoding,
        parts=doubt.parts,
    )
