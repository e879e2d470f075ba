"""What is kept of a write over REST: enough to know it again, and nothing that tells a number."""

from __future__ import annotations

import hmac
from datetime import timedelta
from hashlib import sha256
from itertools import product

import pytest

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.keys import read_keys, rotate
from smsflow_provider.core.store.requests import (
    Asked,
    Claim,
    Used,
    answer_request,
    begin_request,
)

BODY = b'{"number": "+33612000111"}'


def asked(body: bytes = BODY) -> Asked:
    return Asked(actor="ann", key="k", route="POST /x", body_hash=sha256(body).digest())


def kept_of(store: Store) -> bytes:
    """Read what the store holds of the one request."""
    with store.transaction() as connection:
        row = connection.execute("SELECT body_hash FROM smsflow_requests").fetchone()
    assert row
    return bytes(row["body_hash"])


def test_who_reads_the_table_cannot_try_numbers(store: Store) -> None:
    begin_request(store, asked())
    kept = kept_of(store)
    guessed = sha256(BODY).digest()

    assert guessed not in kept
    assert guessed.hex() not in repr(asked())
    for salt, text in product((b"", b"ann", b"k", b"POST /x"), (BODY, guessed)):
        assert kept not in {sha256(salt + text).digest(), hmac.digest(salt, text, "sha256")}


def test_a_callback_token_is_no_seal(store: Store) -> None:
    """The same keys sign addresses, and who knows those knows nothing of bodies."""
    begin_request(store, asked())
    (key,) = read_keys(store)

    assert kept_of(store) != hmac.digest(key, sha256(BODY).digest(), "sha256")


def test_the_same_request_is_known_again_after_keys_were_rotated(store: Store) -> None:
    claim = begin_request(store, asked())
    assert isinstance(claim, Claim)
    answer_request(store, claim, status=200, answer={})
    rotate(store, signs_after=timedelta(0))

    same, other = begin_request(store, asked()), begin_request(store, asked(b"{}"))

    assert Used(is_same=True, status=200, answer={}) == same
    assert isinstance(other, Used)
    assert not other.is_same


def test_one_that_died_before_a_rotation_is_taken_over_by_the_same_request(store: Store) -> None:
    begin_request(store, asked())
    rotate(store, signs_after=timedelta(0))
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_requests SET begun_at = begun_at - interval '61 seconds'"
        )

    assert isinstance(begin_request(store, asked(b"{}")), Used)
    assert isinstance(begin_request(store, asked()), Claim)


def test_a_store_without_a_key_remembers_nothing(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute("DELETE FROM smsflow_keys")

    with pytest.raises(ConfigError, match="smsflow keys rotate"):
        begin_request(store, asked())
