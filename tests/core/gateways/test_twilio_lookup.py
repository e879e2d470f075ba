"""What is concluded from Twilio's list of the messages to one number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import MaybeSentError
from smsflow_provider.core.gateways.base import Asked, Found, HttpResponse, Known
from smsflow_provider.core.gateways.settings import Secret
from smsflow_provider.core.gateways.twilio import TwilioDialect, TwilioSettings
from smsflow_provider.core.gateways.twilio_lookup import BELIEVED_AFTER_S, PAGE_SIZE
from smsflow_provider.core.model import ReceiptKind
from smsflow_provider.testing.examples import example_message

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(seconds=BELIEVED_AFTER_S)
ACCOUNT = "AC" + "0123456789abcdef" * 2
SERVICE = "MG" + "0123456789abcdef" * 2
SID = "SM" + "fedcba9876543210" * 2
SETTINGS = TwilioSettings(
    base_url="https://api.twilio.com", username=ACCOUNT, password=Secret("hush")
)
ASKED = Asked(message=example_message(1, sender="Shop"), handed_over_at=LONG_AGO)
SECOND = timedelta(seconds=1)


def row(
    *, after: timedelta = SECOND, sender: str | None = "Shop", **changed: Any
) -> dict[str, Any]:
    return {
        "sid": SID,
        "direction": "outbound-api",
        "to": ASKED.message.to,
        "from": sender,
        "messaging_service_sid": None,
        "body": ASKED.message.body,
        "date_created": format_datetime(LONG_AGO + after),
        "date_sent": None,
        "status": "queued",
        "error_code": None,
        **changed,
    }


def page(*rows: Mapping[str, Any], **changed: Any) -> HttpResponse:
    document = {"messages": list(rows), "next_page_uri": None, **changed}
    return HttpResponse(status=200, body=json.dumps(document).encode())


def ask(
    response: HttpResponse, *, asked: Asked = ASKED, settings: TwilioSettings = SETTINGS
) -> Found:
    (found,) = TwilioDialect(settings, now=lambda: NOON).read_lookup([asked], response)
    assert asked.message.id == found.message_id
    assert (found.known is Known.TAKEN) == bool(found.gateway_ref)
    return found


def test_a_message_that_still_waits_at_twilio_is_found() -> None:
    """It has no ``date_sent``, so a filter by that would hide it, and it would be sent twice."""
    found = ask(page(row(status="queued", date_sent=None)))

    assert (Known.TAKEN, SID, None) == (found.known, found.gateway_ref, found.receipt)


@pytest.mark.parametrize(
    ("status", "error_code", "kind", "code"),
    [
        ("sent", None, ReceiptKind.ACCEPTED, ""),
        ("delivered", None, ReceiptKind.DELIVERED, ""),
        ("undelivered", 30005, ReceiptKind.UNDELIVERED, "30005"),
        ("failed", None, ReceiptKind.UNDELIVERED, "failed"),
    ],
)
def test_what_became_of_it_comes_along(
    status: str, error_code: int | None, kind: ReceiptKind, code: str
) -> None:
    receipt = ask(page(row(status=status, error_code=error_code))).receipt

    assert receipt is not None
    assert (kind, code, SID, "1-1-1") == (
        receipt.kind,
        receipt.code,
        receipt.gateway_ref,
        receipt.message_id,
    )


def test_nothing_in_a_whole_list_means_not_taken() -> None:
    assert Known.NOT_TAKEN is ask(page()).known


def test_nothing_is_believed_too_early() -> None:
    """The list lags behind; what is missing now may be there in an hour."""
    young = replace(ASKED, handed_over_at=LONG_AGO + SECOND)

    assert Known.UNSURE is ask(page(), asked=young).known


def test_what_is_there_is_believed_at_once() -> None:
    young = replace(ASKED, handed_over_at=NOON - SECOND)
    listed = row(date_created=format_datetime(NOON))

    assert Known.TAKEN is ask(page(listed), asked=young).known


@pytest.mark.parametrize(
    "changed",
    [{"next_page_uri": "/2010-04-01/next"}, {"next_page_uri": ""}],
)
def test_only_the_last_page_is_whole(changed: dict[str, Any]) -> None:
    expected = Known.NOT_TAKEN if not changed["next_page_uri"] else Known.UNSURE

    assert expected is ask(page(**changed)).known


def test_a_page_that_does_not_say_whether_it_is_the_last_proves_nothing() -> None:
    assert Known.UNSURE is ask(HttpResponse(status=200, body=b'{"messages": []}')).known


def test_a_full_page_proves_nothing() -> None:
    old = row(after=-timedelta(days=3))

    assert Known.UNSURE is ask(page(*[old] * PAGE_SIZE)).known
    assert Known.NOT_TAKEN is ask(page(*[old] * (PAGE_SIZE - 1))).known


def test_two_that_could_be_it_leave_doubt() -> None:
    other = row(sid="SM" + "0" * 32, after=timedelta(seconds=5))

    assert Known.UNSURE is ask(page(row(), other)).known


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (row(body="another text"), Known.UNSURE),
        (row(body=""), Known.UNSURE),
        (row(body="another text", after=-timedelta(hours=1)), Known.NOT_TAKEN),
        (row(body="another text", after=timedelta(hours=1)), Known.NOT_TAKEN),
        (row(after=-timedelta(hours=1)), Known.NOT_TAKEN),
        (row(after=timedelta(hours=1)), Known.UNSURE),
        (row(after=-timedelta(minutes=4)), Known.UNSURE),
        (row(after=-timedelta(seconds=30)), Known.TAKEN),
        (row(after=timedelta(minutes=14)), Known.TAKEN),
        (row(body="Sent from your Twilio trial account - Example 1"), Known.TAKEN),
        (row(body="Example  1\n"), Known.TAKEN),
        (row(sender="Other"), Known.UNSURE),
        (row(sender=None), Known.UNSURE),
        (row(date_created="soon"), Known.UNSURE),
        (row(date_created=None), Known.UNSURE),
        (row(date_created="Sun, 22 Nov 2026 08:00:00"), Known.UNSURE),
        (row(date_created="Sun, 22 Nov 2026 08:00:00 -0000"), Known.UNSURE),
        (row(sid="SM1"), Known.UNSURE),
        (row(to="+447700900***"), Known.UNSURE),
        (row(direction="inbound"), Known.NOT_TAKEN),
        (row(status="a new one"), Known.TAKEN),
    ],
)
def test_what_one_row_of_the_list_proves(listed: dict[str, Any], expected: Known) -> None:
    assert expected is ask(page(listed)).known


def test_another_text_beside_it_does_not_hide_it() -> None:
    assert Known.TAKEN is ask(page(row(), row(sid="SM" + "0" * 32, body="another"))).known


def test_through_a_service_the_service_is_what_counts() -> None:
    settings = replace(SETTINGS, messaging_service_sid=SERVICE)
    asked = replace(ASKED, message=example_message(1, sender=""))
    ours = row(sender=None, messaging_service_sid=SERVICE)

    assert Known.TAKEN is ask(page(ours), asked=asked, settings=settings).known
    assert Known.UNSURE is ask(page(row()), asked=asked, settings=settings).known


def test_an_account_that_hides_its_messages_never_says_not_taken() -> None:
    settings = replace(SETTINGS, is_redacted=True)

    assert Known.UNSURE is ask(page(), settings=settings).known
    assert Known.TAKEN is ask(page(row()), settings=settings).known


def test_the_number_is_in_the_question_but_does_not_show() -> None:
    request = TwilioDialect(SETTINGS, now=lambda: NOON).write_lookup([ASKED])
    place = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"

    assert f"{place}?To=%2B447700900001&PageSize={PAGE_SIZE}" == request.url
    assert "447700900001" not in repr(request) + f"{request!r}"
    assert f"url={place}?***" in repr(request)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["messages", "next_page_uri", *row()]), inner)
        ),
    )
)
def test_no_answer_that_is_not_a_list_means_not_taken(document: object) -> None:
    try:
        known = ask(HttpResponse(status=200, body=json.dumps(document).encode())).known
    except MaybeSentError:
        known = Known.UNSURE

    assert known is Known.UNSURE or _is_list_of_incoming(document)


def _is_list_of_incoming(document: Any) -> bool:
    return all(str(each["direction"]).startswith("inbound") for each in document["messages"])


@given(
    st.lists(
        st.builds(
            row,
            after=st.integers(-600, 1800).map(lambda seconds: timedelta(seconds=seconds)),
            body=st.sampled_from([ASKED.message.body, "another text", ""]),
            status=st.sampled_from(["queued", "sent", "failed"]),
        ),
        max_size=4,
    ),
    st.integers(0, 900),
)
def test_a_message_that_is_there_is_never_called_not_taken(
    others: list[dict[str, Any]], after_s: int
) -> None:
    """Whatever else went to that number, and however long Twilio took to write it down."""
    ours = row(after=timedelta(seconds=after_s))

    assert Known.NOT_TAKEN is not ask(page(*others, ours)).known
