"""People who were erased: known by a keyed hash of their number, and by nothing else."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from smsflow_provider.core.errors import StoreError
from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.statements import statements

_SQL: Final = "erasure"
#: Bytes of a hash that are kept: nobody's number is another one's, and none can be tried out.
_HASH_BYTES: Final = 16
#: Bytes of a block of SHA-256, to which a key is filled.
_BLOCK: Final = 64


def remember_erased(store: Store, phone: int) -> None:
    """Keep the hash of a number: from now on nothing is sent to it. Said twice, it is once."""
    sqls = statements(_SQL)
    with store.transaction() as connection:
        connection.execute(sqls["make_key"], {"secret": secrets.token_bytes(32)})
        hashed = _hasher(_key(connection))
        connection.execute(sqls["remember"], {"hash": hashed(phone)})


def lift_erased(connection: Connection, phones: Sequence[int]) -> int:
    """
    Forget the hashes of some numbers, so that they may be texted again.

    Returns:
        How many were kept.
    """
    secret = _secret(connection) if phones else None
    if secret is None:
        return 0
    values = {"hashes": list(map(_hasher(secret), phones))}
    return connection.execute(statements(_SQL)["lift"], values).rowcount


def erased_of(connection: Connection, phones: Sequence[int]) -> set[int]:
    """
    Find the numbers of people who were erased among a few, such as those of one hand-over.

    To be asked only if somebody was.

    Raises:
        StoreError: The key is lost.
    """
    hashed = _hasher(_key(connection))
    by_hash = {hashed(phone): phone for phone in phones}
    values = {"packed": b"".join(by_hash)}
    rows = connection.execute(statements(_SQL)["known_hashes"], values, binary=True).fetchall()
    return {by_hash[row["hash"]] for row in rows}


def erased_among(store: Store, phones: Iterable[int]) -> list[int]:
    """
    Find the numbers of people who were erased among many.

    Costs nothing while nobody was; else every number is hashed, about a microsecond each.

    Args:
        phones: E.164 without the plus; zeros are no numbers.

    Returns:
        Those, ascending.

    Raises:
        StoreError: Somebody was, and the key is lost.
    """
    with store.transaction() as connection:
        kept = _kept(connection)
        if not kept:
            return []
        hashed = _hasher(_key(connection))
    return sorted({phone for phone in phones if phone and hashed(phone) in kept})


def _kept(connection: Connection) -> frozenset[bytes]:
    # Deliveries are prepared on a store of the former version, too, before it is migrated.
    known = connection.execute(statements(_SQL)["has_table"]).fetchone()
    if known is None or not known["is_there"]:
        return frozenset()
    row = connection.execute(statements(_SQL)["packed_hashes"], binary=True).fetchone()
    packed = (row and row["hashes"]) or b""
    return frozenset(
        packed[start : start + _HASH_BYTES] for start in range(0, len(packed), _HASH_BYTES)
    )


def _secret(connection: Connection) -> bytes | None:
    row = connection.execute(statements(_SQL)["read_key"]).fetchone()
    return None if row is None else bytes(row["secret"])


def _key(connection: Connection) -> bytes:
    secret = _secret(connection)
    if secret is None:
        raise StoreError(
            "people were erased, and the key that knows them is lost: nobody can be texted",
            do="bring smsflow_erasure_key back from a backup of the store",
        )
    return secret


def _hasher(secret: bytes) -> Callable[[int], bytes]:
    """
    Make the function that hashes a number by *secret*.

    HMAC as RFC 2104 has it; by copies of its two first blocks it takes a third of ``hmac``'s time.
    """
    key = secret.ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key))

    def hashed(phone: int) -> bytes:
        message, whole = inner.copy(), outer.copy()
        message.update(b"%d" % phone)
        whole.update(message.digest())
        return whole.digest()[:_HASH_BYTES]

    return hashed
