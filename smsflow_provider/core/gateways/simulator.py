"""The dialect of smsflow's own simulator: JSON, up to 100 messages a request."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from smsflow_provider.core.errors import MaybeSentError, RefusedError
from smsflow_provider.core.gateways.base import (
    Feature,
    HttpCallback,
    HttpRequest,
    HttpResponse,
    Split,
)
from smsflow_provider.core.gateways.settings import GatewaySettings
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
class SimulatorSettings(GatewaySettings):
    """A simulator: the password is its API key, empty when it asks for none."""


_KINDS = {"accepted": OutcomeKind.ACCEPTED, "refused": OutcomeKind.FAILED}
_CODE = re.compile(r"[\w.:-]{0,64}", re.ASCII)


class SimulatorDialect:
    """How the simulator is spoken to."""

    name: ClassVar[str] = "sms_simulator"
    features: ClassVar[frozenset[Feature]] = frozenset(Feature)
    max_batch: ClassVar[int] = 100
    splitting: ClassVar[Mapping[Encoding, Split]] = {
        Encoding.GSM7: Split.CODE_POINT,
        Encoding.UCS2: Split.CODE_POINT,
    }

    def __init__(self, settings: SimulatorSettings) -> None:
        self._settings = settings

    def write(self, batch: Sequence[Message]) -> HttpRequest:
        """
        Write *batch* as one JSON document.

        Raises:
            RefusedError: A text is not valid Unicode; nothing was sent.
        """
        headers = {"Content-Type": "application/json"}
        if self._settings.password:
            headers["Authorization"] = f"Bearer {self._settings.password}"
        document = {"messages": [_written(message) for message in batch]}
        return HttpRequest(
            method="POST",
            url=f"{self._settings.base_url}/v1/messages",
            headers=headers,
            body=_encoded(document),
        )

    def read(self, batch: Sequence[Message], response: HttpResponse) -> list[Outcome]:
        """
        Read one outcome a message, in the order of *batch*.

        A message the answer does not name is ``unknown``.

        Raises:
            NotSentError: The simulator throttles.
            RefusedError: A wrong API key or a request it cannot read.
            MaybeSentError: A server failure, or an answer that cannot be read.
        """
        check_status(response)
        try:
            rows = json.loads(response.body)["messages"]
            found = {row["id"]: _outcome(row) for row in rows}
        except (AttributeError, KeyError, TypeError, ValueError):
            problem = MaybeSentError("an answer that cannot be read", code="garbage")
        else:
            return [found.get(message.id) or _unnamed(message) for message in batch]
        raise problem

    def read_callback(self, callback: HttpCallback) -> Receipt | None:
        """
        Read a receipt from the JSON body of a call.

        Raises:
            ValueError: The body is not a receipt, or one about another message.
        """
        try:
            row = json.loads(callback.body)
            kind = ReceiptKind(row["status"])
            about, code, reference = row["id"], row.get("code", ""), row.get("ref", "")
        except (AttributeError, KeyError, TypeError, ValueError):
            about, kind, code, reference = None, ReceiptKind.ACCEPTED, "", ""
        if about != callback.message_id:
            raise ValueError("body: is not a receipt about this message")
        return Receipt(
            message_id=callback.message_id,
            kind=kind,
            code=_code_of(code),
            gateway_ref=_code_of(reference),
        )


def _written(message: Message) -> dict[str, object]:
    return {
        "id": message.id,
        "to": message.to,
        "sender": message.sender,
        "text": message.body,
        "encoding": message.encoding.value,
        "parts": message.parts,
        "expires_at": message.expires_at.isoformat() if message.expires_at else None,
        "callback_url": message.callback_url,
    }


def _encoded(document: object) -> bytes:
    try:
        return json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        problem = RefusedError("a text is not valid Unicode", code="bad_text")
    raise problem


def _outcome(row: Mapping[str, Any]) -> Outcome:
    return Outcome(
        message_id=row["id"],
        kind=_KINDS[row["status"]],
        code=_code_of(row.get("code", "")),
        gateway_ref=_code_of(row.get("ref", "")),
    )


def _unnamed(message: Message) -> Outcome:
    return Outcome(message_id=message.id, kind=OutcomeKind.UNKNOWN, code="not_answered")


def _code_of(value: object) -> str:
    """Let only short codes through; anything else might quote a phone or a text."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""
