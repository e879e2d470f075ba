"""The gateway itself, without HTTP: takes messages, reports on them, answers questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.simulator import Family
from smsflow_provider.simulator.behaviour import Behaviour, Dice, Report
from smsflow_provider.simulator.desk import DueReceipt, ReceiptDesk
from smsflow_provider.simulator.inbox import Inbox, SubmittedMessage, Taken
from smsflow_provider.simulator.reports import Register, Reports, as_said
from smsflow_provider.simulator.throttle import Peaks, Throttle

_COUNTED = ("requests", "throttled", "lost_answers", "failed_answers", "duplicates_refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the answer to a batch says, and what is reported before it."""

    rows: list[dict[str, Any]]
    early: list[DueReceipt]


class Carrier:
    """
    A gateway of one family, all in memory.

    Args:
        behaviour: How it behaves; may be replaced at any time.
        seed: Of what is left to chance.
        now: The clock that people read.
        time_s: One that never runs backwards.
    """

    def __init__(
        self,
        behaviour: Behaviour,
        *,
        seed: int,
        now: Callable[[], datetime],
        time_s: Callable[[], float],
    ) -> None:
        self.behaviour = behaviour
        self.inbox = Inbox()
        self.dice = Dice(seed)
        self._now = now
        self._time_s = time_s
        self._desk: ReceiptDesk | None = None
        self._start()

    def _start(self) -> None:
        self.tally: Counter[str] = Counter()
        self.reports = Reports()
        self._peaks, self._register = Peaks(), Register()
        self._by_message, self._by_part = Throttle(), Throttle()

    def open(self, desk: ReceiptDesk) -> None:
        """Begin to report, by *desk*."""
        self._desk = desk

    @property
    def desk(self) -> ReceiptDesk:
        """The desk that reports."""
        if self._desk is None:
            raise ConfigError("the simulator is not running")
        return self._desk

    @property
    def family(self) -> Family:
        """The family it plays now."""
        return Family(self.behaviour.family)

    def forget(self) -> None:
        """Forget messages, receipts to come and counts; the behaviour and the numbers stay."""
        self.inbox.clear()
        self.desk.clear()
        self._start()

    def counts(self) -> dict[str, int]:
        """Count everything."""
        own = {name: self.tally[name] for name in (*_COUNTED, "questions", "replies")}
        return {**self.inbox.counts(), **own, **self.desk.counts()}

    def rate(self) -> dict[str, object]:
        """Tell the most parts that came in any sliding second, those turned away included."""
        return {"parts": self._peaks.as_dict()}

    def turned_away_s(self, batch: Sequence[SubmittedMessage]) -> float:
        """Ask to take *batch*. 0: it may be taken; else the seconds after which it may."""
        self.tally["requests"] += 1
        now_s, behaviour = self._time_s(), self.behaviour
        parts: Counter[str] = Counter()
        for message in batch:
            parts[message.sender] += message.parts
        self._peaks.note(parts, now_s=now_s)
        wait_s = max(
            self._by_message.left_s(len(batch), limit=behaviour.messages_per_s, now_s=now_s),
            self._by_part.left_s(parts.total(), limit=behaviour.parts_per_s, now_s=now_s),
        )
        if wait_s > 0:
            self.tally["throttled"] += 1
            return wait_s
        self._by_message.note(len(batch), now_s=now_s)
        self._by_part.note(parts.total(), now_s=now_s)
        return 0.0

    def take(self, batch: Sequence[SubmittedMessage]) -> Answer:
        """Take *batch*, message by message."""
        early: list[DueReceipt] = []
        rows = [self._take_one(message, early=early) for message in batch]
        return Answer(rows=rows, early=early)

    def _take_one(self, message: SubmittedMessage, *, early: list[DueReceipt]) -> dict[str, Any]:
        known = self._known_duplicate(message.id)
        if known is not None:
            self.tally["duplicates_refused"] += 1
            return {"id": message.id, "status": "duplicate", "code": "duplicate", "ref": known.ref}
        fate = self.dice.fate_of(
            message.id,
            to=message.to,
            time=self.inbox.times(message.id),
            behaviour=self.behaviour,
            parts=message.parts,
        )
        status = "refused" if fate.is_refused else "accepted"
        taken = self.inbox.put(message, status=status, taken_at=self._now().isoformat())
        self._register.put(taken, now_s=self._time_s())
        for one in fate.receipts:
            receipt = self._receipt(taken, one)
            if fate.is_early:
                early.append(receipt)
            else:
                self.desk.put(receipt, delay_s=one.delay_s)
        code = "number_denied" if fate.is_refused else ""
        row = {"id": message.id, "status": status, "code": code, "ref": taken.ref}
        return as_said(self.family, row, in_answer=True)

    def _known_duplicate(self, message_id: str) -> Taken | None:
        if self.family is not Family.OWN_IDS:
            return None
        found = self._find(message_id)
        return found if found and found.status == "accepted" else None

    def _find(self, message_id: str, *, after_s: float = 0.0) -> Taken | None:
        remembers_s = self.behaviour.remembers_s
        now_s = self._time_s()
        return self._register.find(
            message_id, now_s=now_s, remembers_s=remembers_s, after_s=after_s
        )

    def _receipt(self, taken: Taken, report: Report) -> DueReceipt:
        code = "absent_subscriber" if report.says == "undelivered" else ""
        message_id = taken.message.id
        row: dict[str, Any] = {"id": message_id, "status": report.says, "code": code}
        row["ref"] = taken.ref
        if report.part:
            row |= {"part": report.part, "parts": report.parts}
        return DueReceipt(url=taken.message.callback_url or "", body=row)

    def note_due(self, receipt: DueReceipt) -> None:
        """Keep a receipt that is due, for polls and questions."""
        if "status" in receipt.body:
            self.reports.put(receipt.body)

    def said_in(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Write the body of a call as the family does. Replies are the same everywhere."""
        return as_said(self.family, body) if "status" in body else dict(body)

    def look_up(self, message_id: str) -> dict[str, Any]:
        """Tell what is known of one id: accepted (with its report), refused or not found."""
        found = self._find(message_id, after_s=self.behaviour.lookup_delay_s)
        if found is None:
            return {"id": message_id, "status": "not_found"}
        report = self.reports.last_of(found.ref)
        return {"id": message_id, "status": found.status, "ref": found.ref, "report": report}

    def poll(self, *, after: int, limit: int) -> dict[str, Any]:
        """List receipts after a number, as the family writes them."""
        page = self.reports.page(after=after, limit=limit)
        following = page[-1]["number"] if page else after
        rows = [self.said_in(row) for row in page]
        return {"receipts": rows, "next": following, "more": len(page) == limit}

    def reply(self, given: Mapping[str, Any]) -> dict[str, str]:
        """
        Call an address as if a person had written back.

        Args:
            given: ``url``, ``from``, ``to``, ``text``, and ``ref`` to repeat one.

        Raises:
            ConfigError: Something is missing or nobody knows it; names only.
        """
        wanted = {"url", "from", "to", "text"}
        wrong = sorted((wanted - set(given)) | (set(given) - wanted - {"ref"}))
        wrong += [name for name, value in given.items() if not isinstance(value, str)]
        if wrong:
            raise ConfigError("a reply has url, from, to and text, all texts", wrong=wrong)
        self.tally["replies"] += 1
        ref = given.get("ref") or f"reply-{self.tally['replies']}"
        body = {"type": "reply", "ref": ref, **{n: given[n] for n in ("from", "to", "text")}}
        self.desk.put(DueReceipt(url=given["url"], body=body), delay_s=0.0)
        return {"ref": ref}
