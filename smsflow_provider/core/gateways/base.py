"""
What a gateway is: a dialect (pure) and a transport (the only I/O).

A vendor file writes a dialect of about 50 lines; the delicate judgement "did it leave?"
is in one transport, tested once against a misbehaving server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from smsflow_provider.core.errors import UnsupportedFeatureError
from smsflow_provider.core.model import Encoding, Message, Outcome, Receipt, Reply


class Feature(StrEnum):
    """What a delivery may ask of a gateway. A wish it lacks fails the preparation."""

    RECEIPTS = "receipts"
    UCS2 = "ucs2"
    MULTIPART = "multipart"
    ALPHANUMERIC_SENDER = "alphanumeric_sender"
    VALIDITY = "validity"
    #: It takes an id of ours with a message and gives it back in its receipts.
    CLIENT_REFERENCE = "client_reference"
    #: It gives each message an id of its own.
    MESSAGE_ID = "message_id"
    #: It refuses a second message with an id of ours that it knows: sending again is safe.
    DUPLICATE_REFUSAL = "duplicate_refusal"
    #: It can be asked whether it took a message (``LookUp``).
    LOOKUP = "lookup"
    #: It can be asked for receipts (``Poll``).
    POLL = "poll"
    #: It passes on what people write back (``Replies``).
    REPLIES = "replies"
    #: It signs its calls (``SignedCalls``).
    SIGNED_CALLS = "signed_calls"


class Split(StrEnum):
    """How a gateway cuts a long text into parts."""

    #: After a full part, also through a character of two units.
    UNIT = "unit"
    #: Never through a character of two units, so never through an emoji of one code point.
    CODE_POINT = "code_point"
    #: Never through what a reader sees as one character, such as a flag or a family.
    GRAPHEME = "grapheme"
    #: Nobody has found out: the largest number of the three is predicted.
    UNKNOWN = "unknown"


class PrivateUrl(str):
    """
    A URL whose query holds a phone, for a gateway that can be asked in no other way.

    Its repr leaves the query out; nothing of ours writes the URL of a request anywhere. For
    questions only, never for a message.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        """Show where it goes, not what it asks."""
        return f"{str(self).partition('?')[0]}?***"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request, ready to leave. Compares by value, so a dialect is tested with ``==``."""

    method: str
    #: Never carries a phone (but see `PrivateUrl`), a text or a secret: URLs end up in logs.
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """One whole answer. A partial one is a ``MaybeSentError`` of the transport instead."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCallback:
    """One call of a gateway to our receiver, after it was found to come from the gateway."""

    #: Ours, from the callback URL. Empty: the address is that of all messages of a connection.
    message_id: str = ""
    #: GET or POST.
    method: str = "POST"
    #: The whole address as the gateway called it, for its signature.
    url: str = field(default="", repr=False)
    #: Decoded query parameters, the first of each name.
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


class Dialect(Protocol):
    """
    How one vendor writes a batch and reads its answers. Pure: no socket, no clock.

    The four properties are class variables where every connection has the same, else attributes
    of the object.
    """

    @property
    def name(self) -> str:
        """Its connection type."""
        ...

    @property
    def features(self) -> frozenset[Feature]:
        """What a delivery may ask of it."""
        ...

    @property
    def max_batch(self) -> int:
        """Messages in one request, 1 or more."""
        ...

    @property
    def splitting(self) -> Mapping[Encoding, Split]:
        """How this gateway cuts long texts; decides the number of parts we predict."""
        ...

    def write(self, batch: Sequence[Message]) -> HttpRequest:
        """Write one request for *batch*, 1 to ``max_batch`` messages."""
        ...

    def read(self, batch: Sequence[Message], response: HttpResponse) -> list[Outcome]:
        """
        Read what the answer says about each message, in the order of *batch*.

        Raises:
            MaybeSentError: A server failure or an answer that cannot be read.
            NotSentError: The whole batch was turned away and may go again.
            RefusedError: The whole request was refused for good (credentials, syntax).
        """
        ...

    def read_callback(self, callback: HttpCallback) -> Receipt | None:
        """
        Read a receipt. None: an intermediate report that says nothing new.

        Raises:
            ValueError: The call is not one this gateway makes.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A message in doubt, and when it was last handed over."""

    message: Message
    handed_over_at: datetime


class Known(StrEnum):
    """What a gateway knows of a message in doubt."""

    TAKEN = "taken"
    #: Certainly not taken: it may go again.
    NOT_TAKEN = "not_taken"
    #: It cannot say, or not yet.
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look-up says about one message."""

    message_id: str
    known: Known
    gateway_ref: str = ""
    #: What the gateway has reported on it since, if anything.
    receipt: Receipt | None = None


@runtime_checkable
class LookUp(Protocol):
    """A dialect of a gateway that can be asked what became of a message. ``Feature.LOOKUP``."""

    @property
    def lookup_batch(self) -> int:
        """Messages in one question, 1 or more."""
        ...

    @property
    def lookup_after_s(self) -> float:
        """Seconds after the hand-over before "not taken" can be believed."""
        ...

    def write_lookup(self, asked: Sequence[Asked]) -> HttpRequest:
        """Write one question about 1 to ``lookup_batch`` messages."""
        ...

    def read_lookup(self, asked: Sequence[Asked], response: HttpResponse) -> list[Found]:
        """
        Read the answer: one ``Found`` a message, in order.

        Raises:
            GatewayError: It cannot be read; everything stays in doubt.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Receipts that a poll brought, and where the next one begins."""

    receipts: Sequence[Receipt]
    #: Kept and given back to ``write_poll``.
    cursor: str
    #: There are more at once.
    has_more: bool = False


@runtime_checkable
class Poll(Protocol):
    """A dialect of a gateway that can be asked for receipts. ``Feature.POLL``."""

    def write_poll(self, cursor: str) -> HttpRequest:
        """Write the request for what came after *cursor*; empty: from the beginning."""
        ...

    def read_poll(self, cursor: str, response: HttpResponse) -> Page:
        """
        Read the answer.

        Raises:
            GatewayError: It cannot be read; the cursor stays.
        """
        ...


@runtime_checkable
class Replies(Protocol):
    """A dialect of a gateway that passes on what people write back. ``Feature.REPLIES``."""

    def read_reply(self, callback: HttpCallback) -> Reply | None:
        """
        Read a reply. None: a call that is no reply.

        Raises:
            ValueError: The call is not one this gateway makes.
        """
        ...


@runtime_checkable
class SignedCalls(Protocol):
    """A dialect of a gateway that signs its calls. ``Feature.SIGNED_CALLS``."""

    def is_signed(self, callback: HttpCallback) -> bool:
        """Check the signature, in constant time. Never raises."""
        ...


@runtime_checkable
class Checkable(Protocol):
    """A dialect that can try its connection without sending anything."""

    def write_check(self) -> HttpRequest:
        """Write a request that needs the login and changes nothing."""
        ...

    def read_check(self, response: HttpResponse) -> str:
        """Say what is wrong, in words for who set the connection up; empty: all is well."""
        ...


class Transport(Protocol):
    """
    Carries one request.

    Raises:
        NotSentError: No byte of the request reached the gateway.
        MaybeSentError: The request left and no whole answer came back.
    """

    async def __call__(self, request: HttpRequest, /) -> HttpResponse:
        """Send *request* once, never again, and return the whole answer."""
        ...


class Gateway(Protocol):
    """Hands messages over. What the sender sees."""

    @property
    def dialect(self) -> Dialect:
        """The dialect behind it."""
        ...

    async def send(self, batch: Sequence[Message]) -> list[Outcome]:
        """
        Hand *batch* over once; one outcome a message, in order. Never raises GatewayError:
        errors of the whole request become outcomes (not_sent, unknown, failed).
        """
        ...

    async def ask(self, request: HttpRequest) -> HttpResponse:
        """
        Carry a question that hands nothing over: a look-up or a poll.

        Raises:
            GatewayError: No whole answer came back.
        """
        ...


def require(dialect: Dialect, wanted: frozenset[Feature]) -> None:
    """
    Raise unless *dialect* has every feature in *wanted*.

    Called in preparation, never in sending: a campaign that cannot leave whole must
    fail while nobody has been texted.

    Raises:
        UnsupportedFeatureError: Names the gateway and all missing features.
    """
    missing = sorted(wanted - dialect.features)
    if missing:
        raise UnsupportedFeatureError(
            "the gateway cannot do this", gateway=dialect.name, missing=missing
        )
