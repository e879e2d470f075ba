"""
The dialects of smsflow's own simulator: JSON over HTTP, one dialect for each family of gateways.

A family is what a gateway lets us know: whether it keeps our reference, gives it back, can be
asked about it, or refuses to take it twice. See ``docs/simulator.md``.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final, Self

from smsflow_provider.core.errors import MaybeSentError
from smsflow_provider.core.gateways.base import (
    Asked,
    Feature,
    Found,
    HttpCallback,
    HttpRequest,
    HttpResponse,
    Page,
    Split,
)
from smsflow_provider.core.gateways.settings import GatewaySettings, setting
from smsflow_provider.core.gateways.simulator_wire import (
    SIGNATURE_HEADER,
    code_of,
    encoded,
    found_of_row,
    outcome_of_row,
    receipt_of,
    row_of,
    signature_of,
    unnamed,
    written,
)
from smsflow_provider.core.gateways.status import check_status
from smsflow_provider.core.model import (
    Encoding,
    Message,
    Outcome,
    Receipt,
    Reply,
)


class Family(StrEnum):
    """The kinds of gateways that the simulator plays."""

    #: Individual texts, up to 100 a request; our reference and an id of its own in all it says.
    BATCH = "batch"
    #: No reference at all, as Kannel: receipts come to the address of the message.
    PLAIN = "plain"
    #: Our reference comes back in receipts only, as with Vonage.
    ECHO = "echo"
    #: Can be asked about our reference, as Sinch; it takes one twice.
    QUERY = "query"
    #: Our id is the id, as with Infobip: refused when it comes again, and can be asked about.
    OWN_IDS = "own_ids"
    #: Reports by its own ids only.
    BY_REF = "by_ref"
    #: As ``batch``, and what it calls is signed with the API key.
    SIGNED = "signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings(GatewaySettings):
    """A simulator: the password is its API key, empty when it asks for none."""

    #: The family that the simulator plays; it must be told the same.
    family: str = setting(
        Family.BATCH.value,
        label="Family",
        description="The kind of gateway that the simulator plays; it must be told the same",
        choices=tuple(family.value for family in Family),
    )


_CURSOR = re.compile(r"[0-9]{1,15}")
_POLLED_ROWS: Final = 1000

_ALL_CAN = frozenset(
    {
        Feature.RECEIPTS,
        Feature.UCS2,
        Feature.MULTIPART,
        Feature.ALPHANUMERIC_SENDER,
        Feature.VALIDITY,
        Feature.REPLIES,
    }
)
_BATCH_CAN = _ALL_CAN | {Feature.CLIENT_REFERENCE, Feature.MESSAGE_ID, Feature.POLL}


class SimulatorDialect:
    """
    How the simulator is spoken to. Made for the family that the settings name.

    Example:
        >>> settings = SimulatorSettings(base_url="http://127.0.0.1:8890", family="own_ids")
        >>> Feature.LOOKUP in SimulatorDialect(settings).features
        True
        >>> Feature.LOOKUP in SimulatorDialect.features
        False
    """

    name: ClassVar[str] = "sms_simulator"
    features: ClassVar[frozenset[Feature]] = _BATCH_CAN
    max_batch: ClassVar[int] = 100
    splitting: ClassVar[Mapping[Encoding, Split]] = {
        Encoding.GSM7: Split.CODE_POINT,
        Encoding.UCS2: Split.CODE_POINT,
    }
    #: It names its own id in what it reports, and never ours.
    reports_by_ref: ClassVar[bool] = False

    def __new__(cls, settings: SimulatorSettings) -> Self:
        """Make the dialect of the family, as `pathlib.Path` makes one of the system."""
        kind = _DIALECTS[Family(settings.family)] if cls is SimulatorDialect else cls
        return object.__new__(kind)  # type: ignore[return-value]  # all are subclasses

    def __init__(self, settings: SimulatorSettings) -> None:
        self._settings = settings

    def write(self, batch: Sequence[Message]) -> HttpRequest:
        """
        Write *batch* as one JSON document.

        Raises:
            RefusedError: A text is not valid Unicode; nothing was sent.
        """
        return self._post("/v1/messages", {"messages": [written(message) for message in batch]})

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
            return self._outcomes(batch, json.loads(response.body)["messages"])
        except (AttributeError, KeyError, TypeError, ValueError):
            problem = MaybeSentError("an answer that cannot be read", code="garbage")
        raise problem

    def _outcomes(self, batch: Sequence[Message], rows: Any) -> list[Outcome]:
        found = {row["id"]: outcome_of_row(row, message_id=row["id"]) for row in rows}
        return [found.get(message.id) or unnamed(message) for message in batch]

    def read_callback(self, callback: HttpCallback) -> Receipt | None:
        """
        Read a receipt from the JSON body of a call.

        Raises:
            ValueError: The body is not a receipt, or one about another message.
        """
        row = row_of(callback.body)
        receipt = receipt_of(row, message_id=callback.message_id)
        if receipt is None or not self._is_about(row, callback.message_id):
            raise ValueError("body: is not a receipt about this message")
        return receipt

    def _is_about(self, row: Mapping[str, Any], message_id: str, /) -> bool:
        return bool(row.get("id") == message_id)

    def write_poll(self, cursor: str) -> HttpRequest:
        """Write the request for the receipts after *cursor*."""
        after = cursor if _CURSOR.fullmatch(cursor) else "0"
        url = f"{self._settings.base_url}/v1/receipts?after={after}&limit={_POLLED_ROWS}"
        return HttpRequest(method="GET", url=url, headers=self._login())

    def read_poll(self, cursor: str, response: HttpResponse) -> Page:
        """
        Read the receipts. A row that is none is left out: it would hold the others up for good.

        Raises:
            GatewayError: The answer cannot be read; the cursor stays at *cursor*.
        """
        check_status(response)
        try:
            document = json.loads(response.body)
            rows, following, has_more = document["receipts"], document["next"], document["more"]
            found = [self._polled(row) for row in rows if isinstance(row, Mapping)]
        except (KeyError, TypeError, ValueError):
            problem = MaybeSentError("receipts that cannot be read", code="garbage")
        else:
            receipts = [receipt for receipt in found if receipt is not None]
            following = str(following)
            is_cursor = _CURSOR.fullmatch(following) is not None
            return Page(
                receipts=receipts,
                cursor=following if is_cursor else cursor,
                has_more=has_more is True and is_cursor and following != cursor,
            )
        raise problem

    def _polled(self, row: Mapping[str, Any]) -> Receipt | None:
        message_id = "" if self.reports_by_ref else code_of(row.get("id", ""))
        receipt = receipt_of(row, message_id=message_id)
        return receipt if receipt and (receipt.message_id or receipt.gateway_ref) else None

    def read_reply(self, callback: HttpCallback) -> Reply | None:
        """
        Read what a person wrote back. None: a receipt.

        Raises:
            ValueError: The body is not one the simulator writes.
        """
        row = row_of(callback.body)
        if row.get("type") != "reply" and "status" in row:
            return None
        said = [row.get(name) for name in ("from", "to", "text")]
        if row.get("type") != "reply" or not all(isinstance(each, str) for each in said):
            raise ValueError("body: is neither a reply nor a receipt")
        sender, recipient, text = map(str, said)
        reference = code_of(row.get("ref", ""))
        return Reply(sender=sender, recipient=recipient, body=text, gateway_ref=reference)

    def is_signed(self, callback: HttpCallback) -> bool:
        """Check the signature of a call. Without an API key nothing is signed: False."""
        found = {name.lower(): value for name, value in callback.headers.items()}
        given = found.get(SIGNATURE_HEADER.lower(), "").encode("utf-8", errors="replace")
        key = self._settings.password
        wanted = signature_of(callback.url, callback.body, api_key=str(key)).encode()
        return hmac.compare_digest(given, wanted) and bool(key)

    def _login(self) -> dict[str, str]:
        key = self._settings.password
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _post(self, path: str, document: object) -> HttpRequest:
        headers = {"Content-Type": "application/json", **self._login()}
        url = self._settings.base_url + path
        return HttpRequest(method="POST", url=url, headers=headers, body=encoded(document))


class _OneByOneDialect(SimulatorDialect):
    """One message a request, and an answer that names no id of ours."""

    max_batch: ClassVar[int] = 1

    def _outcomes(self, batch: Sequence[Message], rows: Any) -> list[Outcome]:
        (message,), (row,) = batch, rows
        return [outcome_of_row(row, message_id=message.id)]


class PlainDialect(_OneByOneDialect):
    """`Family.PLAIN`: a receipt is about the message of the address it came to."""

    features: ClassVar[frozenset[Feature]] = _ALL_CAN

    def _is_about(self, row: Mapping[str, Any], message_id: str, /) -> bool:
        return bool(message_id) and "id" not in row


class EchoDialect(_OneByOneDialect):
    """`Family.ECHO`."""

    features: ClassVar[frozenset[Feature]] = _ALL_CAN | {Feature.CLIENT_REFERENCE}


class ByRefDialect(_OneByOneDialect):
    """`Family.BY_REF`: a receipt may come to an address of no message in particular."""

    features: ClassVar[frozenset[Feature]] = _ALL_CAN | {Feature.MESSAGE_ID, Feature.POLL}
    reports_by_ref: ClassVar[bool] = True

    def _is_about(self, row: Mapping[str, Any], _message_id: str, /) -> bool:
        return "id" not in row and bool(code_of(row.get("ref", "")))


class SignedDialect(SimulatorDialect):
    """`Family.SIGNED`."""

    features: ClassVar[frozenset[Feature]] = _BATCH_CAN | {Feature.SIGNED_CALLS}


class QueryDialect(SimulatorDialect):
    """`Family.QUERY`: it can be asked what became of a message."""

    features: ClassVar[frozenset[Feature]] = _BATCH_CAN | {Feature.LOOKUP}
    lookup_batch: ClassVar[int] = 100
    lookup_after_s: ClassVar[float] = 2.0

    def write_lookup(self, asked: Sequence[Asked]) -> HttpRequest:
        """Write one question about the messages by our ids. It hands nothing over."""
        return self._post("/v1/lookups", {"ids": [one.message.id for one in asked]})

    def read_lookup(self, asked: Sequence[Asked], response: HttpResponse) -> list[Found]:
        """
        Read one ``Found`` a message, in order. What the answer does not name is unsure.

        Raises:
            GatewayError: It cannot be read; everything stays in doubt.
        """
        check_status(response)
        try:
            rows = {row["id"]: row for row in json.loads(response.body)["messages"]}
            return [
                found_of_row(rows.get(one.message.id), message_id=one.message.id) for one in asked
            ]
        except (AttributeError, KeyError, TypeError, ValueError):
            problem = MaybeSentError("a look-up that cannot be read", code="garbage")
        raise problem


class OwnIdsDialect(QueryDialect):
    """`Family.OWN_IDS`: sending again with the same id is safe."""

    features: ClassVar[frozenset[Feature]] = QueryDialect.features | {Feature.DUPLICATE_REFUSAL}
    #: It forgets ids after two days.
    lookup_until_s: ClassVar[float] = 48 * 3600.0


_DIALECTS: Final[Mapping[Family, type[SimulatorDialect]]] = {
    Family.BATCH: SimulatorDialect,
    Family.PLAIN: PlainDialect,
    Family.ECHO: EchoDialect,
    Family.QUERY: QueryDialect,
    Family.OWN_IDS: OwnIdsDialect,
    Family.BY_REF: ByRefDialect,
    Family.SIGNED: SignedDialect,
}
