"""The patterns of calling codes: regions, kinds, lengths and prefixes as the library has them."""

from __future__ import annotations

import random

import phonenumbers
import pytest
from phonenumbers import PhoneNumber, PhoneNumberFormat

from smsflow_provider.core.preparation.number import NumberKind, NumberProblem
from smsflow_provider.core.preparation.number_patterns import (
    Judges,
    judges_by_start,
    judges_of_stripped,
    metadata_of,
    non_capturing,
    pattern_of_possible,
)
from smsflow_provider.core.preparation.number_value import Number, number_maker, problem_number

CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


def e164_of(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def digits_of(code: int, *, count: int, rng: random.Random) -> list[str]:
    """National numbers of that calling code, of every length; most of them are not given out."""
    return [
        "".join(rng.choices("0123456789", k=rng.randrange(4, 14 - len(str(code)))))
        for _ in range(count)
    ]


def library_says(code: int, national: str) -> tuple[bool, str | None]:
    """Whether these digits, as they are, are a number; and of which region."""
    zeros = len(national) - len(national.lstrip("0"))
    number = PhoneNumber(
        country_code=code,
        national_number=int(national),
        italian_leading_zero=zeros > 0 or None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )
    region = phonenumbers.region_code_for_number(number)
    is_country = region != phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
    return phonenumbers.is_valid_number(number), region if is_country else None


def test_every_calling_code_is_found_by_its_first_digits() -> None:
    by_start = judges_by_start()

    for code in CODES:
        judges = by_start[f"+{code}999"[:4]]
        assert judges is by_start[f"+{code}000"[:4]]
        assert judges is not judges_of_stripped(code)


def test_what_is_no_calling_code_is_not_found() -> None:
    by_start = judges_by_start()

    assert {4} == set(map(len, by_start))
    assert not {"+999", "+000", "+33 ", "0033", "3361"} & set(by_start)


@pytest.mark.parametrize("code", CODES)
def test_random_digits_are_valid_where_the_library_says_so(code: int) -> None:
    judges = judges_of_stripped(code)
    rng = random.Random(code)
    for national in digits_of(code, count=60, rng=rng):
        if not national.strip("0"):
            continue
        number = judges.read(f"+{code}{national}")
        is_valid, region = library_says(code, national)
        assert number is not None
        assert is_valid == (number.problem is None), national
        assert (region if is_valid else None) == number.region, national


def test_a_number_that_is_fixed_line_and_mobile_is_of_its_own_kind() -> None:
    both = phonenumbers.example_number_for_type("US", phonenumbers.PhoneNumberType.MOBILE)
    assert both is not None

    number = judges_of_stripped(1).read(e164_of(both))

    assert number is not None
    assert NumberKind.FIXED_LINE_OR_MOBILE is number.kind


def test_leading_digits_claim_a_number_for_their_region_even_when_it_is_not_valid() -> None:
    """+1 264 is Anguilla's; what it does not give out is nobody else's."""
    number = judges_of_stripped(1).read("+12640000000")

    assert Number(problem=NumberProblem.INVALID) == number


def test_a_pattern_is_made_once_and_only_when_needed() -> None:
    judges = Judges(33, is_stripped=False)
    assert {} == judges

    judges.read("+33612345678")
    first = judges[12]
    judges.read("+33712345678")

    assert [12] == list(judges)
    assert first is judges[12]


@pytest.mark.parametrize(
    "e164", ["+3361", "+33", "+3361234567890123456", "+33 612345678", "+33abc"]
)
def test_what_is_not_plus_and_six_to_seventeen_digits_is_not_sure(e164: str) -> None:
    for is_stripped in (False, True):
        assert Judges(33, is_stripped=is_stripped).read(e164) is None


def test_nothing_is_kept_of_lengths_no_number_has() -> None:
    judges = Judges(33, is_stripped=False)
    for length in range(100):
        judges.read("+33".ljust(length, "1"))

    assert set(range(6, 19)) == set(judges)


def test_a_zero_behind_the_calling_code_is_dropped_like_the_library_does() -> None:
    number = Judges(33, is_stripped=False).read("+330612345678")

    assert number is not None
    assert "+33612345678" == number.e164


def test_a_zero_that_is_known_to_belong_to_the_number_is_kept() -> None:
    number = judges_of_stripped(33).read("+330612345678")

    assert Number(problem=NumberProblem.TOO_LONG) == number


def test_a_prefix_that_is_rewritten_is_the_libraries_business() -> None:
    """Argentina: 11 15 becomes 9 11."""
    assert Judges(54, is_stripped=False).read("+541115234567") is None


def test_the_eight_of_a_russian_number_is_no_prefix_where_the_rest_is_no_number() -> None:
    number = Judges(7, is_stripped=False).read("+78121234567")

    assert number is not None
    assert "RU" == number.region


@pytest.mark.parametrize(
    ("e164", "problem"),
    [("+336123", "too_short"), ("+33612345678901", "too_long"), ("+33012345678", None)],
)
def test_a_refusal_says_what_its_length_says(e164: str, problem: str | None) -> None:
    number = judges_of_stripped(33).read(e164)

    assert number is not None
    assert (problem or "invalid") == number.problem


def test_a_possible_number_is_what_the_region_says() -> None:
    assert r"(?:[1-9]\d{8})" == pattern_of_possible(metadata_of(33))


def test_the_region_of_a_shared_calling_code_has_its_own_rules() -> None:
    assert metadata_of(1) is metadata_of(1, region="US")
    assert metadata_of(1) is not metadata_of(1, region="CA")
    with pytest.raises(KeyError):
        metadata_of(999)


def test_groups_lose_their_number_and_nothing_else() -> None:
    assert r"(?:1(?:2|3)(?=4)[5-7]\d)" == non_capturing(r"(1(?:2|3)(?=4)[5-7]\d)")


def test_a_number_made_quickly_is_like_any_other() -> None:
    number = number_maker(region="FR", kind=NumberKind.MOBILE)("+33612345678")
    same = Number(e164="+33612345678", region="FR", kind=NumberKind.MOBILE)

    assert same == number
    assert hash(same) == hash(number)
    assert repr(same) == repr(number)
    with pytest.raises(AttributeError):
        number.region = "BE"  # type: ignore[misc]


def test_there_is_one_number_for_a_problem() -> None:
    for problem in NumberProblem:
        assert Number(problem=problem) == problem_number(problem)
        assert problem_number(problem) is problem_number(problem)
