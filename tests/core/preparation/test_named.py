from __future__ import annotations

import pytest

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.named import read_numbers


def test_numbers_come_back_in_order_each_once() -> None:
    given = ["+33612345679", "06 12 34 56 78", "+33 6 12 34 56 79", "0033612345678"]

    assert [33612345679, 33612345678] == read_numbers(given, region="FR")


def test_every_wrong_number_is_named_by_place_and_problem_never_by_digits() -> None:
    given = ["+33612345678", "0612345678", "", "hello", "+336123456789999"]

    with pytest.raises(ConfigError, match="by place") as caught:
        read_numbers(given, region=None)

    expected = {2: "no_region", 3: "no_address", 4: "letters", 5: "too_long"}
    assert expected == caught.value.facts["wrong"]
    assert "612345678" not in str(caught.value)


def test_nobody_is_no_numbers() -> None:
    assert [] == read_numbers([], region="FR")
