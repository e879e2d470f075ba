"""What is said of columns that cannot be used, and what is not."""

from __future__ import annotations

import pytest

from smsflow_provider.core.audience.layout import make_layout
from smsflow_provider.core.errors import AudienceError


def test_a_missing_header_is_told_without_the_person_who_stands_there() -> None:
    with pytest.raises(AudienceError) as caught:
        make_layout(
            ["1", "Anna", "+33612345678"], label="people.csv", phone_column="phone", id_column=None
        )

    assert "is the header missing?" in str(caught.value)
    assert not any(word in str(caught.value) for word in ("Anna", "612345678"))


def test_a_misspelt_column_is_named_with_the_near_one() -> None:
    with pytest.raises(AudienceError) as caught:
        make_layout(["id", "phone"], label="people.csv", phone_column="phne", id_column=None)

    assert "did you mean 'phone'?" in str(caught.value)


def test_chosen_columns_come_in_the_order_they_were_chosen_in() -> None:
    layout = make_layout(
        ["tel", "city", "income", "income", "age", "recipient_id"],
        label="people.csv",
        phone_column="tel",
        id_column=None,
        chosen=["age", "tel", "city"],
    )

    assert (("age", "city"), ["recipient_id", "tel", "age", "city"]) == (
        layout.others,
        layout.needed,
    )


def test_a_chosen_column_that_is_not_there_is_told_with_the_near_one() -> None:
    with pytest.raises(AudienceError) as caught:
        make_layout(
            ["phone", "city"],
            label="people.csv",
            phone_column="phone",
            id_column=None,
            chosen=["ctiy", "city", "city"],
        )
    assert [
        "there is no column 'ctiy', which columns names (did you mean 'city'?)",
        "columns names 'city' twice",
    ] == caught.value.facts["problems"]
