"""
How Twilio signs its calls, as its own libraries check it.

The signature is an HMAC over the address as Twilio called it and, of a form, over its fields in
order. Of any other body the address carries the hash, as ``bodySHA256``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from urllib.parse import ParseResult, parse_qs, parse_qsl, urlparse

from smsflow_provider.core.gateways.base import HttpCallback

SIGNATURE_HEADER = "X-Twilio-Signature"
#: Names the algorithm, where it is not the old one.
ALGORITHM_HEADER = "X-Twilio-Webhooks-Signature-Settings"
_ALGORITHMS = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
_FORM = "application/x-www-form-urlencoded"
#: More fields than any call of Twilio has.
_FIELD_LIMIT = 500


def is_signed(callback: HttpCallback, *, secret: str) -> bool:
    """
    Check that *callback* was signed with *secret*; never raises.

    Twilio's servers do not agree on whether the usual port belongs to the address, so both
    readings count. The comparison takes as long for a near miss as for a far one.

    Args:
        callback: With the whole address as Twilio called it, and headers and body as they came.
        secret: The account's auth token. Empty: nothing is signed.
    """
    if not secret:
        return False
    try:
        return _check(callback, secret.encode())
    except ValueError:  # an address or a body that cannot be read
        return False


def signature_of(signed: str, *, secret: bytes, algorithm: str = "sha1") -> bytes:
    """Sign *signed*, the address with its fields behind it."""
    return base64.b64encode(hmac.new(secret, signed.encode(), algorithm).digest())


def _check(callback: HttpCallback, secret: bytes) -> bool:
    headers = {name.lower(): value for name, value in callback.headers.items()}
    algorithm = _ALGORITHMS.get(_algorithm_of(headers.get(ALGORITHM_HEADER.lower(), "")))
    if algorithm is None:
        return False
    address = urlparse(callback.url)
    fields = _fields_of(callback, headers, address)
    if fields is None:
        return False
    given = headers.get(SIGNATURE_HEADER.lower(), "").encode()
    found = False
    for url in (_without_port(address), _with_port(address)):
        made = signature_of(url + fields, secret=secret, algorithm=algorithm)
        found |= hmac.compare_digest(made, given)
    return found


def _algorithm_of(settings: str) -> str:
    for part in settings.split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip():
            return value.strip().upper()
    return "HMAC_SHA1"


def _fields_of(
    callback: HttpCallback, headers: Mapping[str, str], address: ParseResult
) -> str | None:
    """What is signed behind the address. None: the body is not what the address says."""
    content = headers.get("content-type", "").partition(";")[0].strip().lower()
    said = parse_qs(address.query).get("bodySHA256")
    if said and content != _FORM:
        made = hashlib.sha256(callback.body).hexdigest()
        return "" if hmac.compare_digest(made.encode(), said[0].encode()) else None
    if content not in {_FORM, ""} and callback.body:
        return None
    return "".join(_ordered(callback.body))


def _ordered(body: bytes) -> Iterator[str]:
    pairs = parse_qsl(
        body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_FIELD_LIMIT
    )
    for name, value in sorted(set(pairs)):
        yield name + value


def _without_port(address: ParseResult) -> str:
    if not address.port:
        return address.geturl()
    return address._replace(netloc=address.netloc.rpartition(":")[0]).geturl()


def _with_port(address: ParseResult) -> str:
    if address.port:
        return address.geturl()
    port = 443 if address.scheme == "https" else 80
    return address._replace(netloc=f"{address.netloc}:{port}").geturl()
