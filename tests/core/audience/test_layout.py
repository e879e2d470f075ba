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
