"""A gateway that records what it is handed and answers as told."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from smsflow_provider.core.errors import GatewayError, NotSentError
from smsflow_provider.core.gateways.base import Dialect, HttpRequest, HttpResponse
from smsflow_provider.core.gateways.http import outcome_of
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.model import Message, Outcome, OutcomeKind

#: What a script may say of a message: a kind, a whole outcome, or an error of the request.
Play = OutcomeKind | Outcome | GatewayError


class RecordingGateway:
    """
    Stands in for a gateway: records each hand-over, in order, and plays a script.

    Args:
        script: What becomes of the next hand-overs, one entry a message; when it has run
            out, every message is accepted.
        by_id: What always becomes of a message with this id; goes before the script.
        delay_s: Seconds each request takes.
        before: Called with each batch when it is handed over, before anything is answered;
            what it raises, `send` raises. For stopping the world at that moment.
        dialect: Whose limits and features it has; None: those of the simulator.
        pause: How time passes.
    """

    def __init__(
        self,
        script: Iterable[Play] = (),
        *,
        by_id: Mapping[str, Play] | None = None,
        delay_s: float = 0.0,
        before: Callable[[Sequence[Message]], None] | None = None,
        dialect: Dialect | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._script = iter(script)
        self._by_id = by_id or {}
        self._delay_s = delay_s
        self._before = before
        self._dialect = dialect or SimulatorDialect(SimulatorSettings(base_url="http://fake"))
        self._pause = pause
        self._busy = 0
        #: Every batch handed over, in order.
        self.batches: list[list[Message]] = []
        #: The most requests that were under way at once.
        self.busiest = 0

    @property
    def dialect(self) -> Dialect:
        """The dialect whose limits it has."""
        return self._dialect

    @property
    def messages(self) -> list[Message]:
        """Every message handed over, in order, repeated ones included."""
        return [message for batch in self.batches for message in batch]

    def repeated(self) -> list[str]:
        """Name the messages that were handed over more than once."""
        counts = Counter(message.id for message in self.messages)
        return sorted(message_id for message_id, count in counts.items() if count > 1)

    async def send(self, batch: Sequence[Message]) -> list[Outcome]:
        """Record *batch* and answer from the script."""
        self.batches.append(list(batch))
        if self._before is not None:
            self._before(batch)
        self._busy += 1
        self.busiest = max(self.busiest, self._busy)
        try:
            await self._pause(self._delay_s)
        finally:
            self._busy -= 1
        return [self._outcome(message) for message in batch]

    async def ask(self, request: HttpRequest) -> HttpResponse:
        """
        Answer no question: it is a gateway that cannot be asked.

        Raises:
            NotSentError: Always.
        """
        raise NotSentError("this gateway cannot be asked", method=request.method)

    def _outcome(self, message: Message) -> Outcome:
        play = self._by_id.get(message.id)
        if play is None:
            play = next(self._script, OutcomeKind.ACCEPTED)
        if isinstance(play, GatewayError):
            return outcome_of(play, message_id=message.id)
        if isinstance(play, Outcome):
            return play
        return Outcome(message_id=message.id, kind=play)
