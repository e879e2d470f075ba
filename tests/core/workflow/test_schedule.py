from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from smsflow_provider.core.document.zone import check_zone
from smsflow_provider.core.workflow.schedule import Schedule, check_cron


@pytest.mark.parametrize("cron", ["0 9 * * 2", "*/15 8-18 * * MON-FRI", "0 9 1 * *", "@weekly"])
def test_a_cron_expression_is_kept_as_it_is_written(cron: str) -> None:
    assert cron == check_cron(cron)


@pytest.mark.parametrize("cron", ["", "0 9 * *", "0 9 * * 2 *", "0 9 * * 2 2026 1", "tomorrow"])
def test_anything_but_five_fields_is_refused(cron: str) -> None:
    with pytest.raises(PydanticCustomError, match="five fields"):
        check_cron(cron)


@pytest.mark.parametrize(
    "cron", ["60 9 * * 2", "0 24 * * *", "0 9 * * 8", "@tuesdays", "a b c d e"]
)
def test_a_field_out_of_range_is_refused(cron: str) -> None:
    with pytest.raises(PydanticCustomError, match="is not a cron expression"):
        check_cron(cron)


def test_a_day_that_never_comes_is_refused() -> None:
    with pytest.raises(PydanticCustomError, match="never comes due"):
        check_cron("0 0 31 2 *")


@given(st.text(alphabet="0123456789*/,-@LHR #ABCmontue", max_size=20))
def test_any_expression_is_taken_or_refused_and_nothing_else_happens(text: str) -> None:
    with suppress(PydanticCustomError):
        assert text == check_cron(text)


@pytest.mark.parametrize("zone", ["Europe/Paris", "UTC", "America/Argentina/Buenos_Aires"])
def test_a_zone_of_the_database_is_taken(zone: str) -> None:
    assert zone == check_zone(zone)


@pytest.mark.parametrize("zone", ["Europe/Pari", "", "/etc/passwd", "../UTC", "Europe", "a\0b"])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(PydanticCustomError, match="unknown time zone"):
        check_zone(zone)


def test_a_misspelled_zone_gets_its_near_name() -> None:
    with pytest.raises(PydanticCustomError, match="did you mean 'Europe/Paris'"):
        check_zone("Europe/Pariss")


def test_a_schedule_is_in_utc_unless_it_says_otherwise() -> None:
    assert "UTC" == Schedule(cron="0 9 * * 2").timezone


def test_a_schedule_without_a_cron_is_refused() -> None:
    with pytest.raises(ValidationError):
        Schedule.model_validate({"timezone": "UTC"})
