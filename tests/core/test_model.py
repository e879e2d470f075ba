from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.mask import mask_phone
from smsflow_provider.core.model import (
    Encoding,
    Exclusion,
    Message,
    Outcome,
    OutcomeKind,
    ReceiptKind,
    message_id_of,
    read_message_id,
)

NUMBERS = st.integers(0, 16**15 - 1)


def make_message(**changed: Any) -> Message:
    told: dict[str, Any] = {
        "id": "1-1-1",
        "to": "+33612345678",
        "sender": "ACME",
        "body": "a secret",
        "encoding": Encoding.GSM7,
        "parts": 1,
        "callback_url": "https://example.com/?m=1-1-1",
    }
    return Message(**(told | changed))


@given(st.tuples(NUMBERS, NUMBERS, NUMBERS))
def test_a_message_id_reads_back_as_its_numbers(numbers: tuple[int, int, int]) -> None:
    text = message_id_of(*numbers)

    assert numbers == read_message_id(text)
    assert len(text) <= 48


@given(st.text(alphabet="0123456789abcdefABC-+ x\u0663", max_size=20))
def test_what_is_no_id_of_ours_is_refused(text: str) -> None:
    try:
        numbers = read_message_id(text)
    except ValueError:
        return
    # Leading zeros are the one way to write the same id twice.
    assert message_id_of(*numbers).split("-") == [p.lstrip("0") or "0" for p in text.split("-")]


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "--", "1-1", "1-1-1-1", "1-1-", "1-1-g", "1-1-1 ", "1-1-+1", "1-1-A"),
        *("1-1-0x1", "1-1-" + "f" * 16, "\u0661-1-1", "1" * 50),
    ],
)
def test_these_are_no_message_ids(text: str) -> None:
    with pytest.raises(ValueError, match="not a message id"):
        read_message_id(text)


def test_a_message_shows_neither_phone_nor_text_nor_callback() -> None:
    shown = repr(make_message())

    assert "1-1-1" in shown
    for secret in ("336", "secret", "example.com"):
        assert secret not in shown


def test_a_message_is_never_edited() -> None:
    with pytest.raises(AttributeError):
        make_message().body = "other"  # type: ignore[misc]


def test_an_outcome_is_a_value() -> None:
    assert Outcome(message_id="1-1-1", kind=OutcomeKind.ACCEPTED) == Outcome(
        message_id="1-1-1", kind=OutcomeKind.ACCEPTED
    )


def test_the_reasons_are_tried_in_the_order_of_the_law() -> None:
    assert [
        *("no_address", "invalid_number", "opted_out", "quarantined", "duplicate", "filtered"),
        *("excluded_audience", "control_group", "pressure", "size_limit"),
        *("missing_field", "too_long"),
    ] == [reason.value for reason in Exclusion]


def test_a_delivery_receipt_says_more_than_any_other() -> None:
    """Receipts move a message only forward in this order."""
    assert ["accepted", "undelivered", "delivered"] == [kind.value for kind in ReceiptKind]


@given(st.integers(10**6, 10**15 - 1))
def test_a_masked_phone_keeps_its_length_and_four_digits(phone: int) -> None:
    shown = mask_phone(phone)

    assert len(str(phone)) + 1 == len(shown)
    assert (f"+{str(phone)[:2]}", str(phone)[-2:]) == (shown[:3], shown[-2:])
    assert set(shown[3:-2]) == {"·"}
