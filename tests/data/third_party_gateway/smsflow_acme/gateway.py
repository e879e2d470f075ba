"""Acme's interface: JSON, one message a request, our id echoed in its receipts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from smsflow_provider.core.errors import MaybeSentError, RefusedError
from smsflow_provider.core.gateways.base import (
    Feature,
    HttpCallback,
    HttpRequest,
    HttpResponse,
    Split,
)
from smsflow_provider.core.gateways.gateway_type import GatewayType
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
class AcmeSettings(GatewaySettings):
    """A connection to Acme: the password is the API key."""

    #: Name of the route to send through; empty leaves it to Acme.
    route: str = setting("", label="Route", description="Route to send through; empty: any")


_KINDS = {"queued": OutcomeKind.ACCEPTED, "refused": OutcomeKind.FAILED}
_RECEIPTS = {"arrived": ReceiptKind.DELIVERED, "lost": ReceiptKind.UNDELIVERED}


class AcmeDialect:
    """How Acme is spoken to."""

    name: ClassVar[str] = "sms_acme"
    features: ClassVar[frozenset[Feature]] = frozenset(
        {Feature.RECEIPTS, Feature.UCS2, Feature.MULTIPART, Feature.CLIENT_REFERENCE}
    )
    max_batch: ClassVar[int] = 1
    splitting: ClassVar[Mapping[Encoding, Split]] = dict.fromkeys(Encoding, Split.UNKNOWN)

    def __init__(self, settings: AcmeSettings) -> None:
        self._settings = settings

    def write(self, batch: Sequence[Message]) -> HttpRequest:
        """
        Write the one message of *batch*.

        Raises:
            RefusedError: The text is not valid Unicode; nothing was sent.
        """
        (message,) = batch
        document = {
            "phone": message.to,
            "from": message.sender,
            "message": message.body,
            "unicode": message.encoding is Encoding.UCS2,
            "reference": message.id,
            "report_to": message.callback_url,
            "route": self._settings.route,
        }
        return HttpRequest(
            method="POST",
            url=f"{self._settings.base_url}/send",
            headers={
                "Content-Type": "application/json",
                "Authorization": f"Bearer {self._settings.password}",
            },
            body=_encoded(document),
        )

    def read(self, batch: Sequence[Message], response: HttpResponse) -> list[Outcome]:
        """
        Read the answer to one message.

        Raises:
            NotSentError: Acme throttles.
            RefusedError: A wrong key or a request it cannot read.
            MaybeSentError: A server failure, or an answer that is not Acme's.
        """
        (message,) = batch
        check_status(response)
        result = _document_of(response.body).get("result")
        if result not in _KINDS:
            raise MaybeSentError("an answer that Acme does not give", code="garbage")
        return [Outcome(message_id=message.id, kind=_KINDS[result], code=result)]

    def read_callback(self, callback: HttpCallback) -> Receipt | None:
        """
        Read a receipt.

        Raises:
            ValueError: The call has no state, or one Acme does not have.
        """
        state = _document_of(callback.body).get("state")
        if state not in _RECEIPTS:
            raise ValueError("state: is not one of Acme's")
        return Receipt(message_id=callback.message_id, kind=_RECEIPTS[state])


def _encoded(document: object) -> bytes:
    try:
        return json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        problem = RefusedError("a text is not valid Unicode", code="bad_text")
    raise problem


def _document_of(body: bytes) -> dict[str, str]:
    """Read a JSON object of texts; empty for anything else."""
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    given = document.items() if isinstance(document, dict) else ()
    return {name: value for name, value in given if isinstance(value, str)}


GATEWAY = GatewayType(
    conn_type="sms_acme",
    label="SMS gateway: Acme",
    settings=AcmeSettings,
    dialect=AcmeDialect,
    make=lambda settings, _now: AcmeDialect(settings),
    hidden_fields=("login",),
    relabeling={"password": "API key", "schema": "Scheme"},
    placeholders={"host": "api.acme.example", "schema": "https"},
)
