"""
The dialect of any gateway that settings can describe: the connection type ``sms_http``.

It hands a message over by POST, PUT or PATCH, with the phone and the text in the body or in
headers. A gateway that wants them in the URL cannot be described: URLs end up in logs. Nor can one
that wants each request signed, or a token fetched first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar, Final

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.base import (
    Feature,
    HttpCallback,
    HttpRequest,
    HttpResponse,
    Split,
)
from smsflow_provider.core.gateways.error_table import ErrorTable
from smsflow_provider.core.gateways.generic_settings import GenericSettings
from smsflow_provider.core.model import Encoding, Message, Outcome, Receipt, Reply

#: What a connection can do or not, by its settings.
CHOSEN: Final = frozenset(
    {
        Feature.RECEIPTS,
        Feature.UCS2,
        Feature.MULTIPART,
        Feature.ALPHANUMERIC_SENDER,
        Feature.VALIDITY,
        Feature.CLIENT_REFERENCE,
        Feature.MESSAGE_ID,
        Feature.REPLIES,
    }
)


class GenericDialect:
    """
    How a gateway is spoken to that settings describe.

    Args:
        settings: Describe it.
        now: The clock, for how long a message is still of use.

    Raises:
        ConfigError: The settings do not describe a gateway; ``facts["problems"]`` has them all.
    """

    name: ClassVar[str] = "sms_http"
    features: frozenset[Feature] = frozenset()
    max_batch: int = 1
    splitting: Mapping[Encoding, Split] = MappingProxyType(dict.fromkeys(Encoding, Split.UNKNOWN))
    #: Its receipts name its own id only, so that ours is found by it.
    reports_by_ref: bool = False

    def __init__(self, settings: GenericSettings, *, now: Callable[[], datetime]) -> None:
        # They load Jinja, which no other gateway needs.
        from smsflow_provider.core.gateways.generic_reading import Reading  # noqa: PLC0415
        from smsflow_provider.core.gateways.generic_writing import Writing  # noqa: PLC0415

        problems: list[str] = []
        self._writing = Writing(settings, problems=problems)
        self._reading = Reading(settings, problems=problems)
        if problems:
            raise ConfigError("the settings describe no gateway", problems=problems)
        self._now = now
        used = self._writing.used
        self.features = _features_of(settings, used)
        self.max_batch = settings.max_batch
        self.splitting = dict.fromkeys(Encoding, Split(settings.splitting))
        is_named = "callback_url" in used or bool(settings.receipt_id)
        self.reports_by_ref = bool(settings.receipt_reference) and not is_named

    @property
    def table(self) -> ErrorTable:
        """What its codes mean."""
        return self._reading.table

    def write(self, batch: Sequence[Message]) -> HttpRequest:
        """
        Write one request for *batch*.

        Raises:
            RefusedError: A text or a sender cannot be written; nothing was sent.
        """
        return self._writing.write(batch, now=self._now())

    def read(self, batch: Sequence[Message], response: HttpResponse) -> list[Outcome]:
        """
        Read one outcome a message, in the order of *batch*.

        Raises:
            NotSentError: A status or a code of the settings says: not taken, try again.
            RefusedError: It says: refused for good.
            MaybeSentError: Anything else that is not accepted.
        """
        return self._reading.read(batch, response)

    def read_callback(self, callback: HttpCallback) -> Receipt | None:
        """
        Read a receipt. None: a word that says nothing new.

        Raises:
            ValueError: It has no status, one that the settings do not name, or no id.
        """
        return self._reading.read_callback(callback)

    def read_reply(self, callback: HttpCallback) -> Reply | None:
        """
        Read a reply. None: a receipt.

        Raises:
            ValueError: It is neither.
        """
        return self._reading.read_reply(callback)


class CheckedGenericDialect(GenericDialect):
    """The same, of a gateway whose ``check_path`` says how a connection is tried."""

    def write_check(self) -> HttpRequest:
        """Write a GET with the headers of a message, and nothing of one."""
        return self._writing.write_check()

    def read_check(self, response: HttpResponse) -> str:
        """Say what is wrong; empty: the gateway answered with success."""
        if 200 <= response.status < 300:
            return ""
        return f"it answered with the status {response.status}"


def make_generic(settings: GenericSettings, now: Callable[[], datetime]) -> GenericDialect:
    """Make the dialect that *settings* describe; see `GenericDialect`."""
    kind = CheckedGenericDialect if settings.check_path else GenericDialect
    return kind(settings, now=now)


def _features_of(settings: GenericSettings, used: frozenset[str]) -> frozenset[Feature]:
    is_found = "callback_url" in used or settings.receipt_id or settings.receipt_reference
    has = {
        Feature.RECEIPTS: settings.receipt_status and is_found,
        Feature.UCS2: settings.unicode,
        Feature.MULTIPART: settings.multipart,
        Feature.ALPHANUMERIC_SENDER: settings.alphanumeric_sender and "sender" in used,
        Feature.VALIDITY: used & {"validity_s", "expires_at"},
        Feature.CLIENT_REFERENCE: "id" in used and settings.receipt_id,
        Feature.MESSAGE_ID: settings.reference,
        Feature.REPLIES: settings.reply_from,
    }
    return frozenset(feature for feature, is_there in has.items() if is_there)
