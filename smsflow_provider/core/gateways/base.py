"""
What a gateway is: a dialect (pure) and a transport (the only I/O).

A vendor file writes a dialect of about 50 lines; the delicate judgement "did it leave?"
is in one transport, tested once against a misbehaving server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol

from smsflow_provider.core.errors import UnsupportedFeatureError
from smsflow_provider.core.model import Encoding, Message, Outcome, Receipt


class Feature(StrEnum):
    """What a delivery may ask of a gateway. A wish it lacks fails the preparation."""

    RECEIPTS = "receipts"
    UCS2 = "ucs2"
    MULTIPART = "multipart"
    ALPHANUMERIC_SENDER = "alphanumeric_sender"
    VALIDITY = "validity"
    CLIENT_REFERENCE = "client_reference"
    MESSAGE_ID = "message_id"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request, ready to leave. Compares by value, so a dialect is tested with ``==``."""

    method: str
    #: Never carries a phone, a text or a secret: URLs end up in logs.
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
    """One call of a gateway to our receiver, after our own token was checked."""

    message_id: str
    #: Decoded query parameters, the first of each name.
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


class Dialect(Protocol):
    """How one vendor writes a batch and reads its answers. Pure: no socket, no clock."""

    name: ClassVar[str]
    features: ClassVar[frozenset[Feature]]
    #: Messages in one request, 1 or more.
    max_batch: ClassVar[int]
    #: How this gateway cuts long texts; decides the number of parts we predict.
    splitting: ClassVar[Mapping[Encoding, Split]]

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
