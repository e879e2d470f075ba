"""
What can be concluded from Twilio's list of the messages to one number.

The list carries no reference of ours, so a message is known by number, text, sender and time.
Two mistakes are possible. To call a message taken that was not loses one text. To call one not
taken that was texts somebody twice; so "not taken" needs all of this: the whole list in one
page, nothing in it to that number around the hand-over, whatever its text, nothing later with
that text, and a hand-over long enough ago. Everything in between is unsure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Self

from smsflow_provider.core.errors import MaybeSentError
from smsflow_provider.core.gateways.base import Asked, Found, Known
from smsflow_provider.core.gateways.twilio_status import SID, receipt_of

#: Seconds after which the list can be believed when it lacks a message. It follows with a lag:
#: users report a quarter of an hour (twilio-java 442) and "several hours at times" (twilio-node
#: 647), and the lag is longest when Twilio is ill, which is when messages fall into doubt.
#: Receipts settle most doubts long before.
BELIEVED_AFTER_S = 4 * 3600.0
#: Rows of a page, of at most 1,000. About 1 KB each: half of what an answer may be long.
PAGE_SIZE = 500

#: Twilio's clock and ours may differ, and a row's time is in whole seconds.
_SKEW = timedelta(seconds=60)
#: A row this much older cannot be the message, even with a clock that is badly wrong.
_BEFORE = timedelta(minutes=5)
#: No request is under way for longer.
_AFTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One message of the list, as far as it matters."""

    sid: str
    to: str
    sender: str
    service_sid: str
    body: str
    #: None: it cannot be read.
    created_at: datetime | None
    status: str
    code: str

    def is_outgoing_since(self, start: datetime) -> bool:
        return self.created_at is None or self.created_at >= start

    def is_before(self, end: datetime) -> bool:
        return self.created_at is None or self.created_at <= end


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Twilio's answer: outgoing messages, and whether they are all."""

    rows: tuple[_Row, ...]
    #: There is no further page.
    is_whole: bool

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """
        Read a page of the list.

        Raises:
            MaybeSentError: It is not one.
        """
        try:
            found = [_row_of(each) for each in answer["messages"] if not _is_incoming(each)]
        except (AttributeError, KeyError, TypeError, ValueError):
            found = None
        if found is None:
            raise MaybeSentError("an answer that cannot be read", code="garbage")
        is_last = "next_page_uri" in answer and not answer["next_page_uri"]
        return cls(rows=tuple(found), is_whole=is_last and len(found) < PAGE_SIZE)

    def find(self, asked: Asked, *, service_sid: str, now: datetime) -> Found:
        """
        Say what became of the message of *asked*.

        A row that is taken for it may yet be another message of ours with the same text to the
        same number in the same minute: whoever keeps the ids must refuse one that another
        message has.

        Args:
            asked: The message, and when it was last handed over.
            service_sid: The messaging service it went through; empty: by its sender.
            now: The time.
        """
        if not self.is_whole or any(row.to != asked.message.to for row in self.rows):
            return unsure(asked)
        suspects = [row for row in self.rows if _is_suspect(row, asked)]
        alike = [row for row in suspects if _same_text(row.body, asked.message.body)]
        if not suspects and (now - asked.handed_over_at).total_seconds() >= BELIEVED_AFTER_S:
            return Found(message_id=asked.message.id, known=Known.NOT_TAKEN)
        if len(alike) == 1 and _is_it(alike[0], asked, service_sid=service_sid):
            return _taken(alike[0], asked)
        return unsure(asked)


def unsure(asked: Asked) -> Found:
    """Say that nobody knows, or not yet."""
    return Found(message_id=asked.message.id, known=Known.UNSURE)


def _taken(row: _Row, asked: Asked) -> Found:
    message_id = asked.message.id
    try:
        receipt = receipt_of(message_id, status=row.status, code=row.code, sid=row.sid)
    except ValueError:  # a status of next year
        receipt = None
    return Found(message_id=message_id, known=Known.TAKEN, gateway_ref=row.sid, receipt=receipt)


def _is_suspect(row: _Row, asked: Asked) -> bool:
    """It could be the message: close to the hand-over, or later and with its text."""
    if not row.is_outgoing_since(asked.handed_over_at - _BEFORE):
        return False
    is_close = row.is_before(asked.handed_over_at + _AFTER)
    return is_close or _same_text(row.body, asked.message.body)


def _is_it(row: _Row, asked: Asked, *, service_sid: str) -> bool:
    if row.created_at is None or not SID.fullmatch(row.sid):
        return False
    is_in_time = -_SKEW <= row.created_at - asked.handed_over_at <= _AFTER
    way, wanted = (
        (row.service_sid, service_sid) if service_sid else (row.sender, asked.message.sender)
    )
    return is_in_time and way == wanted


def _same_text(listed: str, sent: str) -> bool:
    """Compare without regard to blanks; a trial account writes something in front."""
    return " ".join(listed.split()).endswith(" ".join(sent.split()))


def _is_incoming(row: Mapping[str, Any]) -> bool:
    return str(row["direction"]).startswith("inbound")


def _row_of(row: Mapping[str, Any]) -> _Row:
    return _Row(
        sid=str(row["sid"]),
        to=str(row["to"]),
        sender=str(row["from"] or ""),
        service_sid=str(row.get("messaging_service_sid") or ""),
        body=str(row["body"]),
        created_at=_time_of(row["date_created"]),
        status=str(row["status"]),
        code=str(row.get("error_code") or ""),
    )


def _time_of(value: object) -> datetime | None:
    try:
        found = parsedate_to_datetime(str(value))
    except ValueError:
        return None
    return found if found.utcoffset() is not None else None
