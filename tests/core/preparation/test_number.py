"""Phone numbers: what is undone, what is refused and why, and phonenumbers' own examples."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.number import (
    Number,
    NumberKind,
    NumberProblem,
    check_region,
    to_e164,
    to_e164_many,
)

FRENCH = "+33612345678"
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
FORMATS = {
    "e164": PhoneNumberFormat.E164,
    "international": PhoneNumberFormat.INTERNATIONAL,
    "national": PhoneNumberFormat.NATIONAL,
    "uri": PhoneNumberFormat.RFC3966,
}


def examples_of(region: str) -> Iterator[phonenumbers.PhoneNumber]:
    for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE):
        number = phonenumbers.example_number_for_type(region, kind)
        if number is not None:
            yield number


def e164_of(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def judged(raw: str, region: str) -> str | None:
    """What the library alone says."""
    try:
        parsed = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return None
    return e164_of(parsed) if phonenumbers.is_valid_number(parsed) else None


def problem_of(raw: object, region: str | None = None) -> NumberProblem | None:
    number = to_e164(raw, region=region)
    assert (number.e164 is None) == (number.problem is not None)
    return number.problem


@pytest.mark.parametrize("written", FORMATS)
def test_the_examples_of_every_region_come_back(written: str) -> None:
    seen = 0
    for region in REGIONS:
        for number in examples_of(region):
            raw = phonenumbers.format_number(number, FORMATS[written])
            assert e164_of(number) == to_e164(raw, region=region).e164, (region, raw)
            seen += 1

    assert 450 < seen


def test_the_examples_of_every_region_come_back_with_a_double_zero_and_no_region() -> None:
    for region in REGIONS:
        for number in examples_of(region):
            expected = e164_of(number)
            assert expected == to_e164(f"00{expected[1:]}").e164, region


def test_the_region_is_the_one_of_the_number_not_of_the_column() -> None:
    for region in REGIONS:
        for number in examples_of(region):
            expected = phonenumbers.region_code_for_number(number)
            assert expected == to_e164(e164_of(number), region="FR").region


@pytest.mark.parametrize(
    "raw",
    [
        "0612345678",
        "06 12 34 56 78",
        "06.12.34.56.78",
        "06-12-34-56-78",
        "(06) 12345678",
        "06\u00a012\u202f34\u200956 78",
        "+33612345678",
        "+33 6 12 34 56 78",
        "+33 (0)6 12 34 56 78",
        "+33(0)612345678",
        "0033 6 12 34 56 78",
        "0033(0)612345678",
        "33612345678",
        "33 6 12 34 56 78",
        "612345678",
        "tel:+33-6-12-34-56-78",
        "TEL:0612345678",
        "tel:0612345678;phone-context=+33",
        "\uff0b\uff13\uff13\uff16\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
        "٠٦١٢٣٤٥٦٧٨",
        "०६१२३४५६७८",
        "\u202a+33612345678\u202c",
        "0612\u200b345678",
        "\ufeff0612345678",
        " 0612345678\n",
        "'0612345678",
        "\u2018+33612345678\u2019",
        '"0612345678"',
        '="0612345678"',
        "612345678.0",
        "33612345678.0",
        "33612345678,0",
        "33612345678.00",
        "6.12345678E+08",
        "6,12345678E+08",
        "6.12345678e8",
        "3.3612345678E+10",
        612345678,
        33612345678,
        612345678.0,
        33612345678.0,
        Decimal("33612345678.0"),
    ],
)
def test_a_damaged_number_is_mended_where_no_digit_is_guessed(raw: object) -> None:
    expected = Number(e164=FRENCH, region="FR", kind=NumberKind.MOBILE)

    assert expected == to_e164(raw, region="FR")
    assert [expected] == to_e164_many([raw], region="FR")


@pytest.mark.parametrize(
    ("raw", "region", "expected"),
    [
        ("+48 (0)22 621 02 01", None, "+48226210201"),  # no trunk prefix in Poland
        ("+44 (0)20 7946 0018", None, "+442079460018"),
        ("+39 02 1234 5678", None, "+390212345678"),  # Italy's zero is part of the number
        ("(650) 253-0000", "US", "+16502530000"),
        ("011 33 6 12 34 56 78", "US", FRENCH),
        ("0033612345678", "US", FRENCH),
        ("00 33 6 12 34 56 78", "US", FRENCH),
        ("00-33-612345678", None, FRENCH),
        ("51234", "FK", "+50051234"),  # five digits are a full number there
        ("0692 12 34 56", "RE", "+262692123456"),
        ("+800 1234 5678", None, "+80012345678"),
        ("8 (912) 345-67-89", "RU", "+79123456789"),
    ],
)
def test_the_habits_of_countries_are_known(raw: str, region: str | None, expected: str) -> None:
    assert expected == to_e164(raw, region=region).e164


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (None, "no_address"),
        ("", "no_address"),
        (" \u00a0\t\n", "no_address"),
        ("''", "no_address"),
        (float("nan"), "no_address"),
        (Decimal("NaN"), "no_address"),
        ("-", "not_a_number"),
        ("+", "not_a_number"),
        (0, "not_a_number"),
        (-612345678, "not_a_number"),
        (612345678.5, "not_a_number"),
        (float("inf"), "not_a_number"),
        (Decimal("Infinity"), "not_a_number"),
        (True, "not_a_number"),
        (b"0612345678", "not_a_number"),
        (["0612345678"], "not_a_number"),
        (date(2026, 1, 1), "not_a_number"),
        ("6.12E+08", "digits_lost"),
        ("6.12346E+08", "digits_lost"),
        ("1e999", "digits_lost"),
        ("061234567²", "not_a_number"),  # a note behind the number is no digit
        ("①②③④⑤⑥⑦⑧⑨⑩", "not_a_number"),
        ("0612345678, 0687654321", "not_a_number"),
        ("nan", "letters"),
        ("abc", "letters"),
        ("1-800-FLOWERS", "letters"),
        ("06 12 34 56 78 Marie", "letters"),
        ("Mobile: 0612345678", "letters"),
        ("0612345678 ou 0687654321", "letters"),
        ("+33 1 23 45 67 89 ext 12", "extension"),
        ("+33 1 23 45 67 89 x12", "extension"),
        ("+33123456789;ext=12", "extension"),
        ("0123456789#12", "extension"),
        ("36111", "short_code"),
        ("3179", "short_code"),
        ("112", "short_code"),
        (36111, "short_code"),
        ("12", "too_short"),
        ("+33612", "too_short"),
        ("0033612", "too_short"),
        ("061234567890", "too_long"),
        ("0612345678 / 0687654321", "too_long"),
        ("9" * 1_000_000, "too_long"),
        (1e25, "too_long"),
        ("0012345678", "too_short"),
        ("+999123456789", "invalid"),
        ("+33012345678", "invalid"),
        ("061234567", "invalid"),
        ("4479460018", "too_long"),
    ],
)
def test_what_is_no_number_is_refused_with_its_own_reason(raw: object, problem: str | None) -> None:
    assert problem == problem_of(raw, "FR")


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("0612345678", "no_region"),
        (612345678, "no_region"),
        ("33612345678", "no_region"),
        ("36111", "short_code"),
        ("+33612345678", None),
        ("0033612345678", None),
        ("0012345", "too_short"),
        ("+12", "not_a_number"),
    ],
)
def test_without_a_region_only_international_numbers_are_read(
    raw: object, problem: str | None
) -> None:
    assert problem == problem_of(raw)


def test_a_foreign_country_code_without_its_plus_is_not_guessed() -> None:
    assert problem_of("447400123456", "FR") is not None
    assert FRENCH != to_e164("33612345678", region="US").e164


def test_a_value_of_absurd_size_is_too_long_and_quickly_so() -> None:
    assert NumberProblem.TOO_LONG is problem_of(10**5000, "FR")
    assert NumberProblem.TOO_LONG is problem_of(Decimal("1E+999999"), "FR")


def test_a_zero_in_brackets_is_dropped_behind_the_country_code_only() -> None:
    assert NumberProblem.TOO_LONG is problem_of("0612345678 (0)", "FR")


def test_the_region_may_be_written_small() -> None:
    assert FRENCH == to_e164("0612345678", region="fr").e164
    assert "FR" == check_region(" fr ")
    assert check_region(None) is None


@pytest.mark.parametrize("region", ["", "UK", "FRA", "France", "001"])
def test_an_unknown_region_is_a_mistake_of_the_settings(region: str) -> None:
    with pytest.raises(ConfigError, match="not an ISO 3166 country code"):
        to_e164("0612345678", region=region)
    with pytest.raises(ConfigError, match="not an ISO 3166 country code"):
        to_e164_many([], region=region)


def test_the_repr_shows_no_digits() -> None:
    shown = "Number(problem=None, region='FR', kind=<NumberKind.MOBILE: 'mobile'>)"

    assert shown == repr(to_e164(FRENCH))
    assert [shown] == list(map(repr, to_e164_many([FRENCH])))


def test_many_are_read_as_each_one_is_and_in_order() -> None:
    raws: list[object] = [FRENCH, "0612345678", None, 1, 1.0, True, [], "x", FRENCH, 612345678]

    assert [to_e164(raw, region="FR") for raw in raws] == to_e164_many(raws, region="FR")


def test_the_same_odd_text_is_read_once_among_many() -> None:
    first, second = to_e164_many(["tel:+33-6-12-34-56-78"] * 2)

    assert FRENCH == first.e164
    assert first is second


KINDS = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed_line",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_line_or_mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "uan",
    PhoneNumberType.VOICEMAIL: "voicemail",
}


@pytest.mark.parametrize("number_type", KINDS)
def test_the_kind_is_the_one_the_library_gives(number_type: int) -> None:
    examples = [phonenumbers.example_number_for_type(region, number_type) for region in REGIONS]
    numbers = [number for number in examples if number is not None]
    raws = [e164_of(number) for number in numbers]
    expected = [KINDS[phonenumbers.number_type(number)] for number in numbers]

    assert expected == [to_e164(raw).kind for raw in raws]
    assert expected == [number.kind for number in to_e164_many(raws)]
    assert KINDS[number_type] in expected


def test_there_is_a_kind_for_each_type_of_the_library() -> None:
    types = set(PhoneNumberType.values()) - {PhoneNumberType.UNKNOWN}

    assert types == set(KINDS)
    assert set(NumberKind) == set(KINDS.values())


ANY_RAW = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(max_size=40),
    st.text(st.sampled_from("0123456789+ ()-.;x#eE,'²٣\u00a0/"), max_size=25),
)


@settings(deadline=None)
@given(ANY_RAW, st.sampled_from([None, "FR", "US", "IT", "BR", "AR"]))
def test_any_value_gives_a_valid_number_or_a_problem_and_never_an_error(
    raw: object, region: str | None
) -> None:
    number = to_e164(raw, region=region)

    assert (number.e164 is None) != (number.problem is None)
    assert (number.e164 is None) == (number.kind is None)
    if number.e164 is not None:
        parsed = phonenumbers.parse(number.e164, None)
        assert phonenumbers.is_valid_number(parsed)
        assert e164_of(parsed) == number.e164
        assert number == to_e164(number.e164)


@settings(deadline=None)
@given(st.integers(10**7, 10**10), st.sampled_from(["FR", "US", "IT", "DE", "AR", "JP"]))
def test_a_plain_national_text_is_what_phonenumbers_says(digits: int, region: str) -> None:
    """The library is the judge: nothing is added for a text without damage."""
    raw = f"0{digits}"

    assert judged(raw, region) == to_e164(raw, region=region).e164
