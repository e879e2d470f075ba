"""
Twilio's Messages resource (2010-04-01), one message a request.

Everything about a message is in the form that is posted; no phone and no text is in a URL, with
one exception that Twilio leaves no way around: it can only be asked about a message by the
number it went to, in the query of a GET. That address is a `PrivateUrl`.

Twilio chooses the encoding by the text: GSM 7-bit if every character is in that alphabet, else
UCS-2. ``SmartEncoded=false`` keeps it from replacing characters, so what arrives is what was
prepared. It takes no reference of ours but the callback address, and it refuses no duplicate.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote, urlencode

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import MaybeSentError, NotSentError, RefusedError
from smsflow_provider.core.gateways import twilio_lookup, twilio_signature
from smsflow_provider.core.gateways.base import (
    Asked,
    Feature,
    Found,
    HttpCallback,
    HttpRequest,
    HttpResponse,
    Known,
    PrivateUrl,
    Split,
)
from smsflow_provider.core.gateways.error_table import ErrorTable
from smsflow_provider.core.gateways.form import quoted, quoted_address
from smsflow_provider.core.gateways.settings import NO_SECRET, GatewaySettings, Secret, setting
from smsflow_provider.core.gateways.status import check_status, is_hopeless, retry_after_s
from smsflow_provider.core.gateways.twilio_status import SID, receipt_of
from smsflow_provider.core.model import Encoding, Message, Outcome, OutcomeKind, Receipt, Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioSettings(GatewaySettings):
    """A Twilio account: login and password are its SID and auth token, or an API key's."""

    default_scheme: ClassVar[str] = "https"

    #: Needed where the login is an API key (``SK…``).
    account_sid: str = setting(
        "",
        label="Account SID",
        description="AC…, where the login is an API key; empty: the login is the account's SID",
    )
    #: Twilio signs its calls with it, whatever the login is.
    auth_token: Secret = setting(  # noqa: RUF009  it makes a field
        NO_SECRET,
        label="Auth token",
        description="Checks Twilio's calls where the login is an API key; empty: the password",
    )
    #: Texts without a sender of their own go out through it.
    messaging_service_sid: str = setting(
        "",
        label="Messaging service SID",
        description="MG…: its senders are used where a delivery names none",
    )
    #: Such an account hides numbers and texts, so nothing can be concluded from its list.
    is_redacted: bool = setting(
        False,
        label="Redacted messages",
        description="The account hides texts or numbers: a look-up never says 'not taken'",
    )

    def problems(self) -> list[str]:
        """Say which SIDs cannot be any, and whether a key names no account."""
        found = []
        if self.username.startswith("SK") and not self.account_sid:
            found.append("account_sid: is missing; the login is an API key of some account")
        if self.account_sid and not _is_sid(self.account_sid, "AC"):
            found.append("account_sid: must be AC and 32 hexadecimal digits")
        if self.messaging_service_sid and not _is_sid(self.messaging_service_sid, "MG"):
            found.append("messaging_service_sid: must be MG and 32 hexadecimal digits")
        return found

    @property
    def account(self) -> str:
        """The account's SID."""
        return self.account_sid or self.username

    @property
    def signing_secret(self) -> str:
        """What Twilio signs its calls with. Empty: unknown, as an API key signs nothing."""
        if self.auth_token:
            return str(self.auth_token)
        return "" if self.username.startswith("SK") else str(self.password)


def _is_sid(text: str, kind: str) -> bool:
    return re.fullmatch(f"{kind}[0-9a-fA-F]{{32}}", text, re.ASCII) is not None


#: Twilio takes 1 to 36,000 seconds; its own queue holds a message no longer.
_VALIDITY_MAX_S = 36_000
#: Statuses of the answer to a hand-over that mean it will not leave.
_DEAD = frozenset({"failed", "undelivered", "canceled"})
_KEYWORDS = frozenset({"stop", "start", "help"})
_CODE = re.compile(r"\d{1,6}", re.ASCII)


@lru_cache(maxsize=64)
def _sender_fields(sender: str, *, service: str) -> str:
    """Write who sends, which is the same for many messages."""
    if not sender and not service:
        raise RefusedError(
            "no sender: name one, or a messaging service", code="misconfigured:no_sender"
        )
    fields = {"From": sender, "MessagingServiceSid": service}
    return "&".join(f"{name}={quoted(value)}" for name, value in fields.items() if value)


class TwilioDialect:
    """
    How Twilio is spoken to.

    Args:
        settings: Where it is and how to log in.
        now: The clock; the validity is in seconds from now, and look-ups need an age.
    """

    name: ClassVar[str] = "sms_twilio"
    #: Without the account's auth token, signatures cannot be checked: our own token in the
    #: callback address has to do.
    features: frozenset[Feature] = frozenset(
        {
            Feature.RECEIPTS,
            Feature.UCS2,
            Feature.MULTIPART,
            Feature.ALPHANUMERIC_SENDER,
            Feature.VALIDITY,
            Feature.MESSAGE_ID,
            Feature.LOOKUP,
            Feature.REPLIES,
            Feature.SIGNED_CALLS,
        }
    )
    max_batch: ClassVar[int] = 1
    splitting: ClassVar[Mapping[Encoding, Split]] = {
        Encoding.GSM7: Split.CODE_POINT,
        Encoding.UCS2: Split.GRAPHEME,
    }
    #: Its list carries no reference of ours: an id that it gives may be that of another message.
    finds_by_likeness: ClassVar[bool] = True
    lookup_batch: ClassVar[int] = 1
    lookup_after_s: ClassVar[float] = twilio_lookup.BELIEVED_AFTER_S

    def __init__(self, settings: TwilioSettings, *, now: Callable[[], datetime] = utc_now) -> None:
        self._settings = settings
        self._now = now
        # The same for every message.
        self._messages_url = self._url("/Messages.json")
        form_type = {"Content-Type": "application/x-www-form-urlencoded"}
        self._form_headers = MappingProxyType(self._headers() | form_type)
        if not settings.signing_secret:
            self.features = TwilioDialect.features - {Feature.SIGNED_CALLS}

    def write(self, batch: Sequence[Message]) -> HttpRequest:
        """
        Write the one message of *batch* as a form.

        Raises:
            RefusedError: There is no sender, or the text cannot be written; nothing was sent.
        """
        (message,) = batch
        form = [
            f"To={quoted(message.to)}",
            _sender_fields(message.sender, service=self._settings.messaging_service_sid),
            f"Body={quoted(message.body)}&SmartEncoded=false",
        ]
        if message.expires_at is not None:
            form.append(f"ValidityPeriod={self._validity_s(message.expires_at)}")
        if message.callback_url is not None:
            form.append(f"StatusCallback={quoted_address(message.callback_url)}")
        body = "&".join(form).encode("ascii")
        return HttpRequest(
            method="POST", url=self._messages_url, headers=self._form_headers, body=body
        )

    def _validity_s(self, expires_at: datetime) -> int:
        left_s = int((expires_at - self._now()).total_seconds())
        return min(max(1, left_s), _VALIDITY_MAX_S)

    def _headers(self) -> dict[str, str]:
        settings = self._settings
        login = f"{settings.username}:{settings.password!s}".encode()
        basic = base64.b64encode(login).decode("ascii")
        return {"Accept": "application/json", "Authorization": f"Basic {basic}"}

    def _url(self, path: str) -> str:
        account = quote(self._settings.account, safe="")
        return f"{self._settings.base_url}/2010-04-01/Accounts/{account}{path}"

    def read(self, batch: Sequence[Message], response: HttpResponse) -> list[Outcome]:
        """
        Read the answer to one message.

        Raises:
            RefusedError: This message is refused, or the connection is wrong.
            NotSentError: Twilio is busy, or the sender's queue is full.
            MaybeSentError: A server failure, or an answer that is not Twilio's.
        """
        (message,) = batch
        _check(response)
        made = _read_object(response)
        sid, status = made.get("sid"), made.get("status")
        if not isinstance(sid, str) or not SID.fullmatch(sid) or not isinstance(status, str):
            raise MaybeSentError("an answer that Twilio does not give", code="garbage")
        kind, code = OutcomeKind.ACCEPTED, ""
        if status in _DEAD:
            kind, code = OutcomeKind.FAILED, _code_of(made.get("error_code")) or status
        return [Outcome(message_id=message.id, kind=kind, code=code, gateway_ref=sid)]

    def read_callback(self, callback: HttpCallback) -> Receipt | None:
        """
        Read a receipt. None while the message stands in Twilio's own queue.

        Raises:
            ValueError: The call has no status of an outgoing message.
        """
        form = _form_of(callback)
        return receipt_of(
            callback.message_id,
            status=form.get("MessageStatus", ""),
            code=_code_of(form.get("ErrorCode")),
            sid=form.get("MessageSid", ""),
        )

    def read_reply(self, callback: HttpCallback) -> Reply | None:
        """
        Read what a person wrote back. None for a receipt.

        Twilio says in ``OptOutType`` what its own opt-out handling made of it; a keyword in
        another language may be known to it only.

        Raises:
            ValueError: The call is not about an incoming message.
        """
        form = _form_of(callback)
        if "MessageStatus" in form:
            return None
        if not form.get("From") or "To" not in form or "Body" not in form:
            raise ValueError("body: is not an incoming message of Twilio")
        sid, keyword = form.get("MessageSid", ""), form.get("OptOutType", "").lower()
        return Reply(
            sender=form["From"],
            recipient=form["To"],
            body=form["Body"],
            gateway_ref=sid if SID.fullmatch(sid) else "",
            keyword=keyword if keyword in _KEYWORDS else "",
        )

    def is_signed(self, callback: HttpCallback) -> bool:
        """Check Twilio's signature, in constant time. Never raises. False without a secret."""
        return twilio_signature.is_signed(callback, secret=self._settings.signing_secret)

    def write_lookup(self, asked: Sequence[Asked]) -> HttpRequest:
        """
        Ask for the messages to the number of the one in *asked*.

        The number is in the query: Twilio knows no other way. There is no filter by time: it
        goes by ``date_sent``, which a message that still waits in Twilio's queue does not have.
        """
        (one,) = asked
        query = urlencode({"To": one.message.to, "PageSize": twilio_lookup.PAGE_SIZE})
        url = PrivateUrl(f"{self._url('/Messages.json')}?{query}")
        return HttpRequest(method="GET", url=url, headers=self._headers())

    def read_lookup(self, asked: Sequence[Asked], response: HttpResponse) -> list[Found]:
        """
        Read the answer; see `twilio_lookup` for what it takes to be sure.

        Raises:
            GatewayError: It cannot be read; everything stays in doubt.
        """
        (one,) = asked
        _check(response)
        listed = twilio_lookup.Listed.of(_read_object(response))
        found = listed.find(one, service_sid=self._settings.messaging_service_sid, now=self._now())
        return [twilio_lookup.unsure(one) if self._is_blind(found) else found]

    def _is_blind(self, found: Found) -> bool:
        return self._settings.is_redacted and found.known is not Known.TAKEN

    def write_check(self) -> HttpRequest:
        """
        Ask for the account; with an API key for the list of messages, as Twilio shows an
        account to no such key.
        """
        is_key = self._settings.username.startswith("SK")
        path = "/Messages.json?PageSize=1" if is_key else ".json"
        return HttpRequest(method="GET", url=self._url(path), headers=self._headers())

    def read_check(self, response: HttpResponse) -> str:
        """Say what is wrong with the connection; empty: all is well."""
        if not self._settings.account.startswith("AC"):
            return "the account's SID (AC…) is missing: it is the login, or a field of its own"
        try:
            _check(response)
            status = _read_object(response).get("status", "active")
        except RefusedError as error:
            return _advice_of(str(error.facts["code"]))
        except (NotSentError, MaybeSentError) as error:
            return f"Twilio did not answer as expected ({error.facts['code']})"
        return "" if status == "active" else "the account is not active"


def error_table() -> ErrorTable:
    """What Twilio's codes mean, in answers and in receipts."""
    return _table()


@cache
def _table() -> ErrorTable:
    return ErrorTable.of("twilio")


def _check(response: HttpResponse) -> None:
    """
    Return in silence for a 2xx answer; raise what any other means.

    A failure of a server leaves doubt, whatever code it carries. Otherwise the code decides
    where the table knows it, and the status where it does not.
    """
    if 200 <= response.status < 300:
        return
    code = _error_code_of(response)
    wait_s = retry_after_s(response.headers)
    if code and response.status == 429:
        raise NotSentError("Twilio is busy", code=code, retry_after_s=wait_s)
    if code and 400 <= response.status < 500:
        is_known = code in _table().rows
        if is_known or response.status in {400, 402, 422}:
            raise _table().error_of(code, retry_after_s=wait_s)
    check_status(response)


def _error_code_of(response: HttpResponse) -> str:
    if response.status < 400:
        return ""
    try:
        return _code_of(_read_object(response).get("code"))
    except MaybeSentError:
        return ""


def _read_object(response: HttpResponse) -> Mapping[str, Any]:
    try:
        found = json.loads(response.body.decode())
    except ValueError:  # also of bytes that are no text
        found = None
    if not isinstance(found, dict):
        raise MaybeSentError("an answer that cannot be read", code="garbage")
    return found


def _form_of(callback: HttpCallback) -> Mapping[str, str]:
    """Read the fields of a call; of one that comes twice the first."""
    if callback.method == "GET":
        return callback.query
    try:
        text = callback.body.decode()
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=500)
    except ValueError:
        pairs = []
    return dict(reversed(pairs))


def _code_of(value: object) -> str:
    """Let Twilio's numbers through and nothing else; 0 says nothing."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if _CODE.fullmatch(text) and int(text) else ""


def _advice_of(code: str) -> str:
    own = code.rpartition(":")[2]
    if code in {"http_401", "http_403"} or own in {"20003", "20151", "20104", "20403"}:
        return f"Twilio refuses the login: SID and auth token, or API key and secret ({own})"
    if own in {"http_404", "20404"}:
        return f"Twilio knows no such account ({own})"
    row = _table().rows.get(own)
    if is_hopeless(code) and row:
        return f"{row.meaning} ({own})"
    return f"Twilio refused the question ({own})"
