"""The filters of templates: names, dates, amounts; pure, and silent about values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.content import filters
from smsflow_provider.core.content.filters import FILTERS, memoised_filters
from smsflow_provider.core.errors import TemplateError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("jean", "Jean"),
        ("JEAN-PIERRE", "Jean-Pierre"),
        ("d'artagnan", "D'Artagnan"),
        ("l\u2019été", "L\u2019Été"),
        ("it's", "It's"),
        ("o'neill and its' sons", "O'Neill And Its' Sons"),
        ("élodie ÇELIK", "Élodie Çelik"),
        ("je\u0301rome", "Jérome"),
        ("straße 12b", "Straße 12B"),
        ("", ""),
        (12, "12"),
    ],
)
def test_a_title_has_the_capitals_of_a_name(given: object, expected: str) -> None:
    assert expected == filters.title(given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("  marie  ", "Marie"),
        ("MARIE CLAIRE", "Marie Claire"),
        ("jean\u00a0 paul", "Jean Paul"),
        ("MARIA DEL CARMEN", "Maria del Carmen"),
        ("JAN VAN DER", "Jan van der"),
        ("DE", "De"),
        ("McKenzie", "McKenzie"),
        ("DeShawn", "DeShawn"),
        ("Marie-claire", "Marie-claire"),
        ("李", "李"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_a_first_name_is_fit_for_a_greeting(given: str, expected: str) -> None:
    assert expected == filters.first_name(given)


@pytest.mark.parametrize(
    ("given", "count", "expected"),
    [
        ("one two three", 2, "one two..."),
        ("one two three", 3, "one two three"),
        ("one  two", 5, "one  two"),
        ("", 1, ""),
        ("word", 1, "word"),
    ],
)
def test_words_are_cut_between_words(given: str, count: int, expected: str) -> None:
    assert expected == filters.truncate_words(given, count)


def test_the_end_of_a_cut_can_be_chosen() -> None:
    assert "one!" == filters.truncate_words("one two", 1, "!")


@pytest.mark.parametrize(
    ("given", "form", "expected"),
    [
        (date(2026, 3, 1), "%d/%m/%Y", "01/03/2026"),
        (date(2026, 3, 1), "%-d %B", "1 March"),
        (datetime(2026, 3, 1, 9, 5, tzinfo=UTC), "%H:%M", "09:05"),
        ("2026-03-01", "%Y", "2026"),
        ("2026-03-01T23:30:00+02:00", "%d %H:%M", "01 23:30"),
        (date(2026, 3, 1), "100%%", "100%"),
    ],
)
def test_a_date_is_written_as_asked(given: object, form: str, expected: str) -> None:
    assert expected == filters.date(given, form)


@pytest.mark.parametrize(
    ("given", "options", "expected"),
    [
        (12.5, {}, "12.50"),
        ("12.5", {"currency": "EUR"}, "12.50 EUR"),
        (Decimal("0.005"), {}, "0.01"),
        (2.675, {}, "2.68"),  # as it is written, not as the float is
        (-1234.5, {"group": " ", "mark": ","}, "-1 234,50"),
        (1000000, {"decimals": 0, "group": "."}, "1.000.000"),
        (1234.5, {"currency": "£", "before": True, "group": ","}, "£1,234.50"),
    ],
)
def test_an_amount_is_written_as_asked(
    given: object, options: dict[str, Any], expected: str
) -> None:
    assert expected == filters.money(given, **options)


@pytest.mark.parametrize(
    ("name", "value", "arguments", "words"),
    [
        ("date", "Dupont", (), "date: the value is not an ISO 8601 date"),
        ("date", 20260301, (), "date: the value is not a date"),
        ("date", date(2026, 3, 1), ("%c",), "date: the format has a directive"),
        ("date", date(2026, 3, 1), ("%99999999d",), "date: the format has a directive"),
        ("money", "Dupont", (), "money: the value is not a number"),
        ("money", True, (), "money: the value is not a number"),
        ("money", None, (), "money: the value is not a number"),
        ("money", float("nan"), (), "money: the value is not a finite number"),
        ("money", "1e999", (), "money: the value is not a finite number"),
        ("truncate_words", "Dupont", (0,), "truncate_words: the count must be 1 or more"),
    ],
)
def test_what_does_not_fit_is_refused_without_the_value(
    name: str, value: object, arguments: tuple[Any, ...], words: str
) -> None:
    with pytest.raises(TemplateError) as caught:
        FILTERS[name](value, *arguments)

    assert str(caught.value).startswith(words)
    assert "Dupont" not in str(caught.value)


def test_an_amount_of_too_many_decimals_is_refused() -> None:
    with pytest.raises(TemplateError, match="decimals must be 0 to 6"):
        filters.money(1, decimals=7)


@settings(deadline=None)
@given(st.one_of(st.text(), st.integers(), st.floats(), st.dates(), st.booleans(), st.none()))
def test_a_filter_with_a_memory_gives_what_the_plain_one_gives(value: object) -> None:
    quick = memoised_filters()
    for name, plain in FILTERS.items():
        arguments = (2,) if name == "truncate_words" else ()
        assert outcome(plain, value, arguments) == outcome(quick[name], value, arguments)
        assert outcome(plain, value, arguments) == outcome(quick[name], value, arguments)


def test_the_memory_keeps_equal_values_of_other_kinds_apart() -> None:
    quick = memoised_filters()["title"]

    assert ["1", "1.0", "True"] == [quick(1), quick(1.0), quick(True)]


@settings(deadline=None)
@given(st.text())
def test_a_title_is_the_same_when_done_again(text: str) -> None:
    once = filters.title(text)

    assert once.casefold() == filters.title(once).casefold()


def outcome(function: Any, value: object, arguments: tuple[Any, ...]) -> str:
    try:
        return str(function(value, *arguments))
    except TemplateError as error:
        return f"refused: {error}"
