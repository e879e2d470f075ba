"""Twilio's dialect, written and read."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import ConfigError, GatewayError, RefusedError
from smsflow_provider.core.gateways.base import Feature, HttpCallback, HttpRequest, HttpResponse
from smsflow_provider.core.gateways.error_table import ErrorClass, Hardness
from smsflow_provider.core.gateways.http import outcome_of
from smsflow_provider.core.gateways.registry import connection_form, read_connection
from smsflow_provider.core.gateways.settings import ConnectionFields, Secret
from smsflow_provider.core.gateways.status import is_hopeless
from smsflow_provider.core.gateways.twilio import TwilioDialect, TwilioSettings, error_table
from smsflow_provider.core.model import (
    Encoding,
    Message,
    OutcomeKind,
    Receipt,
    ReceiptKind,
    Reply,
)
from smsflow_provider.testing.examples import example_message

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ACCOUNT = "AC" + "0123456789abcdef" * 2
SERVICE = "MG" + "0123456789abcdef" * 2
SID = "SM" + "fedcba9876543210" * 2
CALLBACK = "https://sms.example/smsflow/receipts/sms_twilio?m=1-1-1&t=abc_-9"
SETTINGS = TwilioSettings(
    base_url="https://api.twilio.com", username=ACCOUNT, password=Secret("hush")
)
KEY = replace(
    SETTINGS, username="SK1", password=Secret("hush"), account_sid=ACCOUNT, auth_token=Secret("t")
)


def dialect_of(settings: TwilioSettings = SETTINGS) -> TwilioDialect:
    return TwilioDialect(settings, now=lambda: NOON)


def form_of(message: Message, settings: TwilioSettings = SETTINGS) -> dict[str, str]:
    pairs = parse_qsl(dialect_of(settings).write([message]).body.decode(), keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def call_of(form: Mapping[str, str], **more: Any) -> HttpCallback:
    return HttpCallback(message_id="1-1-1", body=urlencode(form).encode(), **more)


# Writing


def test_a_message_is_one_form() -> None:
    message = example_message(1, sender="Shop", body="Été + 1 €", callback_url=CALLBACK)
    login = base64.b64encode(f"{ACCOUNT}:hush".encode()).decode()
    fields = {
        "To": "+447700900001",
        "From": "Shop",
        "Body": "Été + 1 €",
        "SmartEncoded": "false",
        "StatusCallback": CALLBACK,
    }

    assert HttpRequest(
        method="POST",
        url=f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
        headers={
            "Accept": "application/json",
            "Authorization": f"Basic {login}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        body=urlencode(fields).encode(),
    ) == dialect_of().write([message])


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_body_is_the_text_character_by_character(text: str) -> None:
    assert text == form_of(example_message(body=text))["Body"]


def test_a_text_with_half_a_character_is_refused_before_sending() -> None:
    with pytest.raises(RefusedError) as caught:
        dialect_of().write([example_message(body="\ud83d")])

    assert "bad_text" == caught.value.facts["code"]
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("sender", "service", "expected"),
    [
        ("Shop", "", {"From": "Shop"}),
        ("", SERVICE, {"MessagingServiceSid": SERVICE}),
        ("+15005550006", SERVICE, {"From": "+15005550006", "MessagingServiceSid": SERVICE}),
    ],
)
def test_a_message_goes_by_its_sender_or_by_the_service(
    sender: str, service: str, expected: dict[str, str]
) -> None:
    form = form_of(example_message(sender=sender), replace(SETTINGS, messaging_service_sid=service))

    assert expected == {k: form[k] for k in ("From", "MessagingServiceSid") if k in form}


def test_without_a_sender_nothing_leaves_and_the_sender_stops() -> None:
    with pytest.raises(RefusedError) as caught:
        dialect_of().write([example_message(sender="")])

    assert is_hopeless(str(caught.value.facts["code"]))


@pytest.mark.parametrize(
    ("left", "seconds"),
    [
        (timedelta(seconds=90, milliseconds=900), "90"),
        (timedelta(hours=10), "36000"),
        (timedelta(days=3), "36000"),
        (timedelta(milliseconds=100), "1"),
        (timedelta(seconds=-5), "1"),
    ],
)
def test_the_validity_is_what_is_left_within_what_twilio_takes(
    left: timedelta, seconds: str
) -> None:
    assert seconds == form_of(example_message(expires_at=NOON + left))["ValidityPeriod"]


def test_what_nobody_asked_for_is_not_said() -> None:
    assert {"To", "From", "Body", "SmartEncoded"} == set(form_of(example_message()))


def test_an_api_key_logs_in_for_the_account_it_names() -> None:
    request = dialect_of(KEY).write([example_message()])

    assert f"/Accounts/{ACCOUNT}/" in request.url
    assert f"Basic {base64.b64encode(b'SK1:hush').decode()}" == request.headers["Authorization"]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_an_account_cannot_lead_to_another_address(account: str) -> None:
    url = dialect_of(replace(SETTINGS, account_sid=account)).write([example_message()]).url

    assert url.startswith("https://api.twilio.com/2010-04-01/Accounts/")
    assert url.endswith("/Messages.json")
    assert 6 == url.count("/")
    assert not {"?", "#", " "} & set(url)


# The connection


def test_a_connection_without_a_scheme_is_never_in_the_clear() -> None:
    settings = read_connection("sms_twilio", ConnectionFields(host="api.twilio.com"))

    assert "https://api.twilio.com" == settings.base_url


def test_the_base_url_is_the_connections_host() -> None:
    fields = ConnectionFields(host="http://127.0.0.1:9000", login=ACCOUNT)
    settings = read_connection("sms_twilio", fields)
    assert isinstance(settings, TwilioSettings)

    assert dialect_of(settings).write([example_message()]).url.startswith("http://127.0.0.1:9000/")


def test_the_auth_token_of_a_connection_shows_nowhere() -> None:
    extra = {"account_sid": ACCOUNT, "auth_token": "hush-hush"}
    settings = read_connection("sms_twilio", ConnectionFields(host="x", extra=extra))
    form = connection_form("sms_twilio", hook_class_name="x.Y")["conn-fields"]
    assert isinstance(settings, TwilioSettings)
    assert isinstance(form, dict)

    assert "hush-hush" == settings.signing_secret
    assert "hush-hush" not in repr(settings)
    assert "password" == form["auth_token"]["schema"]["format"]


@pytest.mark.parametrize(
    ("settings", "secret"),
    [
        (SETTINGS, "hush"),
        (KEY, "t"),
        (replace(KEY, auth_token=Secret("")), ""),
        (replace(SETTINGS, password=Secret("")), ""),
    ],
)
def test_calls_are_signed_with_the_auth_token_and_never_with_a_key(
    settings: TwilioSettings, secret: str
) -> None:
    assert secret == settings.signing_secret
    assert bool(secret) == (Feature.SIGNED_CALLS in dialect_of(settings).features)
    assert dialect_of(settings).features >= TwilioDialect.features - {Feature.SIGNED_CALLS}


@pytest.mark.parametrize(
    ("login", "extra", "words"),
    [
        ("SK0", {}, ["account_sid: is missing"]),
        ("AC0", {"account_sid": "AC0"}, ["account_sid: must be AC"]),
        (
            "SK0",
            {"account_sid": SERVICE, "messaging_service_sid": ACCOUNT},
            ["account_sid: must be AC", "messaging_service_sid: must be MG"],
        ),
    ],
)
def test_everything_wrong_with_the_sids_is_said_at_once(
    login: str, extra: dict[str, object], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_connection("sms_twilio", ConnectionFields(host="x", login=login, extra=extra))
    problems = caught.value.facts["problems"]
    assert isinstance(problems, list)

    assert words == [word for word, problem in zip(words, problems, strict=True) if word in problem]


# Answers


@pytest.mark.parametrize(
    "status", ["queued", "accepted", "scheduled", "sending", "sent", "delivered", "a new one"]
)
def test_a_message_with_an_id_is_accepted(status: str) -> None:
    body = json.dumps({"sid": SID, "status": status}).encode()
    (outcome,) = dialect_of().read([example_message()], HttpResponse(status=201, body=body))

    assert (OutcomeKind.ACCEPTED, SID) == (outcome.kind, outcome.gateway_ref)


@pytest.mark.parametrize("status", ["failed", "undelivered", "canceled"])
def test_a_message_that_is_dead_at_once_has_failed(status: str) -> None:
    body = json.dumps({"sid": SID, "status": status, "error_code": None}).encode()
    (outcome,) = dialect_of().read([example_message()], HttpResponse(status=201, body=body))

    assert (OutcomeKind.FAILED, status, SID) == (outcome.kind, outcome.code, outcome.gateway_ref)


@given(
    st.integers(100, 599),
    st.one_of(
        st.binary(max_size=50),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(st.sampled_from(["code", "sid", "status", "error_code"]), inner)
            ),
        ).map(lambda document: json.dumps(document).encode()),
    ),
)
def test_no_answer_breaks_the_reading_or_is_taken_for_acceptance(status: int, body: bytes) -> None:
    message = example_message()
    try:
        (outcome,) = dialect_of().read([message], HttpResponse(status=status, body=body))
    except GatewayError as error:
        outcome = outcome_of(error, message_id=message.id)

    assert len(outcome.code) <= 64
    if outcome.kind is OutcomeKind.ACCEPTED:
        assert 200 <= status < 300
        assert outcome.gateway_ref


@pytest.mark.parametrize("code", ["21211", "21614", "30005", "30006"])
def test_what_says_that_a_number_is_dead_is_hard(code: str) -> None:
    assert Hardness.HARD is error_table().find(code).hardness


def test_who_opted_out_at_twilio_is_opted_out_and_not_dead() -> None:
    assert Hardness.OPT_OUT is error_table().find("21610").hardness


@pytest.mark.parametrize("code", ["21408", "21606", "21612", "21659", "21703"])
def test_what_only_one_country_meets_does_not_stop_everybody(code: str) -> None:
    """One number abroad would otherwise hold up a whole delivery, for ever."""
    assert ErrorClass.REFUSED is error_table().find(code).error_class


# Receipts


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("sent", ReceiptKind.ACCEPTED),
        ("delivered", ReceiptKind.DELIVERED),
        ("read", ReceiptKind.DELIVERED),
        ("undelivered", ReceiptKind.UNDELIVERED),
        ("failed", ReceiptKind.UNDELIVERED),
        ("canceled", ReceiptKind.UNDELIVERED),
    ],
)
def test_each_status_has_its_meaning(status: str, kind: ReceiptKind) -> None:
    receipt = dialect_of().read_callback(call_of({"MessageSid": SID, "MessageStatus": status}))

    assert receipt is not None
    assert ("1-1-1", kind, SID) == (receipt.message_id, receipt.kind, receipt.gateway_ref)


@pytest.mark.parametrize("status", ["accepted", "scheduled", "queued", "sending"])
def test_twilios_own_queue_says_nothing_new(status: str) -> None:
    assert dialect_of().read_callback(call_of({"MessageStatus": status})) is None


@pytest.mark.parametrize("status", ["", "received", "receiving", "DELIVERED", "lost"])
def test_another_status_is_no_receipt(status: str) -> None:
    with pytest.raises(ValueError, match="MessageStatus"):
        dialect_of().read_callback(call_of({"MessageStatus": status}))


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"MessageStatus": "undelivered", "ErrorCode": "30003"}, "30003"),
        ({"MessageStatus": "undelivered", "ErrorCode": "0"}, "undelivered"),
        ({"MessageStatus": "failed"}, "failed"),
        ({"MessageStatus": "failed", "ErrorCode": "no +447700900001"}, "failed"),
        ({"MessageStatus": "failed", "ErrorCode": "٣٠٠٠٣"}, "failed"),
        ({"MessageStatus": "delivered", "ErrorCode": "30003"}, ""),
    ],
)
def test_a_code_is_taken_and_free_text_is_not(form: dict[str, str], code: str) -> None:
    receipt = dialect_of().read_callback(call_of(form))

    assert receipt is not None
    assert code == receipt.code


def test_a_receipt_may_come_as_a_get() -> None:
    call = HttpCallback(message_id="1-1-1", method="GET", query={"MessageStatus": "delivered"})

    assert Receipt(message_id="1-1-1", kind=ReceiptKind.DELIVERED) == dialect_of().read_callback(
        call
    )


def test_the_first_of_two_statuses_counts() -> None:
    call = HttpCallback(body=b"MessageStatus=delivered&MessageStatus=failed")
    receipt = dialect_of().read_callback(call)

    assert receipt is not None
    assert ReceiptKind.DELIVERED is receipt.kind


@given(st.binary(max_size=200), st.sampled_from(["GET", "POST", "PUT"]))
def test_no_call_breaks_the_reading(body: bytes, method: str) -> None:
    call = HttpCallback(message_id="1-1-1", method=method, body=body)
    for read in (dialect_of().read_callback, dialect_of().read_reply):
        with suppress(ValueError):
            assert read(call) is None


# Replies


@pytest.mark.parametrize(
    ("said", "keyword"),
    [("STOP", "stop"), ("START", "start"), ("HELP", "help"), ("", ""), ("other", "")],
)
def test_a_reply_tells_what_twilio_made_of_it(said: str, keyword: str) -> None:
    form = {"From": "+447700900001", "To": "+15005550006", "Body": "Ne plus", "MessageSid": SID}
    reply = dialect_of().read_reply(call_of({**form, "OptOutType": said}))

    assert (
        Reply(
            sender="+447700900001",
            recipient="+15005550006",
            body="Ne plus",
            gateway_ref=SID,
            keyword=keyword,
        )
        == reply
    )


def test_an_id_that_is_none_of_twilios_is_left_out() -> None:
    form = {"From": "+44", "To": "+1", "Body": "x", "MessageSid": "x" * 500}
    reply = dialect_of().read_reply(call_of(form))

    assert reply is not None
    assert "" == reply.gateway_ref


# The test of a connection


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, {"sid": ACCOUNT, "status": "active"}, ""),
        (200, {"sid": ACCOUNT, "status": "suspended"}, "not active"),
        (401, {"code": 20003, "status": 401}, "refuses the login"),
        (401, {}, "refuses the login"),
        (404, {"code": 20404, "status": 404}, "no such account"),
        (403, {"code": 20005, "status": 403}, "not active"),
        (418, {"code": 12345, "status": 418}, "refused the question"),
        (429, {"code": 20429, "status": 429}, "as expected"),
        (500, {}, "as expected"),
    ],
)
def test_a_check_says_what_is_wrong(status: int, body: dict[str, object], words: str) -> None:
    response = HttpResponse(status=status, body=json.dumps(body).encode())
    wrong = dialect_of().read_check(response)

    assert words in wrong
    assert bool(words) == bool(wrong)


def test_a_check_is_a_harmless_question_that_the_login_may_ask() -> None:
    """Twilio shows the account itself to no standard API key."""
    requests = [dialect_of(each).write_check() for each in (SETTINGS, KEY)]
    place = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}"

    assert ["GET", "GET"] == [each.method for each in requests]
    assert [f"{place}.json", f"{place}/Messages.json?PageSize=1"] == [each.url for each in requests]
    assert [b"", b""] == [each.body for each in requests]


def test_a_check_misses_the_account_of_a_key() -> None:
    wrong = dialect_of(replace(KEY, account_sid="")).read_check(HttpResponse(status=200))

    assert "AC…" in wrong


def test_both_encodings_are_one_request_for_twilio_reads_the_text() -> None:
    gsm7, ucs2 = (example_message(encoding=each) for each in Encoding)

    assert form_of(gsm7) == form_of(ucs2)
    assert "false" == form_of(gsm7)["SmartEncoded"]
