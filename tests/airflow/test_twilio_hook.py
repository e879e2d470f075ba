"""The connection type of Twilio, tried from Airflow against a server that behaves as Twilio."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from smsflow_provider.hooks.gateway import TwilioHook
from tests.fake_twilio import ACCOUNT, KEY, KEY_SECRET, TOKEN, FakeTwilio

OTHER = "AC" + "f" * 32


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio() as server:
        yield server


@pytest.fixture
def try_connection(monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(host: str, login: str, password: str, **extra: str) -> tuple[bool, str]:
        connection = {
            "conn_type": "sms_twilio",
            "host": host,
            "login": login,
            "password": password,
            "extra": extra,
        }
        monkeypatch.setenv("AIRFLOW_CONN_SMS_GATEWAY", json.dumps(connection))
        return TwilioHook().test_connection()

    return run


@pytest.mark.parametrize(
    ("login", "password", "extra"),
    [
        (ACCOUNT, TOKEN, {}),
        (KEY, KEY_SECRET, {"account_sid": ACCOUNT, "auth_token": TOKEN}),
    ],
    ids=["token", "key"],
)
def test_a_sound_connection_passes_and_sends_nothing(
    twilio: FakeTwilio, try_connection: Any, login: str, password: str, extra: dict[str, str]
) -> None:
    works, said = try_connection(twilio.url, login, password, **extra)

    assert works, said
    assert "takes the login. No message was sent." in said
    assert [] == twilio.forms


@pytest.mark.parametrize(
    ("login", "password", "extra", "words"),
    [
        (ACCOUNT, "wrong", {}, "refuses the login"),
        (KEY, "wrong", {"account_sid": ACCOUNT}, "refuses the login"),
        (KEY, KEY_SECRET, {"account_sid": OTHER}, "no such account"),
        (KEY, KEY_SECRET, {}, "account_sid: is missing"),
        ("me@example.com", TOKEN, {}, "SID (AC…) is missing"),
        (ACCOUNT, TOKEN, {"acount_sid": ACCOUNT}, "account_sid"),
    ],
    ids=["token", "key", "account", "no account", "no sid", "misspelt"],
)
def test_what_is_wrong_with_a_connection_is_said(
    twilio: FakeTwilio,
    try_connection: Any,
    login: str,
    password: str,
    extra: dict[str, str],
    words: str,
) -> None:
    works, said = try_connection(twilio.url, login, password, **extra)

    assert not works
    assert words in said
    assert password not in said


def test_a_suspended_account_is_said(twilio: FakeTwilio, try_connection: Any) -> None:
    twilio.status = "suspended"
    works, said = try_connection(twilio.url, ACCOUNT, TOKEN)

    assert not works
    assert "not active" in said


def test_a_closed_door_is_said(try_connection: Any) -> None:
    works, said = try_connection("http://127.0.0.1:9", ACCOUNT, TOKEN)

    assert not works
    assert "127.0.0.1:9 does not answer: connect_refused" in said
