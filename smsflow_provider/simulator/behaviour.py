"""How the simulator behaves: one frozen value, settable by flags and at run time."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from operator import attrgetter
from typing import Self

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.settings import read_values, setting
from smsflow_provider.core.gateways.simulator import Family


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What the simulator does with what it gets. Shares are between 0 and 1."""

    #: The kind of gateway it plays; see `Family`.
    family: str = setting(
        Family.BATCH.value,
        label="Family",
        description="The kind of gateway to play",
        choices=tuple(family.value for family in Family),
    )
    #: Seconds before each answer.
    latency_s: float = setting(
        0.0, label="Latency", description="Seconds before each answer", minimum=0, maximum=600
    )
    #: Of the messages taken, the share whose last receipt says delivered; the others' says
    #: undelivered.
    delivered_share: float = setting(
        0.95, label="Delivered", description="Share of messages delivered", minimum=0, maximum=1
    )
    #: Of the messages taken, the share that never gets a receipt.
    silent_share: float = setting(
        0.0, label="Silent", description="Share without any receipt", minimum=0, maximum=1
    )
    #: Of the receipts, the share that is sent twice.
    repeated_share: float = setting(
        0.0, label="Repeated", description="Share of receipts sent twice", minimum=0, maximum=1
    )
    #: Report "accepted" too, at once, before the last receipt.
    reports_accepted: bool = setting(
        False, label="Report accepted", description="Send a receipt 'accepted' first"
    )
    #: Report each part of a text of several parts by itself.
    reports_parts: bool = setting(
        False, label="Report parts", description="Send a receipt for each part"
    )
    #: Of the messages, the share whose receipts come before the answer to their request.
    early_share: float = setting(
        0.0, label="Early", description="Share reported before the answer", minimum=0, maximum=1
    )
    #: Of the messages with several receipts, the share whose receipts come the other way round.
    shuffled_share: float = setting(
        0.0, label="Shuffled", description="Share reported in reverse order", minimum=0, maximum=1
    )
    #: Receipts come after a time drawn evenly between these two; seconds.
    receipt_delay_min_s: float = setting(
        0.1, label="Shortest delay", description="Seconds to a receipt", minimum=0, maximum=86400
    )
    receipt_delay_max_s: float = setting(
        1.0, label="Longest delay", description="Seconds to a receipt", minimum=0, maximum=86400
    )
    #: Of the messages, the share that is refused.
    refused_share: float = setting(
        0.0, label="Refused", description="Share of messages refused", minimum=0, maximum=1
    )
    #: Numbers that end in one of these digits are refused; empty: none.
    refused_digits: str = setting(
        "", label="Refused digits", description="Refuse numbers that end in one of these"
    )
    #: Of the requests, the share whose messages are taken but never answered.
    lost_share: float = setting(
        0.0,
        label="Lost answers",
        description="Share of requests without answer",
        minimum=0,
        maximum=1,
    )
    #: How an answer is lost: the connection is reset, closed, or left open in silence.
    lost_how: str = setting(
        "reset",
        label="Lost how",
        description="What becomes of an unanswered request",
        choices=("reset", "close", "silence"),
    )
    #: Of the requests, the share that is answered with a 503 although the messages are taken.
    failing_share: float = setting(
        0.0, label="Failing", description="Share answered 503 though taken", minimum=0, maximum=1
    )
    #: Messages taken in any second; more are answered with 429. 0: no limit.
    messages_per_s: int = setting(
        0, label="Rate", description="Messages a second before a 429", minimum=0, maximum=1_000_000
    )
    #: Parts taken in any second; more are answered with 429. 0: no limit.
    parts_per_s: int = setting(
        0, label="Parts", description="Parts a second before a 429", minimum=0, maximum=1_000_000
    )
    #: A message shows in answers to questions this many seconds after it was taken. The dialect
    #: believes "not found" after 2 seconds: longer than that and the simulator lies.
    lookup_delay_s: float = setting(
        0.0, label="Late look-up", description="Seconds until found", minimum=0, maximum=86400
    )
    #: Of the questions about messages, the share that is answered with a 503.
    lookup_failing_share: float = setting(
        0.0, label="Failing look-ups", description="Share answered 503", minimum=0, maximum=1
    )
    #: Ids are forgotten, for questions and as duplicates, after this many seconds.
    remembers_s: float = setting(
        172_800.0, label="Memory", description="Seconds ids are known", minimum=0, maximum=8_640_000
    )

    @classmethod
    def from_mapping(cls, given: Mapping[str, object]) -> Self:
        """
        Read a behaviour; what is not given has its default.

        Raises:
            UnknownSettingError: Names nobody knows, with their near names.
            ConfigError: Values that cannot be; ``facts["problems"]`` lists them all.
        """
        return cls().changed(given)

    def changed(self, given: Mapping[str, object]) -> Self:
        """Read *given* over this behaviour; raises like `from_mapping`."""
        problems: list[str] = []
        changed = replace(self, **read_values(type(self), given, problems=problems))
        if changed.receipt_delay_min_s > changed.receipt_delay_max_s:
            problems.append("receipt_delay_min_s: must not be more than receipt_delay_max_s")
        if changed.refused_digits and not _are_digits(changed.refused_digits):
            problems.append("refused_digits: must hold digits 0 to 9 only")
        if problems:
            raise ConfigError("this behaviour cannot be", problems=problems)
        return changed

    def as_dict(self) -> dict[str, object]:
        """Give all settings by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One receipt to come."""

    #: Seconds from now.
    delay_s: float
    #: ``accepted``, ``delivered`` or ``undelivered``.
    says: str
    #: Of a report about one part: which, from 1, and of how many. 0: the whole message.
    part: int = 0
    parts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of one message."""

    is_refused: bool
    #: The receipts to come, in the order of sending.
    receipts: tuple[Report, ...]
    #: They come before the answer to the request.
    is_early: bool = False


class Dice:
    """
    Draws fates from a seed.

    The draw for a message depends on the seed, its id and how often it came, never on the
    order of requests: the same run gives the same fates, however it is interleaved.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def fate_of(
        self, message_id: str, *, to: str, time: int, behaviour: Behaviour, parts: int = 1
    ) -> Fate:
        """Draw the fate of a message that came for the *time*-th time."""
        draw = self._draw("message", message_id, time)
        refused = draw.random() < behaviour.refused_share
        if refused or to.endswith(tuple(behaviour.refused_digits)):
            return Fate(is_refused=True, receipts=())
        receipts = _receipts(draw, behaviour, parts=parts)
        is_early = draw.random() < behaviour.early_share
        return Fate(is_refused=False, receipts=receipts, is_early=is_early)

    def answer_of(self, message_id: str, *, time: int, behaviour: Behaviour) -> str:
        """Draw what becomes of the answer to a request: ``whole``, ``lost`` or ``failed``."""
        draw = self._draw("answer", message_id, time)
        if draw.random() < behaviour.lost_share:
            return "lost"
        return "failed" if draw.random() < behaviour.failing_share else "whole"

    def fails_question(self, time: int, *, behaviour: Behaviour) -> bool:
        """Draw whether the *time*-th question about messages is answered with a failure."""
        return self._draw("question", "", time).random() < behaviour.lookup_failing_share

    def _draw(self, what: str, message_id: str, time: int) -> random.Random:
        return random.Random(f"{self._seed}/{what}/{message_id}/{time}")  # noqa: S311  a game


def _receipts(draw: random.Random, behaviour: Behaviour, *, parts: int) -> tuple[Report, ...]:
    if draw.random() < behaviour.silent_share:
        return ()
    each = range(1, parts + 1) if behaviour.reports_parts and parts > 1 else (0,)
    last = [_last(draw, behaviour, part=part, parts=parts if part else 0) for part in each]
    first = [Report(delay_s=0.0, says="accepted")] if behaviour.reports_accepted else []
    again = [one for one in last if draw.random() < behaviour.repeated_share]
    whole = [*first, *last, *again]
    if draw.random() < behaviour.shuffled_share:
        times = sorted((one.delay_s for one in whole), reverse=True)
        whole = [replace(one, delay_s=at) for one, at in zip(whole, times, strict=True)]
    return tuple(sorted(whole, key=attrgetter("delay_s")))


def _last(draw: random.Random, behaviour: Behaviour, *, part: int, parts: int) -> Report:
    says = "delivered" if draw.random() < behaviour.delivered_share else "undelivered"
    delay_s = draw.uniform(behaviour.receipt_delay_min_s, behaviour.receipt_delay_max_s)
    return Report(delay_s=delay_s, says=says, part=part, parts=parts)


def _are_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
