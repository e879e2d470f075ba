"""
Kannel's sendsms interface (1.4.5, smsbox), one message a request.

The text is the body and everything else is in ``X-Kannel-*`` headers, so that no phone, no
text and no password is ever part of a URL. Seen with a real Kannel: a body of type
``text/plain; charset=UTF-8`` carries GSM 7-bit (``X-Kannel-Coding: 0``) and UCS-2 (``2``)
unchanged, blanks at both ends, line breaks, ``%`` and ``+`` included. Kannel does not choose
the coding itself: with ``0`` it would turn an emoji into question marks in silence.

Kannel cuts long texts itself, up to ``max-messages`` parts of its ``sendsms-user`` group, and
drops the rest in silence. The default there is 1: set it as high as your longest message.
It gives no message id; the only reference is the callback URL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, NamedTuple
from urllib.parse import unquote_to_bytes

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import MaybeSentError, NotSentError, RefusedError
from smsflow_provider.core.gateways.base import (
    Feature,
    HttpCallback,
    HttpRequest,
    HttpResponse,
    Split,
)
from smsflow_provider.core.gateways.settings import GatewaySettings, setting
from smsflow_provider.core.gateways.status import check_status
from smsflow_provider.core.model import (
    Encoding,
    Message,
    Outcome,
    OutcomeKind,
    Receipt,
    ReceiptKind,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KannelSettings(GatewaySettings):
    """A Kannel: login and password are those of its ``sendsms-user`` group."""

    #: Path of the send interface; ``sendsms-url`` in Kannel's configuration.
    path: str = setting(
        "/cgi-bin/sendsms",
        label="Send path",
        description="Path of Kannel's sendsms interface",
    )
    #: Sum of the receipt types wanted: 1 delivered, 2 undelivered, 8 taken and 16 refused by
    #: the carrier. 4 (queued) says nothing new.
    dlr_mask: int = setting(
        27,
        label="Receipt types",
        description="Sum of 1 delivered, 2 undelivered, 4 queued, 8 taken, 16 refused by carrier",
        minimum=0,
        maximum=31,
    )
    #: Name of the carrier link to use; empty leaves the routing to Kannel.
    smsc: str = setting(
        "",
        label="SMSC",
        description="Id of the SMSC link to send through; empty: Kannel decides",
    )
    #: Put the carrier's answer into the callback URL. Carriers over SMPP quote the first
    #: characters of the text there, so it is off.
    carrier_answers: bool = setting(
        False,
        label="Carrier answers",
        description="Ask for the carrier's answer with receipts; it may quote the text in a URL",
    )


class _Answer(NamedTuple):
    """A row of the answer table: what a status and the start of a body mean."""

    status: int
    start: str
    kind: OutcomeKind
    code: str


# A 503 with this sentence is bearerbox's own refusal (its queue is full): it has not taken the
# message; seen with a full queue, where the carrier got the accepted message only. Any other
# 5xx, such as one of a proxy in front, says nothing and stays in doubt.
_ANSWERS = (
    _Answer(202, "0:", OutcomeKind.ACCEPTED, "0"),
    _Answer(202, "3:", OutcomeKind.ACCEPTED, "3"),
    _Answer(202, "Sent.", OutcomeKind.ACCEPTED, "sent"),
    _Answer(403, "Not routable", OutcomeKind.FAILED, "not_routable"),
    _Answer(400, "Number(s) has/have been denied", OutcomeKind.FAILED, "number_denied"),
    _Answer(400, "Empty receiver", OutcomeKind.FAILED, "no_receiver"),
    _Answer(400, "Missing receiver", OutcomeKind.FAILED, "no_receiver"),
    _Answer(400, "Sender missing", OutcomeKind.FAILED, "no_sender"),
    _Answer(503, "Temporal failure", OutcomeKind.NOT_SENT, "temporal_failure"),
)

#: Kannel's receipt types. 4 (queued at the carrier) and 32 (intermediate) say nothing new.
_RECEIPTS: dict[str, ReceiptKind | None] = {
    "1": ReceiptKind.DELIVERED,
    "2": ReceiptKind.UNDELIVERED,
    "4": None,
    "8": ReceiptKind.ACCEPTED,
    "16": ReceiptKind.UNDELIVERED,
    "32": None,
}

_CODING = {Encoding.GSM7: "0", Encoding.UCS2: "2"}
_SENDER = re.compile(r"[\x20-\x7e]*")
_REFERENCE = re.compile(r"[\w.:-]{1,64}", re.ASCII)
_ERROR_BYTES = re.compile(r"[?&]dlr_err=([^&?]+)")
_CARRIER_CODE = re.compile(r"NACK/(\w{1,20})|\berr:(\w{1,8})", re.ASCII)


class KannelDialect:
    """
    How Kannel is spoken to.

    Args:
        settings: Where it is and how to log in.
        now: The clock; Kannel wants the validity in minutes from now.
    """

    name: ClassVar[str] = "sms_kannel"
    features: ClassVar[frozenset[Feature]] = frozenset(
        {
            Feature.RECEIPTS,
            Feature.UCS2,
            Feature.MULTIPART,
            Feature.ALPHANUMERIC_SENDER,
            Feature.VALIDITY,
        }
    )
    max_batch: ClassVar[int] = 1
    #: It keeps an escaped GSM character whole but cuts UCS-2 anywhere, through an emoji too.
    splitting: ClassVar[Mapping[Encoding, Split]] = {
        Encoding.GSM7: Split.CODE_POINT,
        Encoding.UCS2: Split.UNIT,
    }

    def __init__(self, settings: KannelSettings, *, now: Callable[[], datetime] = utc_now) -> None:
        self._settings = settings
        self._now = now

    def write(self, batch: Sequence[Message]) -> HttpRequest:
        """
        Write the one message of *batch*.

        Raises:
            RefusedError: The sender or the text cannot be written; nothing was sent.
        """
        (message,) = batch
        settings = self._settings
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-Kannel-Username": settings.username,
            "X-Kannel-Password": str(settings.password),
            "X-Kannel-To": message.to,
            "X-Kannel-Coding": _CODING[message.encoding],
            **_sender_headers(message.sender),
            **self._validity_headers(message.expires_at),
            **self._receipt_headers(message.callback_url),
        }
        if settings.smsc:
            headers["X-Kannel-SMSC"] = settings.smsc
        url = settings.base_url + settings.path
        return HttpRequest(method="POST", url=url, headers=headers, body=_body_of(message))

    def _validity_headers(self, expires_at: datetime | None) -> dict[str, str]:
        if expires_at is None:
            return {}
        minutes = int((expires_at - self._now()).total_seconds() // 60)
        return {"X-Kannel-Validity": str(max(1, minutes))}

    def _receipt_headers(self, callback_url: str | None) -> dict[str, str]:
        if callback_url is None or self._settings.dlr_mask == 0:
            return {}
        # Kannel fills in what follows a percent sign; a doubled one stands for itself.
        url = callback_url.replace("%", "%%") + "&type=%d&ref=%F&meta=%D"
        if self._settings.carrier_answers:
            url += "&answer=%A"
        return {"X-Kannel-DLR-Mask": str(self._settings.dlr_mask), "X-Kannel-DLR-URL": url}

    def read(self, batch: Sequence[Message], response: HttpResponse) -> list[Outcome]:
        """
        Read the answer to one message.

        Raises:
            RefusedError: Wrong login, wrong path or a request Kannel cannot read.
            NotSentError: Kannel's queue is full.
            MaybeSentError: A server failure, or an answer that is not Kannel's.
        """
        (message,) = batch
        found = _find_answer(response)
        if found is None:
            _check_unlisted(response)
            raise MaybeSentError("an answer that Kannel does not give", code="garbage")
        if found.kind is OutcomeKind.NOT_SENT:
            raise NotSentError("Kannel's queue is full", code=found.code)
        return [Outcome(message_id=message.id, kind=found.kind, code=found.code)]

    def read_callback(self, callback: HttpCallback) -> Receipt | None:
        """
        Read a receipt. None for types 4 and 32, which say nothing new.

        Raises:
            ValueError: The call has no receipt type, or one Kannel does not have.
        """
        kind_word = callback.query.get("type", "")
        if kind_word not in _RECEIPTS:
            raise ValueError("type: is not a receipt type of Kannel")
        kind = _RECEIPTS[kind_word]
        if kind is None:
            return None
        reference = callback.query.get("ref", "")
        return Receipt(
            message_id=callback.message_id,
            kind=kind,
            code=_receipt_code(callback.query),
            gateway_ref=reference if _REFERENCE.fullmatch(reference) else "",
        )


def _sender_headers(sender: str) -> dict[str, str]:
    if not _SENDER.fullmatch(sender):
        raise RefusedError("the sender cannot be written into a header", code="bad_sender")
    return {"X-Kannel-From": sender} if sender else {}


def _body_of(message: Message) -> bytes:
    try:
        return message.body.encode()
    except UnicodeEncodeError:
        problem = RefusedError("the text is not valid Unicode", code="bad_text")
    raise problem


def _find_answer(response: HttpResponse) -> _Answer | None:
    body = response.body.decode("utf-8", errors="replace").lstrip()
    fits = (row for row in _ANSWERS if row.status == response.status and body.startswith(row.start))
    return next(fits, None)


def _check_unlisted(response: HttpResponse) -> None:
    if response.status == 403:
        raise RefusedError("Kannel refused the login", code="authorization")
    check_status(response)


def _receipt_code(query: Mapping[str, str]) -> str:
    """Take the carrier's error code: of the meta data, else of its answer. Never free text."""
    if found := _ERROR_BYTES.search(query.get("meta", "")):
        # Three bytes: the kind of network, then the code.
        number = int.from_bytes(unquote_to_bytes(found[1])[1:3], "big")
        return str(number) if number else ""
    answer = _CARRIER_CODE.search(query.get("answer", ""))
    return (answer[1] or answer[2]) if answer else ""
