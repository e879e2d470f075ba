"""
Callback addresses that nobody else can make up.

A gateway that signs nothing still calls back with a token of ours: an HMAC over the message's
own id. The address carries that id and the token, and nothing about the phone or the text.
"""

from __future__ import annotations

import hmac
import re
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from hashlib import sha256
from urllib.parse import parse_qs, quote, quote_plus, urlencode, urlsplit

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.registry import CONNECTION_PARAMETER

#: Bytes of the HMAC that are kept: 144 bits, which is 24 characters without padding.
_TOKEN_BYTES = 18
_KEY_BYTES_MIN = 16
#: What a query carries as it is. A token is of these characters.
_PLAIN = re.compile("[0-9A-Za-z_-]+")
#: What the name of a connection's own address begins with; no message id does.
_INBOUND = "inbound:"
#: Keeps these tokens apart from anything else that might be signed with the same key.
_PURPOSE = b"smsflow receipt v1\x00"
#: What SHA-256 hashes at once.
_BLOCK_BYTES = 64
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Signer:
    """
    Signs message ids and checks tokens. Its keys never show.

    The first key signs and every key verifies. To rotate: put the new key first, and drop the
    old one once receipts for messages sent under it can no longer come.

    Args:
        keys: For the addresses of messages.
        inbound_keys: For the addresses of whole connections, which people enter at gateways and
            which must outlive the others. Empty: the same.

    Raises:
        ConfigError: No key at all, or one shorter than 16 bytes.

    Example:
        >>> signer = Signer([b"0123456789abcdef"])
        >>> signer.verify("2a-1-1388", signer.token_of("2a-1-1388"))
        True
        >>> signer.verify("2a-1-1389", signer.token_of("2a-1-1388"))
        False
    """

    __slots__ = ("_inbound_seals", "_seals")

    def __init__(self, keys: Sequence[bytes], *, inbound_keys: Sequence[bytes] = ()) -> None:
        if not keys or min(map(len, [*keys, *inbound_keys])) < _KEY_BYTES_MIN:
            raise ConfigError("receipts need signing keys of 16 bytes or more", keys=len(keys))
        self._seals = tuple(map(_Seal, keys))
        self._inbound_seals = tuple(map(_Seal, inbound_keys)) or self._seals

    def _seals_of(self, name: str) -> tuple[_Seal, ...]:
        return self._inbound_seals if name.startswith(_INBOUND) else self._seals

    def token_of(self, message_id: str) -> str:
        """Sign *message_id*: 24 characters that need no escaping in a URL."""
        return self._seals_of(message_id)[0].token_of(message_id)

    def of_messages(self) -> Callable[[str], str]:
        """Give ``token_of`` for names that are no inbound ones: one is made for each message."""
        return self._seals[0].token_of

    def verify(self, message_id: str, token: str) -> bool:
        """
        Check that *token* was made for *message_id* by one of the keys.

        Every key is tried in full, whatever the token is, so that the time tells nothing.
        """
        given = token.encode("utf-8", errors="replace")
        found = False
        for seal in self._seals_of(message_id):
            found |= hmac.compare_digest(seal.token_of(message_id).encode(), given)
        return found


def callback_url(
    public_url: str, *, conn_type: str, message_id: str, signer: Signer, conn_id: str = ""
) -> str:
    """
    Build the address at which a gateway reports on one message.

    Args:
        public_url: Where the receiver is reached from outside, with or without a slash at
            the end; checked by `check_public_url`, once, not here.
        conn_type: The gateway's connection type.
        message_id: Our own id of the message.
        signer: Makes the token.
        conn_id: The connection through which the message goes. Only for types of which several
            connections are read differently, or sign with keys of their own. The token is for
            this type and this connection then: it opens no address where nobody must sign.

    Example:
        >>> signer = Signer([b"0123456789abcdef"])
        >>> callback_url("https://sms.example/", conn_type="sms_kannel", message_id="2a-1-1",
        ...              signer=signer)
        'https://sms.example/smsflow/receipts/sms_kannel?m=2a-1-1&t=WgIeVoB_GkSPnEfI4UDpsKbO'
    """
    addresses = callback_urls(public_url, conn_type=conn_type, signer=signer, conn_id=conn_id)
    return addresses(message_id)


def callback_urls(
    public_url: str, *, conn_type: str, signer: Signer, conn_id: str = ""
) -> Callable[[str], str]:
    """
    Build the writer of the addresses of all messages of one connection, by message id.

    What they begin and end with, and what is the same in their tokens, is made once. Arguments
    and addresses are those of `callback_url`.

    Example:
        >>> address_of = callback_urls("https://sms.example", conn_type="sms_kannel",
        ...                            signer=Signer([b"0123456789abcdef"]))
        >>> address_of("2a-1-1")
        'https://sms.example/smsflow/receipts/sms_kannel?m=2a-1-1&t=WgIeVoB_GkSPnEfI4UDpsKbO'
    """
    start = f"{public_url.rstrip('/')}/smsflow/receipts/{conn_type}?m="
    end = f"&{urlencode({CONNECTION_PARAMETER: conn_id})}" if conn_id else ""
    token_of = signer.of_messages()
    is_plain = _PLAIN.fullmatch

    def address_of(message_id: str) -> str:
        token = token_of(
            receipt_name(message_id, conn_type=conn_type, conn_id=conn_id)
            if conn_id
            else message_id
        )
        # Made for each message: urlencode would take longer than all the rest of it.
        plain = message_id if is_plain(message_id) else quote_plus(message_id)
        return f"{start}{plain}&t={token}{end}"

    return address_of


def inbound_url(public_url: str, *, conn_type: str, conn_id: str, signer: Signer) -> str:
    """
    Build the address at which a gateway passes on what people write back, and receipts that
    come for a whole account.

    It holds for as long as the key that made its token: make it anew after keys were rotated.
    A gateway that signs its calls is asked for its signature instead of the token.

    Args:
        public_url: Where the receiver is reached from outside; see ``callback_url``.
        conn_type: The gateway's connection type.
        conn_id: The Airflow connection of the gateway.
        signer: Makes the token.

    Example:
        >>> inbound_url("https://sms.example", conn_type="sms_twilio", conn_id="sms_gateway",
        ...             signer=Signer([b"0123456789abcdef"]))
        'https://sms.example/smsflow/inbound/sms_twilio/sms_gateway?t=gJ7EYg06UbyiSlcPlJz88PCh'
    """
    query = urlencode({"t": signer.token_of(inbound_name(conn_id))})
    place = f"{conn_type}/{quote(conn_id, safe='')}"
    return f"{public_url.rstrip('/')}/smsflow/inbound/{place}?{query}"


def receipt_name(message_id: str, *, conn_type: str, conn_id: str) -> str:
    """Name what the token of a receipt's address is made for. Without *conn_id*: the message."""
    return f"{conn_type}/{conn_id}/{message_id}" if conn_id else message_id


def inbound_name(conn_id: str) -> str:
    """Name what the token of an inbound address is made for: never a message id."""
    return f"{_INBOUND}{conn_id}"


def check_public_url(public_url: str) -> None:
    """
    Check that *public_url* can carry receipts.

    Raises:
        ConfigError: It is not an absolute http or https address in plain ASCII, or it has a
            query or a login.
    """
    try:
        parts = urlsplit(public_url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ConfigError("public_url is not an address") from None
    extra = parts.query or parts.fragment or parts.username is not None
    if not sound or extra or not public_url.isascii() or not public_url.isprintable():
        raise ConfigError("public_url is not a plain http or https address")


def read_callback_url(url: str) -> tuple[str, str, str]:
    """
    Read ``(conn_type, message_id, token)`` back from an address of `callback_url`.

    Whatever the gateway appended to the query is left aside. The token is not checked.

    Raises:
        ValueError: It is not such an address.
    """
    parts = urlsplit(url)
    place, _, conn_type = parts.path.rpartition("/")
    if not conn_type or not place.endswith("/smsflow/receipts"):
        raise ValueError("not a receipt address")
    query = parse_qs(parts.query)
    if len(query.get("m", [])) != 1 or len(query.get("t", [])) != 1:
        raise ValueError("a receipt address names one message and one token")
    return conn_type, query["m"][0], query["t"][0]


class _Seal:
    """
    HMAC-SHA256 (RFC 2104) under one key, for many names.

    What is the same for all of them is hashed once: both pads of the key, and the purpose.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        short = key if len(key) <= _BLOCK_BYTES else sha256(key).digest()
        padded = short.ljust(_BLOCK_BYTES, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in padded) + _PURPOSE)
        self._outer = sha256(bytes(byte ^ 0x5C for byte in padded))

    def token_of(self, name: str) -> str:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(name.encode() if name.isascii() else name.encode("utf-8", "replace"))
        outer.update(inner.digest())
        text = b2a_base64(outer.digest()[:_TOKEN_BYTES], newline=False)
        return text.translate(_URL_SAFE).decode("ascii")
