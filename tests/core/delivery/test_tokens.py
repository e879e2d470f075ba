"""Receipt tokens and addresses."""

from __future__ import annotations

import base64
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.delivery.tokens import (
    Signer,
    callback_url,
    check_public_url,
    read_callback_url,
)
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.model import message_id_of, read_message_id

OLD = b"an old key of 16+ bytes"
NEW = b"a new key of 16+ bytes."
IDS = st.builds(message_id_of, *[st.integers(0, 2**60 - 1)] * 3)


@given(IDS)
def test_a_token_holds_for_its_own_message(message_id: str) -> None:
    signer = Signer([NEW])

    assert signer.verify(message_id, signer.token_of(message_id))


@given(IDS, IDS)
def test_a_token_holds_for_no_other_message(one: str, other: str) -> None:
    signer = Signer([NEW])

    assert (one == other) == signer.verify(other, signer.token_of(one))


@given(IDS, st.text())
def test_no_made_up_token_holds(message_id: str, token: str) -> None:
    signer = Signer([NEW])

    assert (token == signer.token_of(message_id)) == signer.verify(message_id, token)


@given(st.text(st.characters()), st.text(st.characters()))
def test_anything_may_be_asked(message_id: str, token: str) -> None:
    """Both come from outside: lone surrogates, zero bytes, anything."""
    assert Signer([NEW]).verify(message_id, token) in {True, False}


@given(IDS)
def test_a_token_is_short_strong_and_needs_no_escaping(message_id: str) -> None:
    """24 characters of base64url are 144 bits."""
    assert re.fullmatch(r"[A-Za-z0-9_-]{24}", Signer([NEW]).token_of(message_id))


@pytest.mark.parametrize("place", [0, 11, 23])
def test_one_wrong_character_anywhere_breaks_a_token(place: int) -> None:
    signer = Signer([NEW])
    token = signer.token_of("1-1-1")
    other = "A" if token[place] != "A" else "B"

    assert not signer.verify("1-1-1", token[:place] + other + token[place + 1 :])


@given(st.binary(min_size=16, max_size=100), IDS)
def test_a_token_is_the_start_of_an_hmac_whatever_is_hashed_beforehand(
    key: bytes, message_id: str
) -> None:
    """Addresses are out there for days: the same key must make the same token for ever."""
    whole = hmac.digest(key, b"smsflow receipt v1\x00" + message_id.encode(), "sha256")

    assert base64.urlsafe_b64encode(whole[:18]).decode() == Signer([key]).token_of(message_id)


def test_a_shortened_or_empty_token_does_not_hold() -> None:
    signer = Signer([NEW])

    assert not signer.verify("1-1-1", "")
    assert not signer.verify("1-1-1", signer.token_of("1-1-1")[:-1])
    assert not signer.verify("1-1-1", signer.token_of("1-1-1") + "A")


def test_the_first_key_signs_and_every_key_verifies() -> None:
    before, during, after = Signer([OLD]), Signer([NEW, OLD]), Signer([NEW])

    assert during.verify("1-1-1", before.token_of("1-1-1"))
    assert after.token_of("1-1-1") == during.token_of("1-1-1")
    assert not after.verify("1-1-1", before.token_of("1-1-1"))


@pytest.mark.parametrize("keys", [[], [b""], [b"short"], [NEW, b"short"]])
def test_no_key_and_short_keys_are_refused(keys: list[bytes]) -> None:
    with pytest.raises(ConfigError) as caught:
        Signer(keys)

    assert "short" not in repr(caught.value).replace("shorter", "")


def test_a_signer_does_not_show_its_keys() -> None:
    signer = Signer([NEW])

    assert NEW.decode() not in repr(signer)
    assert not hasattr(signer, "__dict__")


@pytest.mark.parametrize("public", ["https://sms.example", "https://sms.example/a/b/"])
@given(message_id=IDS)
def test_an_address_reads_back_as_it_was_built(public: str, message_id: str) -> None:
    signer = Signer([NEW])
    url = callback_url(public, conn_type="sms_kannel", message_id=message_id, signer=signer)

    assert ("sms_kannel", message_id, signer.token_of(message_id)) == read_callback_url(url)


def test_an_address_is_under_smsflow_receipts_and_names_the_gateway() -> None:
    signer = Signer([NEW])
    url = callback_url(
        "http://h:8080/base/", conn_type="sms_simulator", message_id="2a-1-1", signer=signer
    )

    token = signer.token_of("2a-1-1")
    assert f"http://h:8080/base/smsflow/receipts/sms_simulator?m=2a-1-1&t={token}" == url


def test_what_a_gateway_appends_does_not_matter() -> None:
    url = "https://h/smsflow/receipts/sms_kannel?m=1-1-1&t=abc&type=8&ref="

    assert ("sms_kannel", "1-1-1", "abc") == read_callback_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://h/smsflow/receipts/?m=1&t=2",
        "https://h/receipts/sms_kannel?m=1&t=2",
        "https://h/smsflow/receipts/sms_kannel",
        "https://h/smsflow/receipts/sms_kannel?m=1",
        "https://h/smsflow/receipts/sms_kannel?m=1&m=2&t=3",
    ],
)
def test_another_address_is_not_a_receipt_address(url: str) -> None:
    with pytest.raises(ValueError, match="receipt address"):
        read_callback_url(url)


@pytest.mark.parametrize(
    "url", ["http://h", "https://sms.example", "https://sms.example:8443/base/", "http://10.0.0.1"]
)
def test_a_plain_public_address_is_fine(url: str) -> None:
    check_public_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sms.example",
        "ftp://sms.example",
        "https://",
        "https://me:hush@sms.example",
        "https://sms.example/?x=1",
        "https://sms.example/#x",
        "https://sms.exämple",
        "https://sms.example/\n",
        "https://sms.example:port",
        "https://[::1",
    ],
)
def test_another_public_address_is_refused_without_being_quoted(url: str) -> None:
    """It may hold a password."""
    with pytest.raises(ConfigError) as caught:
        check_public_url(url)

    assert "hush" not in str(caught.value)


def test_the_id_in_an_address_is_a_message_id() -> None:
    signer = Signer([NEW])
    url = callback_url("https://h", conn_type="c", message_id="2a-1-1388", signer=signer)

    assert (42, 1, 5000) == read_message_id(read_callback_url(url)[1])
