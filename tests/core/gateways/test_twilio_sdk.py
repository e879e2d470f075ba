"""Twilio's own SDK as the judge: of what is written, and of what is signed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.http import HttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from smsflow_provider.core.gateways.base import Asked, HttpCallback, HttpRequest
from smsflow_provider.core.gateways.settings import Secret
from smsflow_provider.core.gateways.twilio import TwilioDialect, TwilioSettings
from smsflow_provider.core.gateways.twilio_lookup import PAGE_SIZE
from smsflow_provider.core.gateways.twilio_signature import is_signed
from smsflow_provider.core.model import Message
from smsflow_provider.testing.examples import example_message

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ACCOUNT = "AC" + "0123456789abcdef" * 2
SERVICE = "MG" + "0123456789abcdef" * 2
SETTINGS = TwilioSettings(
    base_url="https://api.twilio.com", username=ACCOUNT, password=Secret("hush")
)


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What a request means, however it is written down."""

    method: str
    url: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    login: tuple[str, str]
    headers: Mapping[str, str]


class RecordingClient(HttpClient):  # type: ignore[misc]
    """Stands in for the SDK's HTTP client: keeps what it is told to send, and sends nothing."""

    def __init__(self, answer: str) -> None:
        super().__init__(None, False, None)
        self.answer = answer
        self.sent: list[Meaning] = []

    def request(self, method: str, uri: str, **told: Any) -> Response:
        fields = told.get("data") or {}
        kept = {"Accept", "Content-Type"} if fields else {"Accept"}
        meaning = Meaning(
            method=method,
            url=uri,
            query={name: str(value) for name, value in (told.get("params") or {}).items()},
            form={name: str(value) for name, value in fields.items()},
            login=told["auth"],
            headers={name: value for name, value in told["headers"].items() if name in kept},
        )
        self.sent.append(meaning)
        return Response(200 if method == "GET" else 201, self.answer)


def meaning_of(request: HttpRequest) -> Meaning:
    parts = urlsplit(str(request.url))
    scheme, _, basic = request.headers["Authorization"].partition(" ")
    assert "Basic" == scheme
    user, _, password = base64.b64decode(basic).decode().partition(":")
    return Meaning(
        method=request.method,
        url=f"{parts.scheme}://{parts.netloc}{parts.path}",
        query=dict(parse_qsl(parts.query, strict_parsing=bool(parts.query))),
        form=dict(parse_qsl(request.body.decode(), keep_blank_values=True)),
        login=(user, password),
        headers={name: value for name, value in request.headers.items() if name != "Authorization"},
    )


def sdk_creates(message: Message, account: TwilioSettings) -> Meaning:
    """Let the SDK create what *message* says."""
    recording = RecordingClient('{"sid": "SM0", "status": "queued"}')
    wanted: dict[str, Any] = {
        "to": message.to,
        "from_": message.sender,
        "messaging_service_sid": account.messaging_service_sid,
        "body": message.body,
        "status_callback": message.callback_url,
        "smart_encoded": False,
    }
    if message.expires_at is not None:
        wanted["validity_period"] = int((message.expires_at - NOON).total_seconds())
    sdk(account, recording).messages.create(
        **{name: value for name, value in wanted.items() if value not in (None, "")},
        **({"body": ""} if not message.body else {}),
    )
    (sent,) = recording.sent
    return sent


def sdk(account: TwilioSettings, recording: RecordingClient) -> Client:
    return Client(account.username, str(account.password), account.account, http_client=recording)


def texts(least: int = 0, most: int = 200) -> st.SearchStrategy[str]:
    return st.text(st.characters(exclude_categories=["Cs"]), min_size=least, max_size=most)


MESSAGES = st.builds(
    example_message,
    st.integers(1, 999),
    sender=st.sampled_from(["Shop", "+15005550006", "A & B = C", "38123"]),
    body=texts(),
    expires_at=st.none() | st.integers(1, 36_000).map(lambda s: NOON + timedelta(seconds=s)),
    callback_url=st.none()
    | texts(1, 30).map(lambda t: f"https://sms.example/r?{urlencode({'m': '1-1-1', 't': t})}"),
)
LOGINS = st.sampled_from(
    [
        SETTINGS,
        replace(SETTINGS, messaging_service_sid=SERVICE),
        replace(SETTINGS, username="SK0", password=Secret("key:with:colons"), account_sid=ACCOUNT),
    ]
)


@settings(deadline=None)  # the SDK loads itself bit by bit
@given(MESSAGES, LOGINS)
def test_what_is_written_means_what_the_sdk_writes(
    message: Message, account: TwilioSettings
) -> None:
    ours = TwilioDialect(account, now=lambda: NOON).write([message])

    assert sdk_creates(message, account) == meaning_of(ours)


@settings(deadline=None)  # the SDK loads itself bit by bit
@given(MESSAGES, LOGINS)
def test_what_is_asked_means_what_the_sdk_asks(message: Message, account: TwilioSettings) -> None:
    recording = RecordingClient('{"messages": [], "next_page_uri": null}')
    sdk(account, recording).messages.page(to=message.to, page_size=PAGE_SIZE)
    asked = Asked(message=message, handed_over_at=NOON)
    ours = TwilioDialect(account, now=lambda: NOON).write_lookup([asked])

    assert [meaning_of(ours)] == recording.sent


def test_the_account_is_asked_for_as_the_sdk_does() -> None:
    recording = RecordingClient('{"sid": "AC", "status": "active"}')
    sdk(SETTINGS, recording).api.accounts(ACCOUNT).fetch()

    assert [meaning_of(TwilioDialect(SETTINGS).write_check())] == recording.sent


# Signatures

HOSTS = st.sampled_from(["sms.example", "a-b.example.co.uk", "127.0.0.1", "EXAMPLE.com"])
URLS = st.builds(
    lambda scheme, host, port, path, query: f"{scheme}://{host}{port}{path}{query}",
    st.sampled_from(["https", "http", "HTTPS"]),
    HOSTS,
    st.sampled_from(["", ":80", ":443", ":8443", ":0"]),
    st.sampled_from(["", "/", "/smsflow/receipts/sms_twilio", "/a;b=c/%C3%A9", "//x"]),
    st.sampled_from(["", "?", "?m=1-1-1&t=abc_-9", "?a=%26&a=2&b", "#f", "?x=1#"]),
)
FORMS = st.dictionaries(texts(1, 12), texts(0, 20), max_size=6)


class Fields(dict[str, list[str]]):
    """A form with several values a name, as web frameworks hand it to the validator."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def signed_call(url: str, body: bytes, signature: str, **headers: str) -> HttpCallback:
    form = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    return HttpCallback(url=url, headers={**form, **headers}, body=body)


def both_ports(url: str) -> list[str]:
    """Spell *url* as Twilio's servers do: as it is, and with and without the usual port."""
    parts = urlsplit(url)
    port = {"https": 443, "http": 80}[parts.scheme]
    with_port = parts._replace(netloc=f"{parts.hostname}:{port}").geturl()
    return [url, with_port, parts._replace(netloc=parts.netloc.partition(":")[0]).geturl()]


@given(URLS, FORMS, st.sampled_from([0, 1, 2]), st.booleans())
def test_a_form_is_signed_when_twilios_validator_says_so(
    url: str,
    form: dict[str, str],
    spelling: int,
    is_right: bool,  # noqa: FBT001
) -> None:
    validator = RequestValidator("secret")
    signer = validator if is_right else RequestValidator("Secret")
    signature = signer.compute_signature(both_ports(url)[spelling], form)
    call = signed_call(url, urlencode(form).encode(), signature)
    verdict = validator.validate(url, form, signature)

    assert verdict == is_signed(call, secret="secret")
    assert not verdict or is_right


@given(URLS, st.dictionaries(texts(1, 5), st.lists(texts(0, 5), min_size=1, max_size=4)))
def test_names_that_come_twice_are_signed_as_the_validator_does(
    url: str, form: dict[str, list[str]]
) -> None:
    validator, fields = RequestValidator("secret"), Fields(form)
    signature = validator.compute_signature(url, fields)
    call = signed_call(url, urlencode(form, doseq=True).encode(), signature)

    assert validator.validate(url, fields, signature) == is_signed(call, secret="secret")


@given(texts(), st.booleans(), st.booleans())
def test_a_document_is_signed_when_twilios_validator_says_so(
    body: str,
    is_its_own: bool,  # noqa: FBT001  hypothesis gives them by place
    is_right: bool,  # noqa: FBT001  so is this
) -> None:
    hashed = body if is_its_own else body + "x"
    digest = hashlib.sha256(hashed.encode()).hexdigest()
    url = f"https://sms.example/r?m=1-1-1&bodySHA256={digest}"
    validator = RequestValidator("secret")
    signature = (validator if is_right else RequestValidator("x")).compute_signature(url, {})
    call = signed_call(url, body.encode(), signature, **{"Content-Type": "application/json"})
    verdict = validator.validate(url, body, signature)

    assert verdict == is_signed(call, secret="secret")
    assert verdict == (is_its_own and is_right)


@given(FORMS.filter(bool))
def test_a_form_is_judged_by_its_fields_whatever_hash_the_address_names(
    form: dict[str, str],
) -> None:
    validator, url = RequestValidator("secret"), "https://sms.example/r?bodySHA256=00"
    signature = validator.compute_signature(url, form)
    call = signed_call(url, urlencode(form).encode(), signature)

    assert validator.validate(url, form, signature)
    assert is_signed(call, secret="secret")


@pytest.mark.parametrize(
    "named",
    [
        "",
        "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256",
        "algorithm=hmac_sha256",
        "algorithm=HMAC_SHA1",
        "algorithm=",
        "key=1",
    ],
)
@given(FORMS)
def test_the_algorithm_is_the_one_the_call_names(named: str, form: dict[str, str]) -> None:
    algorithm = "HMAC_SHA256" if "256" in named else "HMAC_SHA1"
    validator, url = RequestValidator("secret"), "https://sms.example/r"
    for used in ("HMAC_SHA1", "HMAC_SHA256"):
        signature = validator.compute_signature(url, form, used)
        headers = {"X-Twilio-Webhooks-Signature-Settings": named}
        call = signed_call(url, urlencode(form).encode(), signature, **headers)

        assert (used == algorithm) == is_signed(call, secret="secret")


def test_an_algorithm_nobody_knows_is_refused() -> None:
    validator, url = RequestValidator("secret"), "https://sms.example/r"
    signature = validator.compute_signature(url, {})
    headers = {"X-Twilio-Webhooks-Signature-Settings": "algorithm=NONE"}

    assert is_signed(signed_call(url, b"", signature), secret="secret")
    assert not is_signed(signed_call(url, b"", signature, **headers), secret="secret")


@given(st.text(), st.binary(max_size=60), st.text(max_size=40), st.text(max_size=40))
def test_no_call_breaks_the_check(url: str, body: bytes, signature: str, content: str) -> None:
    call = signed_call(url, body, signature, **{"Content-Type": content})

    assert not is_signed(call, secret="secret")
