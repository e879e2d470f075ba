"""How a gateway that settings describe is written to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

from smsflow_provider.core.errors import RefusedError
from smsflow_provider.core.expression import EvaluationError, Expression, read_template
from smsflow_provider.core.gateways.base import HttpRequest
from smsflow_provider.core.gateways.generic_settings import GenericSettings
from smsflow_provider.core.model import Encoding, Message

#: What templates know of a message.
MESSAGE_NAMES: Final = (
    *("to", "to_digits", "sender", "text", "id", "callback_url", "parts", "encoding"),
    *("is_unicode", "validity_s", "expires_at"),
)
#: What they know of the connection.
CONNECTION_NAMES: Final = ("username", "password")
#: Where the messages of a batch go in a body.
EACH: Final = "each_message"

_TYPES: Final = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "xml": "application/xml; charset=UTF-8",
    "text": "text/plain; charset=UTF-8",
}
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_KEPT_HEADERS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection"})
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_PATH = re.compile(r"/[\x21-\x7e]*")

#: A body with its templates read: an object, a list, a template or a plain value.
Shape = Any


class Writing:
    """
    Writes requests by the templates of *settings*.

    Args:
        settings: Describe the gateway.
        problems: Gets everything that is wrong with them; with problems it must not be used.
    """

    def __init__(self, settings: GenericSettings, *, problems: list[str]) -> None:
        self._settings = settings
        self._problems = problems
        self._is_batch = settings.max_batch > 1
        self._read: dict[str, Expression] = {}
        own = CONNECTION_NAMES if self._is_batch else (*CONNECTION_NAMES, *MESSAGE_NAMES)
        self._url = settings.base_url + self._written_path("path", settings.path)
        self._check_url = settings.base_url + self._written_path("check_path", settings.check_path)
        self._headers = self._header_templates(own)
        self._shape = self._body_shape(own)
        if not problems:
            problems += self._lacking()

    @property
    def used(self) -> frozenset[str]:
        """The names that the templates of headers and body read."""
        return frozenset().union(*(each.names for each in self._read.values()))

    def write(self, batch: Sequence[Message], *, now: datetime) -> HttpRequest:
        """
        Write one request for *batch*.

        Raises:
            RefusedError: A text cannot be written (``bad_text``, ``bad_header``), or the templates
                do not fit (``misconfigured``); nothing was sent.
        """
        try:
            for message in batch:
                message.body.encode()
            return self._written(batch, now=now)
        except EvaluationError:
            problem = RefusedError("a template cannot be filled", code="misconfigured:template")
        except UnicodeEncodeError:
            problem = RefusedError("a text is not valid Unicode", code="bad_text")
        raise problem

    def write_check(self) -> HttpRequest:
        """Write a GET to ``check_path``, with the headers that are about the connection."""
        own = {"username": self._settings.username, "password": str(self._settings.password)}
        about = {
            name: _header_of(each(own))
            for name, each in self._headers.items()
            if each.names <= {*CONNECTION_NAMES}
        }
        headers = {name: value for name, value in about.items() if value is not None}
        return HttpRequest(method="GET", url=self._check_url, headers=headers)

    def try_out(self) -> None:
        """Fill every template for messages of every kind; what goes wrong joins the problems."""
        now = datetime(2026, 1, 1, tzinfo=UTC)
        connection = {"username": "u", "password": "p"}
        for message in _examples(now):
            values = connection | values_of(message, now=now)
            for place, template in self._read.items():
                self._attempt(place, template, values)

    def _attempt(self, place: str, template: Expression, values: Mapping[str, object]) -> None:
        try:
            template(values)
        except EvaluationError as error:
            problem = f"{place}: {error}, with {'a' if values['sender'] else 'no'} sender"
            self._problems.append(problem)

    def _written(self, batch: Sequence[Message], *, now: datetime) -> HttpRequest:
        settings = self._settings
        connection = {"username": settings.username, "password": str(settings.password)}
        messages = [connection | values_of(message, now=now) for message in batch]
        own = connection if self._is_batch else messages[0]
        headers = {name: _header_of(each(own)) for name, each in self._headers.items()}
        written = {name: value for name, value in headers.items() if value is not None}
        if "content-type" not in map(str.lower, written):
            written["Content-Type"] = _TYPES[settings.content_type]
        return HttpRequest(
            method=settings.method,
            url=self._url,
            headers=written,
            body=_ENCODERS[settings.content_type](_filled(self._shape, own, messages)),
        )

    def _written_path(self, name: str, path: str) -> str:
        if path and not _PATH.fullmatch(re.sub(r"\{\{.*?\}\}", "x", path)):
            self._problems.append(f"{name}: must begin with / and hold no blanks")
        try:
            found = read_template(path, names=(*CONNECTION_NAMES, *MESSAGE_NAMES))
            if not found.names - {"username"}:
                return str(found({"username": quote(self._settings.username, safe="")}) or "")
            problem = (
                f"uses {', '.join(sorted(found.names - {'username'}))}: a URL ends up in logs, so"
                " it holds no phone, text, id or password; use headers or the body"
            )
        except ValueError as error:
            problem = str(error)
        self._problems.append(f"{name}: {problem}")
        return ""

    def _header_templates(self, names: Sequence[str]) -> dict[str, Expression]:
        given = self._json_object("headers", self._settings.headers)
        self._problems += _header_problems(given)
        read = {
            name: self._template(f"headers.{name}", value, names)
            for name, value in given.items()
            if isinstance(value, str)
        }
        return {name: each for name, each in read.items() if each is not None}

    def _body_shape(self, names: Sequence[str]) -> Shape:
        settings = self._settings
        if settings.content_type in {"xml", "text"}:
            if self._is_batch:
                self._problems.append("max_batch: more than one message needs a body of json")
            return self._template("body", settings.body, names, markup=settings.content_type)
        document = self._json_object("body", settings.body)
        if settings.content_type == "form":
            return self._form_shape(document, names)
        return self._json_shape("body", document, names)

    def _form_shape(self, document: Mapping[str, object], names: Sequence[str]) -> Shape:
        if self._is_batch:
            self._problems.append("max_batch: more than one message needs a body of json")
        deep = [name for name, value in document.items() if isinstance(value, (dict, list))]
        if deep:
            self._problems.append(f"body: a form holds texts only, not {', '.join(deep)}")
        return self._json_shape("body", document, names)

    def _json_shape(self, place: str, value: object, names: Sequence[str]) -> Shape:
        if isinstance(value, dict) and set(value) == {EACH} and self._is_batch:
            inner = (*CONNECTION_NAMES, *MESSAGE_NAMES)
            return _Each(self._json_shape(f"{place}.{EACH}", value[EACH], inner))
        if isinstance(value, dict):
            return {k: self._json_shape(f"{place}.{k}", v, names) for k, v in value.items()}
        if isinstance(value, list):
            return [self._json_shape(f"{place}[{i}]", v, names) for i, v in enumerate(value)]
        return self._template(place, value, names) if isinstance(value, str) else value

    def _template(
        self, place: str, source: str, names: Sequence[str], *, markup: str = ""
    ) -> Expression | None:
        try:
            found = read_template(source, names=names, markup=markup == "xml")
        except ValueError as error:
            hint = f" (what is of a message stands in {EACH})" if self._is_batch else ""
            self._problems.append(f"{place}: {error}{hint}")
            return None
        self._read[place] = found
        return found

    def _json_object(self, name: str, text: str) -> dict[str, Any]:
        try:
            document = json.loads(text) if text.strip() else {}
        except (ValueError, RecursionError):
            self._problems.append(f"{name}: is not JSON")
            return {}
        if not isinstance(document, dict):
            self._problems.append(f"{name}: must be a JSON object")
            return {}
        return document

    def _lacking(self) -> Iterator[str]:
        """Find what a message would lose in silence."""
        used, settings = self.used, self._settings
        if not used & {"to", "to_digits"}:
            yield "body: says neither {{ to }} nor {{ to_digits }}"
        if "text" not in used:
            yield "body: says no {{ text }}"
        if "sender" not in used and not settings.fixes_sender:
            yield "body: says no {{ sender }}; where the gateway sets it, set fixes_sender"
        if "sender" in used and settings.fixes_sender:
            yield "fixes_sender: is set, but a template says {{ sender }}"
        says_encoding = used & {"encoding", "is_unicode"}
        if settings.unicode and not says_encoding and not settings.chooses_encoding:
            yield (
                "body: says neither {{ encoding }} nor {{ is_unicode }}; where the gateway finds"
                " out itself, set chooses_encoding"
            )
        if self._is_batch and not _holds_each(self._shape):
            yield f"body: says nowhere {EACH}, which max_batch needs"


class _Each:
    """Stands in a body where the messages go."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape


def values_of(message: Message, *, now: datetime) -> dict[str, object]:
    """What templates may read of *message*; None where it has nothing to say."""
    expires_at = message.expires_at
    left_s = max(1, int((expires_at - now).total_seconds())) if expires_at else None
    return {
        "to": message.to,
        "to_digits": message.to.removeprefix("+"),
        "sender": message.sender or None,
        "text": message.body,
        "id": message.id,
        "callback_url": message.callback_url,
        "parts": message.parts,
        "encoding": message.encoding.value,
        "is_unicode": message.encoding is Encoding.UCS2,
        "validity_s": left_s,
        "expires_at": expires_at.astimezone(UTC).isoformat() if expires_at else None,
    }


def _filled(
    shape: Shape, own: Mapping[str, object], messages: Sequence[Mapping[str, object]]
) -> Any:
    """Fill *shape*; what is None is left out, and an object or a list that it leaves empty."""
    if isinstance(shape, Expression):
        return shape(own)
    if isinstance(shape, _Each):
        return [_filled(shape.shape, each, messages) for each in messages]
    if isinstance(shape, dict):
        pairs = ((name, _filled(each, own, messages)) for name, each in shape.items())
        filled = {name: value for name, value in pairs if value is not None}
        return None if shape and not filled else filled
    if isinstance(shape, list):
        items = [_filled(each, own, messages) for each in shape]
        present = [each for each in items if each is not None]
        return None if shape and not present else present
    return shape


def _holds_each(shape: Shape) -> bool:
    if isinstance(shape, _Each):
        return True
    inner = shape.values() if isinstance(shape, dict) else shape if isinstance(shape, list) else ()
    return any(_holds_each(each) for each in inner)


def _header_problems(given: Mapping[str, object]) -> Iterator[str]:
    small = [name.lower() for name in given]
    for name, value in given.items():
        if not _HEADER_NAME.fullmatch(name):
            yield "headers: a name holds characters that none may hold"
        elif not isinstance(value, str):
            yield f"headers.{name}: must be a text"
        elif name.lower() in _KEPT_HEADERS:
            yield f"headers.{name}: is set by the connection itself"
        elif small.count(name.lower()) > 1:
            yield f"headers.{name}: is there twice"


def _header_of(value: object) -> str | None:
    text = None if value is None else _plain_text(value)
    if text is not None and _CONTROL.search(text):
        raise RefusedError("a header would hold a control character", code="bad_header")
    return text


def _plain_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_json(filled: object) -> bytes:
    return json.dumps({} if filled is None else filled, ensure_ascii=False).encode()


def _as_form(filled: Mapping[str, object] | None) -> bytes:
    pairs = {name: _plain_text(value) for name, value in (filled or {}).items()}
    return urlencode(pairs).encode()


def _as_text(filled: object) -> bytes:
    return ("" if filled is None else _plain_text(filled)).encode()


_ENCODERS: Final[Mapping[str, Callable[[Any], bytes]]] = {
    "json": _as_json,
    "form": _as_form,
    "xml": _as_text,
    "text": _as_text,
}


def _examples(now: datetime) -> Iterator[Message]:
    for encoding in Encoding:
        for sender, url, expires_at in (
            ("", None, None),
            ("Shop", "https://sms.example/smsflow/receipts/sms_http?m=1-1-1&t=x", now),
        ):
            yield Message(
                id="1-1-1",
                to="+447700900001",
                sender=sender,
                body="Example",
                encoding=encoding,
                parts=1,
                expires_at=expires_at + timedelta(hours=1) if expires_at else None,
                callback_url=url,
            )
