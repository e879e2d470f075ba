"""How the answers and the calls of a gateway that settings describe are read."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl

from smsflow_provider.core.errors import GatewayError, MaybeSentError, NotSentError, RefusedError
from smsflow_provider.core.expression import EvaluationError, Expression, read_expression
from smsflow_provider.core.gateways.base import HttpCallback, HttpResponse
from smsflow_provider.core.gateways.error_table import ErrorClass, ErrorRow, ErrorTable, Hardness
from smsflow_provider.core.gateways.generic_settings import GenericSettings
from smsflow_provider.core.gateways.status import check_status, is_hopeless, retry_after_s
from smsflow_provider.core.model import (
    Message,
    Outcome,
    OutcomeKind,
    Receipt,
    ReceiptKind,
    Reply,
)

#: What expressions know of an answer, of one item of it, and of a call.
ANSWER_NAMES: Final = ("status", "headers", "text", "json")
ITEM_NAMES: Final = (*ANSWER_NAMES, "item")
CALL_NAMES: Final = ("fields", "query", "form", "headers", "text", "json")
#: A word of a receipt that says nothing new.
IGNORE: Final = "ignore"

_OF_ITEMS = ("accepted_when", "item_id", "reference", "error_code")
_OF_CALLS = (
    *("receipt_status", "receipt_code", "receipt_id", "receipt_reference"),
    *("reply_from", "reply_to", "reply_text", "reply_id"),
)
_CLASSES = {
    "refused_codes": ErrorClass.REFUSED,
    "temporary_codes": ErrorClass.TEMPORARY,
    "throttled_codes": ErrorClass.THROTTLED,
    "misconfigured_codes": ErrorClass.MISCONFIGURED,
}
_CODE = re.compile(r"[\w.:-]{1,48}", re.ASCII)
_REFERENCE = re.compile(r"[\w.:@/+=-]{1,128}", re.ASCII)
_PHONE = re.compile(r"[0-9]{8}")
_OUR_ID = re.compile(r"[0-9a-f-]{1,48}")


class Reading:
    """
    Reads answers, receipts and replies by the expressions of *settings*.

    Args:
        settings: Describe the gateway.
        problems: Gets everything that is wrong with them; with problems it must not be used.
    """

    def __init__(self, settings: GenericSettings, *, problems: list[str]) -> None:
        self._is_batch = settings.max_batch > 1
        self._problems = problems
        names: dict[str, Sequence[str]] = dict.fromkeys(
            _OF_ITEMS, ITEM_NAMES if self._is_batch else ANSWER_NAMES
        )
        names |= dict.fromkeys(_OF_CALLS, CALL_NAMES) | {"items": ANSWER_NAMES}
        self._found = {
            name: found
            for name, known in names.items()
            if (found := self._expression(name, getattr(settings, name), known))
        }
        self.table = self._read_table(settings)
        self._words = self._read_words(settings.receipt_map)
        self._problems += _lacking(settings)

    def read(self, batch: Sequence[Message], response: HttpResponse) -> list[Outcome]:
        """
        Read what the answer says about each message, in the order of *batch*.

        A success status alone takes no message: ``accepted_when`` must hold as well. A code in a
        list of the settings decides whatever the status is, but for a redirect.

        Raises:
            NotSentError, RefusedError, MaybeSentError: The answer is about the whole request.
        """
        answer = _answer_of(response)
        if self._is_batch:
            return self._read_batch(batch, response, answer)
        (message,) = batch
        return [self._outcome(message, response, answer)]

    def _read_batch(
        self, batch: Sequence[Message], response: HttpResponse, answer: dict[str, object]
    ) -> list[Outcome]:
        check_status(response)
        items = self._value("items", answer)
        if not isinstance(items, list):
            raise MaybeSentError("an answer without items", code="garbage")
        found = self._items_by_id(batch, [answer | {"item": item} for item in items])
        return [self._items_outcome(message, response, found[message.id]) for message in batch]

    def _items_by_id(
        self, batch: Sequence[Message], items: Sequence[dict[str, object]]
    ) -> dict[str, list[dict[str, object]]]:
        found: dict[str, list[dict[str, object]]] = defaultdict(list)
        if "item_id" in self._found:
            for item in items:
                found[str(self._value("item_id", item))].append(item)
            return found
        if len(items) != len(batch):
            raise MaybeSentError("another number of items than of messages", code="garbage")
        return {message.id: [item] for message, item in zip(batch, items, strict=True)}

    def _items_outcome(
        self, message: Message, response: HttpResponse, items: Sequence[dict[str, object]]
    ) -> Outcome:
        """Read what all items about one message say; where they disagree, nobody knows."""
        every: Sequence[dict[str, object] | None] = items or [None]
        told = [self._item_outcome(message, response, item) for item in every]
        if len({one.kind for one in told}) == 1:
            return told[0]
        return Outcome(message_id=message.id, kind=OutcomeKind.UNKNOWN, code="contradictory")

    def _item_outcome(
        self, message: Message, response: HttpResponse, item: dict[str, object] | None
    ) -> Outcome:
        if item is None:
            return Outcome(message_id=message.id, kind=OutcomeKind.UNKNOWN, code="not_answered")
        try:
            return self._outcome(message, response, item)
        except GatewayError as error:
            return _outcome_of(error, message)

    def _outcome(
        self, message: Message, response: HttpResponse, values: Mapping[str, object]
    ) -> Outcome:
        is_success = 200 <= response.status < 300
        if is_success and self._value("accepted_when", values) is True:
            return Outcome(
                message_id=message.id,
                kind=OutcomeKind.ACCEPTED,
                gateway_ref=_without_phone(
                    _matching(_REFERENCE, self._value("reference", values)), message
                ),
            )
        code = _matching(_CODE, self._value("error_code", values))
        raise self._error_of(response, _without_phone(code, message))

    def _error_of(self, response: HttpResponse, code: str) -> GatewayError:
        wait_s = retry_after_s(response.headers)
        is_redirect = 300 <= response.status < 400
        if code in self.table.rows and not is_redirect:
            return self.table.error_of(code, retry_after_s=wait_s)
        if 200 <= response.status < 300:
            if code:
                return self.table.error_of(code, retry_after_s=wait_s)
            return MaybeSentError("an answer that says nothing of the message", code="garbage")
        return _refined(_status_error(response), code)

    def read_callback(self, callback: HttpCallback) -> Receipt | None:
        """
        Read a receipt. None: a word that says nothing new.

        Raises:
            ValueError: It has no status, one that no word of the settings names, or no id.
        """
        values = _call_of(callback)
        word = self._call_text("receipt_status", values)
        if word is None:
            raise ValueError("receipt_status: finds nothing in the call")
        kind = self._words.get(word.casefold(), self._words.get("*", ""))
        if not kind:
            raise ValueError("receipt_map: does not name the status of the call")
        receipt = self._receipt(callback.message_id, values)
        return None if kind == IGNORE else replace(receipt, kind=ReceiptKind(kind))

    def _receipt(self, message_id: str, values: Mapping[str, object]) -> Receipt:
        told = _matching(_OUR_ID, self._call_text("receipt_id", values))
        reference = _matching(_REFERENCE, self._call_text("receipt_reference", values))
        if message_id and told and told != message_id:
            raise ValueError("receipt_id: is about another message than the address")
        if not (message_id or told or reference):
            raise ValueError("the call names no message")
        return Receipt(
            message_id=message_id or told,
            kind=ReceiptKind.ACCEPTED,
            code=_without_number(_matching(_CODE, self._call_text("receipt_code", values))),
            gateway_ref=reference,
        )

    def read_reply(self, callback: HttpCallback) -> Reply | None:
        """
        Read a reply. None: a call that is no reply but a receipt.

        Raises:
            ValueError: It is neither.
        """
        values = _call_of(callback)
        sender = self._call_text("reply_from", values)
        body = self._call_text("reply_text", values)
        if not sender or body is None:
            if self._call_text("receipt_status", values) is not None:
                return None
            raise ValueError("the call is neither a reply nor a receipt")
        return Reply(
            sender=sender,
            recipient=self._call_text("reply_to", values) or "",
            body=body,
            gateway_ref=_matching(_REFERENCE, self._call_text("reply_id", values)),
        )

    def _value(self, name: str, values: Mapping[str, object]) -> Any:
        """Compute an expression over an answer; what cannot be computed says nothing."""
        found = self._found.get(name)
        try:
            return found(values) if found else None
        except EvaluationError:
            return None

    def _call_text(self, name: str, values: Mapping[str, object]) -> str | None:
        value = self._value(name, values)
        is_plain = isinstance(value, (str, int, float)) and not isinstance(value, bool)
        return str(value) if is_plain else None

    def _expression(self, name: str, source: str, names: Sequence[str]) -> Expression | None:
        if not source.strip():
            return None
        try:
            return read_expression(source, names=names)
        except ValueError as error:
            self._problems.append(f"{name}: {error}")
            return None

    def _read_table(self, settings: GenericSettings) -> ErrorTable:
        rows: dict[str, ErrorRow] = {}
        for name, error_class in _CLASSES.items():
            for code in getattr(settings, name).replace(",", " ").split():
                if not _CODE.fullmatch(code):
                    self._problems.append(f"{name}: a code has up to 48 letters, digits and _.:-")
                elif code in rows:
                    self._problems.append(f"{name}: the code {code} is in two lists")
                else:
                    rows[code] = _row(code, error_class)
        return ErrorTable(rows=rows, default=_row("*", ErrorClass(settings.default_class)))

    def _read_words(self, source: str) -> dict[str, str]:
        try:
            given = json.loads(source) if source.strip() else {}
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict):
            self._problems.append("receipt_map: must be a JSON object of words")
            return {}
        kinds = {*ReceiptKind, IGNORE}
        for word, kind in given.items():
            if kind not in kinds:
                known = ", ".join(sorted(kinds))
                self._problems.append(f"receipt_map.{word}: must be one of {known}")
        return {str(word).casefold(): str(kind) for word, kind in given.items()}


def _lacking(settings: GenericSettings) -> list[str]:
    wrong = {
        "accepted_when: is missing": not settings.accepted_when.strip(),
        "items: is missing, which max_batch needs": settings.max_batch > 1
        and not settings.items.strip(),
        "items: is for batches; max_batch is 1": settings.max_batch == 1 and bool(settings.items),
        "receipt_map: is missing": bool(settings.receipt_status) and not settings.receipt_map,
        "receipt_status: is missing": bool(settings.receipt_map) and not settings.receipt_status,
        "reply_text: is missing": bool(settings.reply_from) and not settings.reply_text,
        "reply_from: is missing": bool(settings.reply_text) and not settings.reply_from,
    }
    return [problem for problem, is_so in wrong.items() if is_so]


def _row(code: str, error_class: ErrorClass) -> ErrorRow:
    return ErrorRow(
        code=code,
        error_class=error_class,
        hardness=Hardness.NONE,
        meaning=f"{error_class.value}, says the connection",
    )


def _matching(pattern: re.Pattern[str], value: object) -> str:
    """Let only short codes and ids through; anything else might quote a phone or a text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""


def _without_phone(found: str, message: Message) -> str:
    """Drop a code or an id that holds the number: an expression may point at the wrong field."""
    return "" if message.to.removeprefix("+") in found else found


def _without_number(code: str) -> str:
    """Drop the code of a receipt that could be a phone: which one it is about is not known."""
    return "" if _PHONE.search(code) else code


def _answer_of(response: HttpResponse) -> dict[str, object]:
    return {
        "status": response.status,
        "headers": {name.lower(): value for name, value in response.headers.items()},
        "text": response.body.decode("utf-8", errors="replace"),
        "json": _json_of(response.body),
    }


def _call_of(callback: HttpCallback) -> dict[str, object]:
    headers = {name.lower(): value for name, value in callback.headers.items()}
    form = _form_of(callback.body) if "json" not in headers.get("content-type", "") else {}
    document = _json_of(callback.body)
    fields = document if isinstance(document, dict) else form
    return {
        "fields": {**callback.query, **fields},
        "query": callback.query,
        "form": form,
        "headers": headers,
        "text": callback.body.decode("utf-8", errors="replace"),
        "json": document,
    }


def _json_of(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _form_of(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=200)
    except ValueError:
        return {}
    return dict(reversed(pairs))


def _status_error(response: HttpResponse) -> GatewayError:
    try:
        check_status(response)
    except GatewayError as error:
        return error
    return MaybeSentError("an answer that says nothing of the message", code="garbage")


def _refined(error: GatewayError, code: str) -> GatewayError:
    """Put the gateway's own code in place of the status, unless the status says more."""
    if isinstance(error, RefusedError) and code and not is_hopeless(str(error.facts["code"])):
        return RefusedError(error.problem, code=code)
    return error


def _outcome_of(error: GatewayError, message: Message) -> Outcome:
    kind = OutcomeKind.UNKNOWN
    if isinstance(error, NotSentError):
        kind = OutcomeKind.NOT_SENT
    elif isinstance(error, RefusedError):
        kind = OutcomeKind.FAILED
    return Outcome(
        message_id=message.id,
        kind=kind,
        code=str(error.facts.get("code", "")),
        retry_after_s=error.facts.get("retry_after_s"),  # type: ignore[arg-type]
        is_own=bool(error.facts.get("is_own", False)),
    )
