"""Time zones of whole columns: those that the library gives for each number."""

from __future__ import annotations

import random

import phonenumbers
import polars as pl
from phonenumbers import PhoneNumberFormat
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

from smsflow_provider.core.preparation.number_plan import FIRST_VALID, pieces_of_code
from smsflow_provider.core.preparation.numbers import read_numbers
from smsflow_provider.core.preparation.time_zones import zones_of
from tests.core.preparation.odd_numbers import EDGES, REGIONS, examples_of, examples_of_no_country


def library_says(text: str) -> str:
    zones = time_zones_for_number(phonenumbers.parse(text))
    return ",".join(sorted(set(zones) - {UNKNOWN_TIMEZONE}))


def differences(texts: list[str]) -> list[tuple[str, str, str]]:
    """What the two do not agree on, of international numbers; those that are none are left out."""
    numbers = read_numbers(pl.Series(texts, dtype=pl.String), region=None)
    zones = zones_of(numbers).to_list()
    is_valid = numbers.get_column("phone").is_not_null().to_list()
    return [
        (text, found, library_says(text))
        for text, found, is_one in zip(texts, zones, is_valid, strict=True)
        if (is_one and found != library_says(text)) or (found and not is_one)
    ]


def test_the_examples_of_every_region_and_kind_have_the_librarys_zones() -> None:
    examples = [number for region in REGIONS for number in examples_of(region)]
    examples += examples_of_no_country()
    texts = [phonenumbers.format_number(one, PhoneNumberFormat.E164) for one in examples]
    rng = random.Random(6)
    others = [text[: -rng.randrange(1, 7)] for text in texts]
    others = [
        kept + "".join(rng.choices("0123456789", k=len(text) - len(kept)))
        for text, kept in zip(texts, others, strict=True)
    ]

    assert [] == differences(texts)
    assert [] == differences(others)


def test_where_a_number_plan_changes_the_zones_are_the_librarys() -> None:
    rng = random.Random(7)
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        pieces = [piece for piece in pieces_of_code(code) if piece.verdict >= FIRST_VALID]
        some = rng.sample(pieces, min(EDGES, len(pieces)))
        edges = [edge for piece in some for edge in (piece.start, piece.stop - 1)]

        assert [] == differences([f"+{edge}" for edge in edges])


def test_one_zone_or_many_or_none() -> None:
    texts = ["+33612345678", "+12015550123", "+61412345678", "+80012345678", "x", None]
    zones = zones_of(read_numbers(pl.Series(texts), region=None)).to_list()

    assert ["Europe/Paris", "America/New_York"] == zones[:2]
    assert "Australia/Perth,Australia/Sydney" in zones[2]
    assert ["", "", ""] == zones[3:]


def test_a_mobile_number_has_all_zones_of_its_country_and_a_fixed_line_its_own() -> None:
    numbers = pl.DataFrame(
        {"phone": [351912345678, 351296282123], "kind": ["mobile", "fixed_line"]}
    )
    mobile, fixed = zones_of(numbers).to_list()

    assert "Atlantic/Azores,Europe/Lisbon" == mobile
    assert "Atlantic/Azores" == fixed


def test_no_rows_have_no_zones() -> None:
    assert [] == zones_of(read_numbers(pl.Series([], dtype=pl.String), region=None)).to_list()
