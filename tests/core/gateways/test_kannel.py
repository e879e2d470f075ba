"""Kannel's dialect, written and read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import MaybeSentError, NotSentError, RefusedError
from smsflow_provider.core.gateways.base import HttpCallback, HttpRequest, HttpResponse
from smsflow_provider.core.gateways.kannel import KannelDialect, KannelSettings
from smsflow_provider.core.gateways.settings import Secret
from smsflow_provider.core.model import Encoding, Message, OutcomeKind, Receipt, ReceiptKind
from smsflow_provider.testing.examples import example_message

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SETTINGS = KannelSettings(
    base_url="http://kannel:13013", username="smsflow", password=Secret("hush")
)
DIALECT = KannelDialect(SETTINGS, now=lambda: NOON)
CALLBACK = "https://sms.example/smsflow/receipts/sms_kannel?m=1-1-1&t=abc_-9"


def headers_of(message: Message, dialect: KannelDialect = DIALECT) -> dict[str, str]:
    return dict(dialect.write([message]).headers)


def test_the_text_is_the_body_and_the_rest_is_headers() -> None:
    message = example_message(1, sender="Shop", body="Été €", callback_url=CALLBACK)

    assert HttpRequest(
        method="POST",
        url="http://kannel:13013/cgi-bin/sendsms",
        headers={
            "Content-Type": "text/plain; charset=UTF-8",
            "X-Kannel-Username": "smsflow",
            "X-Kannel-Password": "hush",
            "X-Kannel-To": "+447700900001",
            "X-Kannel-Coding": "0",
            "X-Kannel-From": "Shop",
            "X-Kannel-DLR-Mask": "27",
            "X-Kannel-DLR-URL": CALLBACK + "&type=%d&ref=%F&meta=%D",
        },
        body="Été €".encode(),
    ) == DIALECT.write([message])


def test_the_coding_is_that_of_the_message() -> None:
    assert "0" == headers_of(example_message(encoding=Encoding.GSM7))["X-Kannel-Coding"]
    assert "2" == headers_of(example_message(encoding=Encoding.UCS2))["X-Kannel-Coding"]


def test_without_a_sender_kannel_takes_its_own() -> None:
    assert "X-Kannel-From" not in headers_of(example_message(sender=""))


@pytest.mark.parametrize("sender", ["Été", "Shop\r\nX-Kannel-To: +1", "tab\t", "\x00"])
def test_a_sender_that_would_break_the_header_is_refused_before_sending(sender: str) -> None:
    with pytest.raises(RefusedError) as caught:
        DIALECT.write([example_message(sender=sender)])

    assert "bad_sender" == caught.value.facts["code"]
    assert sender not in str(caught.value)


def test_a_text_with_half_a_character_is_refused_before_sending() -> None:
    with pytest.raises(RefusedError) as caught:
        DIALECT.write([example_message(body="half \ud83d")])

    assert "bad_text" == caught.value.facts["code"]
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("left", "minutes"),
    [
        (timedelta(hours=2), "120"),
        (timedelta(minutes=2, seconds=59), "2"),
        (timedelta(seconds=1), "1"),
        (timedelta(minutes=-5), "1"),
    ],
)
def test_the_validity_is_whole_minutes_from_now_and_never_longer(
    left: timedelta, minutes: str
) -> None:
    """Under a minute it is one: Kannel knows nothing shorter."""
    assert minutes == headers_of(example_message(expires_at=NOON + left))["X-Kannel-Validity"]


def test_without_an_end_there_is_no_validity() -> None:
    assert "X-Kannel-Validity" not in headers_of(example_message())


def test_a_percent_sign_in_the_callback_address_is_not_kannels() -> None:
    """Kannel would fill in %20 and the like."""
    url = "https://sms.example/a%20b/smsflow/receipts/sms_kannel?m=1-1-1&t=x"
    written = headers_of(example_message(callback_url=url))["X-Kannel-DLR-URL"]

    assert url.replace("%", "%%") + "&type=%d&ref=%F&meta=%D" == written


@pytest.mark.parametrize("asked", [True, False])
def test_the_callback_never_asks_for_the_phone_or_the_text(*, asked: bool) -> None:
    dialect = KannelDialect(replace(SETTINGS, carrier_answers=asked), now=lambda: NOON)
    written = headers_of(example_message(callback_url=CALLBACK), dialect)["X-Kannel-DLR-URL"]

    assert asked == ("%A" in written)
    assert not any(placeholder in written for placeholder in ("%p", "%P", "%a", "%b", "%r"))


def test_no_receipts_are_asked_for_without_an_address_or_a_type() -> None:
    silent = KannelDialect(replace(SETTINGS, dlr_mask=0), now=lambda: NOON)

    assert "X-Kannel-DLR-URL" not in headers_of(example_message())
    assert "X-Kannel-DLR-URL" not in headers_of(example_message(callback_url=CALLBACK), silent)


def test_the_link_and_the_path_are_settings() -> None:
    settings = replace(SETTINGS, smsc="LINK1", path="/sendsms")
    request = KannelDialect(settings, now=lambda: NOON).write([example_message()])

    assert "http://kannel:13013/sendsms" == request.url
    assert "LINK1" == request.headers["X-Kannel-SMSC"]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_body_is_the_text_byte_for_byte(text: str) -> None:
    assert text == DIALECT.write([example_message(body=text)]).body.decode()


@given(st.integers(200, 599), st.text(max_size=80))
def test_acceptance_is_only_read_from_kannels_own_words(status: int, body: str) -> None:
    """Whatever comes: accepted needs a 202 and a sentence of Kannel's."""
    response = HttpResponse(status=status, body=body.encode("utf-8", "replace"))
    try:
        (outcome,) = DIALECT.read([example_message()], response)
    except (MaybeSentError, NotSentError, RefusedError):
        return
    if outcome.kind is OutcomeKind.ACCEPTED:
        assert 202 == status
        assert body.lstrip().startswith(("0:", "3:", "Sent."))


@pytest.mark.parametrize("body", [b"", b"upstream failed", b"Queue: Temporal failure"])
def test_a_503_that_is_not_kannels_own_leaves_doubt(body: bytes) -> None:
    with pytest.raises(MaybeSentError):
        DIALECT.read([example_message()], HttpResponse(status=503, body=body))


@pytest.mark.parametrize(
    ("kind_word", "kind"),
    [
        ("1", ReceiptKind.DELIVERED),
        ("2", ReceiptKind.UNDELIVERED),
        ("8", ReceiptKind.ACCEPTED),
        ("16", ReceiptKind.UNDELIVERED),
    ],
)
def test_each_receipt_type_has_its_meaning(kind_word: str, kind: ReceiptKind) -> None:
    callback = HttpCallback(message_id="1-1-1", query={"type": kind_word, "ref": "9f-2"})

    assert Receipt(message_id="1-1-1", kind=kind, gateway_ref="9f-2") == DIALECT.read_callback(
        callback
    )


@pytest.mark.parametrize("kind_word", ["4", "32"])
def test_an_intermediate_report_says_nothing_new(kind_word: str) -> None:
    assert DIALECT.read_callback(HttpCallback(message_id="1", query={"type": kind_word})) is None


@pytest.mark.parametrize("kind_word", ["", "0", "3", "01", " 1", "%d", "delivered"])
def test_another_type_is_not_a_receipt(kind_word: str) -> None:
    with pytest.raises(ValueError, match=r"^type:"):
        DIALECT.read_callback(HttpCallback(message_id="1", query={"type": kind_word}))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"meta": "?orig_msg?dlr_mask=31&"}, ""),
        ({"meta": "?smpp?dlr_err=%03%00%0B&"}, "11"),
        ({"meta": "?orig_msg?dlr_mask=31&?smpp?dlr_err=%03%01%00&"}, "256"),
        ({"meta": "?smpp?dlr_err=%03%00%00&"}, ""),
        ({"answer": "NACK/0x0000000b/Invalid Destination"}, "0x0000000b"),
        ({"answer": "ACK/"}, ""),
        ({"answer": "id:7 sub:001 stat:UNDELIV err:0ff text:Hello you"}, "0ff"),
        ({"answer": "Hello, this is the text of +447700900001"}, ""),
    ],
)
def test_a_code_is_taken_and_free_text_is_not(query: dict[str, str], code: str) -> None:
    receipt = DIALECT.read_callback(
        HttpCallback(message_id="1-1-1", query={"type": "2", "ref": "a b", **query})
    )

    assert receipt is not None
    assert (code, "") == (receipt.code, receipt.gateway_ref)


@given(st.dictionaries(st.sampled_from(["meta", "answer", "ref"]), st.text()))
def test_no_receipt_breaks_the_reading(query: dict[str, str]) -> None:
    receipt = DIALECT.read_callback(HttpCallback(message_id="1", query={**query, "type": "1"}))

    assert receipt is not None
    assert len(receipt.code) <= 64
    assert len(receipt.gateway_ref) <= 64
