"""Writing a request as HTTP/1.1 carries it. What cannot be written has certainly not left."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit

from smsflow_provider.core.errors import NotSentError
from smsflow_provider.core.gateways.base import HttpRequest

_UNWRITABLE: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PORTS: Final = {"http": 80, "https": 443}
#: What may stand in an address as it is; the rest is escaped.
_SAFE: Final = "%/:?[]@!$&'()*+,;=-._~"
#: Headers about the length, which is known here.
_OWN: Final = frozenset({"content-length", "transfer-encoding"})
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


class Place(NamedTuple):
    """Where a connection goes."""

    is_secure: bool
    host: str
    port: int


class _Base(NamedTuple):
    place: Place
    #: As the ``Host`` header names it.
    named: str
    path: str


def written(request: HttpRequest) -> tuple[Place, bytes]:
    """
    Write *request*, whole.

    Returns:
        Where it goes, and its bytes.

    Raises:
        NotSentError: Its address or one of its headers cannot be written.

    Example:
        >>> place, text = written(HttpRequest(method="GET", url="http://sms.example/a?b=c d"))
        >>> place.port, text.splitlines()[:2]
        (80, [b'GET /a?b=c%20d HTTP/1.1', b'Host: sms.example'])
    """
    address, _, query = request.url.partition("#")[0].partition("?")
    base = _base_of(address)
    if base is None or not _TOKEN.fullmatch(request.method):
        raise NotSentError("the request did not leave", code="bad_url")
    target = f"{base.path}?{_escaped(query)}" if query else base.path
    headers = _headers_of(request, named=base.named)
    head = f"{request.method} {target} HTTP/1.1\r\n{headers}\r\n"
    return base.place, head.encode() + request.body


def _headers_of(request: HttpRequest, *, named: str) -> str:
    headers = request.headers
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    names = {name.lower() for name in headers}
    # All of them at once, behind tabs, which may stand in a value.
    if _UNWRITABLE.search("\t".join(headers.values())) or not (
        all(names) and _TOKEN.fullmatch("".join(names) or "-")
    ):
        raise NotSentError("a header holds a control character", code="bad_request")
    if names & _OWN:
        raise NotSentError("a header tells a length of its own", code="bad_request")
    if "host" not in names:
        lines.insert(0, f"Host: {named}\r\n")
    if "accept" not in names:
        lines.append("Accept: */*\r\n")
    if request.body and "content-type" not in names:
        lines.append("Content-Type: application/octet-stream\r\n")
    if request.body or request.method in _WITH_BODY:
        lines.append(f"Content-Length: {len(request.body)}\r\n")
    return "".join(lines)


@lru_cache(maxsize=64)
def _base_of(address: str) -> _Base | None:
    """Read an address without its query, which may be private. None: it is none."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        default = _PORTS.get(parts.scheme)
        port = parts.port if parts.port is not None else default
    except ValueError:
        return None
    if not host or default is None or not port or "@" in parts.netloc:
        return None
    if _UNWRITABLE.search(address):
        return None
    shown = f"[{host}]" if ":" in host else host
    named = shown if port == default else f"{shown}:{port}"
    place = Place(is_secure=parts.scheme == "https", host=host, port=port)
    return _Base(place, named, _escaped(parts.path) or "/")


def _escaped(text: str) -> str:
    return quote(text, safe=_SAFE, errors="replace")
