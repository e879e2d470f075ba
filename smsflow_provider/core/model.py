"""The values that cross module borders. All frozen; phones and texts never show in a repr."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

#: Three hexadecimal numbers of up to 60 bits.
_MESSAGE_ID = re.compile(r"([0-9a-f]{1,15})-([0-9a-f]{1,15})-([0-9a-f]{1,15})")


class Encoding(StrEnum):
    """How a text travels. GSM 7-bit (3GPP TS 23.038) or UCS-2, which is UTF-16BE on the wire."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


class Exclusion(StrEnum):
    """
    Why a targeted recipient gets no message, in the order in which the reasons are tried.

    The first that holds wins. The names are law: SQL, API, UI and docs use these very words.
    """

    #: Nothing stands in the place of the phone.
    NO_ADDRESS = "no_address"
    #: The phone is no number, or of a kind or a country that may not be texted.
    INVALID_NUMBER = "invalid_number"
    #: The person wants no such texts: for everything, from this sender, or of this programme.
    OPTED_OUT = "opted_out"
    #: Texts to this number have failed for good.
    QUARANTINED = "quarantined"
    #: Another row with the same number gets the text.
    DUPLICATE = "duplicate"
    #: A filter of the user's holds, or the environment may text other numbers only.
    FILTERED = "filtered"
    #: The number is in an audience that is left out.
    EXCLUDED_AUDIENCE = "excluded_audience"
    #: Held back, to compare with those who got the text.
    CONTROL_GROUP = "control_group"
    #: The person has had, or will have, enough texts.
    PRESSURE = "pressure"
    #: Beyond the most people the delivery may reach.
    SIZE_LIMIT = "size_limit"
    #: The row lacks a value that the text needs, and the template says to exclude.
    MISSING_FIELD = "missing_field"
    #: The text takes more parts than the template allows.
    TOO_LONG = "too_long"


class DeliveryKind(StrEnum):
    """What a delivery is made for. Only a campaign is reviewed; the author approves the others."""

    CAMPAIGN = "campaign"
    #: A plain text to a few named numbers.
    DIRECT = "direct"
    #: Prepared messages of a campaign, sent to test numbers; counted apart from it.
    PROOF = "proof"


class MessageClass(StrEnum):
    """What a text is for. Marketing needs an opt-out mention, transactional does not."""

    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"


class OutcomeKind(StrEnum):
    """
    What became of one hand-over to a gateway, or why there was none.

    ``accepted``, ``failed``, ``unknown``, ``cancelled`` and ``expired`` are final outcomes;
    ``not_sent`` means the gateway certainly did not take it, so it may go again.
    """

    ACCEPTED = "accepted"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NOT_SENT = "not_sent"


#: Kinds that end a message, in the order in which they are told.
SETTLED: Final = tuple(kind.value for kind in OutcomeKind if kind is not OutcomeKind.NOT_SENT)
#: What is counted of the messages of a delivery: how they ended, and what was reported since.
FIGURES: Final = (
    "accepted",
    "delivered",
    "undelivered",
    "failed",
    "unknown",
    "cancelled",
    "expired",
)


class ReceiptKind(StrEnum):
    """
    What a receipt says. Only the last two are final; moves are monotonic by this order.

    ``accepted`` is the carrier's acknowledgement: the message certainly left.
    """

    ACCEPTED = "accepted"
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The task of the run that made a delivery. Empty and -1 for one made outside Airflow."""

    dag_id: str = ""
    run_id: str = ""
    task_id: str = ""
    map_index: int = -1


class Message(NamedTuple):
    """
    One text for one phone, ready to send. Made once, by name and not by place, never edited.

    A tuple, because one is made for each message: a frozen dataclass takes four times as long.
    """

    #: Stable over retries and restarts; the gateway sees it as the client reference.
    id: str
    #: E.164 with the leading plus, 8 to 16 characters.
    to: str
    #: Alphanumeric sender of up to 11 characters, or a number. Empty: the gateway's default.
    sender: str
    body: str
    encoding: Encoding
    #: Parts the carrier will bill, 1 to 255.
    parts: int
    #: Last moment, UTC and aware of it, at which sending still makes sense. None: no limit.
    expires_at: datetime | None = None
    #: Where the gateway reports what became of it. Carries our id and a token, no phone.
    #: None: no public address is configured, so no receipts will come.
    callback_url: str | None = None

    def __repr__(self) -> str:
        """Show no phone, no text and no token."""
        return f"Message(id={self.id!r}, encoding={self.encoding.value!r}, parts={self.parts})"


class Outcome(NamedTuple):
    """
    What one gateway answer says about one message. Made by name, not by place.

    A tuple, because one is made for each message: a frozen dataclass takes twice as long.
    """

    message_id: str
    kind: OutcomeKind
    #: The gateway's own code or a short reason of ours (``http_503``, ``stopped``). No free text
    #: of the gateway: it may quote the phone or the text.
    code: str = ""
    #: The gateway's own id of the message, if it gave one.
    gateway_ref: str = ""
    #: Seconds the gateway asked us to wait before trying again; with ``not_sent`` only.
    retry_after_s: float | None = None
    #: With ``not_sent``: it is about this message only, and no sign that the gateway is busy.
    is_own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a gateway reported, later, about one message of ours, or one part of it."""

    #: Ours. Empty: the gateway names its own id only, ``gateway_ref``.
    message_id: str
    kind: ReceiptKind
    #: The gateway's or carrier's code, at most 64 characters, no free text.
    code: str = ""
    #: The gateway's or carrier's own id of the message, if it was passed on.
    gateway_ref: str = ""
    #: Of a report about one part: which, from 1, and of how many. 0: the whole message.
    part: int = 0
    parts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a person wrote back."""

    #: Who wrote, as the gateway writes it.
    sender: str = field(repr=False)
    #: The number it was written to.
    recipient: str
    body: str = field(repr=False)
    #: The gateway's own id of it; two of one id are one reply. Empty: it gives none.
    gateway_ref: str = ""
    #: What the gateway itself took it for, where it keeps opt-outs of its own: ``stop``,
    #: ``start`` or ``help``. Empty: it says nothing.
    keyword: str = ""


def message_id_of(delivery_no: int, preparation: int, position: int) -> str:
    """
    Build the id a gateway sees: three hexadecimal numbers.

    Example:
        >>> message_id_of(42, 1, 5000)
        '2a-1-1388'
    """
    return f"{delivery_no:x}-{preparation:x}-{position:x}"


def read_message_id(text: str) -> tuple[int, int, int]:
    """
    Read ``(delivery_no, preparation, position)`` from *text*.

    Raises:
        ValueError: *text* is not an id of ours.

    Example:
        >>> read_message_id("2a-1-1388")
        (42, 1, 5000)
    """
    found = _MESSAGE_ID.fullmatch(text)
    if found is None:
        raise ValueError("not a message id")
    return int(found[1], 16), int(found[2], 16), int(found[3], 16)
