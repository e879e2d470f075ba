"""
The quick way against the library: the same answer for every text, in every field.

Of the examples in all their forms, 1.3 % went to the library; of the mutations, which are
mostly odder than anything people write, 33 %.
``SMSFLOW_NUMBER_MUTATIONS`` sets how many mutations are compared: 300,000 in CI, 30,000 else.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from smsflow_provider.core.preparation.number import Number, NumberProblem, to_e164, to_e164_many
from smsflow_provider.core.preparation.number_quick import (
    QuickReader,
    is_short,
    quick_reader,
    read_international,
)

IS_CI = os.environ.get("SMSFLOW_REQUIRE_ALL") == "1"
MUTATIONS = int(os.environ.get("SMSFLOW_NUMBER_MUTATIONS", "300000" if IS_CI else "30000"))
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
KINDS = [kind for kind in PhoneNumberType.values() if kind != PhoneNumberType.UNKNOWN]
#: What people, switchboards and exports put in front of a number.
STARTS = ["", "+", "00", "0", "1", "8", "011", "810", "+0", "(0)", "0-0", "00+", "++", "0 0", " "]
#: Alone or repeated, inside a number; the last ones are the library's to judge.
MARKS = [" ", ".", "-", "(", ")", "/", "  ", "(0)", ".0", "+", "x", "#", "~", ",", "\u00a0", "a"]

Mutation = Callable[[random.Random, str], str]


def examples_of(region: str) -> list[PhoneNumber]:
    """Every kind of number the library has an example for."""
    found = [phonenumbers.example_number_for_type(region, kind) for kind in KINDS]
    return [number for number in found if number is not None]


def examples_of_no_country() -> list[PhoneNumber]:
    codes = phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS
    found = [phonenumbers.example_number_for_non_geo_entity(code) for code in sorted(codes)]
    return [number for number in found if number is not None]


def forms_of(number: PhoneNumber) -> Iterator[str]:
    """The ways one number is written."""
    e164, shown, national, uri = (
        phonenumbers.format_number(number, form)
        for form in (
            PhoneNumberFormat.E164,
            PhoneNumberFormat.INTERNATIONAL,
            PhoneNumberFormat.NATIONAL,
            PhoneNumberFormat.RFC3966,
        )
    )
    code = str(number.country_code)
    yield from (e164, shown, national, uri)
    yield from (e164[1:], f"00{e164[1:]}", f"011{e164[1:]}", shown.replace("+", "00 "))
    for separator in (".", "-", "/", ""):
        yield national.replace(" ", separator)
        yield shown.replace(" ", separator)
    yield phonenumbers.national_significant_number(number)
    yield shown.replace(f"+{code} ", f"+{code} (0)")
    yield f"{e164[1:]}.0"


def differences(raws: Iterable[object], *, region: str | None) -> list[tuple[object, str]]:
    """What the two ways do not agree on."""
    given_raws = list(raws)
    quick = to_e164_many(given_raws, region=region)
    return [
        (raw, f"{to_e164(raw, region=region)} is not {number}")
        for raw, number in zip(given_raws, quick, strict=True)
        if number != to_e164(raw, region=region)
    ]


#: By region, the examples in all their forms.
FORMS = {
    region: [raw for number in examples_of(region) for raw in forms_of(number)]
    for region in REGIONS
}
CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


def test_all_examples_in_all_forms_are_read_as_the_library_reads_them() -> None:
    seen = 0
    for region, raws in FORMS.items():
        assert [] == differences(raws, region=region), region
        seen += len(raws)

    assert 20_000 < seen


def test_all_examples_are_read_alike_where_nobody_said_from_which_country() -> None:
    for raws in FORMS.values():
        assert [] == differences(raws, region=None)


def test_numbers_of_no_country_are_read_alike() -> None:
    raws = [raw for number in examples_of_no_country() for raw in forms_of(number)]

    assert [] == differences(raws, region="FR")
    assert [] == differences(raws, region=None)


def change(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text))
    return f"{text[:at]}{rng.randrange(10)}{text[at + 1 :]}"


def drop(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text))
    return f"{text[:at]}{text[at + 1 :]}"


def add(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return f"{text[:at]}{rng.randrange(10)}{text[at:]}"


def swap(rng: random.Random, text: str) -> str:
    """Exchange two neighbours."""
    at = rng.randrange(len(text))
    return f"{text[:at]}{text[at + 1 : at + 2]}{text[at]}{text[at + 2 :]}"


def restart(rng: random.Random, text: str) -> str:
    """Put something else in front."""
    return f"{rng.choice(STARTS)}{text.lstrip('+0 (')}"


def put_in_front(rng: random.Random, text: str) -> str:
    return f"{rng.choice(STARTS)}{text}"


def put_code(rng: random.Random, text: str) -> str:
    """Put the calling code of some country in front, or between its start and the rest."""
    return f"{rng.choice(STARTS)}{rng.choice(CODES)}{text.lstrip('+')}"


def mark(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return f"{text[:at]}{rng.choice(MARKS)}{text[at:]}"


def redial(rng: random.Random, text: str) -> str:
    """Keep the beginning, and give other digits behind it."""
    kept = rng.randrange(2, 7)
    return text[:kept] + "".join(
        str(rng.randrange(10)) if char.isdigit() else char for char in text[kept:]
    )


def cut(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(1, len(text) + 1)]


MUTATE: list[Mutation] = [
    change, drop, add, swap, restart, put_in_front, put_code, mark, redial, redial, cut,
]  # fmt: skip


def mutations(count: int, *, seed: int) -> Iterator[tuple[str | None, str]]:
    """Numbers that were damaged one to three times, with the region of their column."""
    rng = random.Random(seed)
    for _ in range(count):
        home = rng.choice(REGIONS)
        text = rng.choice(FORMS[home])
        for mutate in rng.choices(MUTATE, k=rng.choice([1, 1, 2, 3])):
            text = mutate(rng, text) if text else text
        yield rng.choice([home, home, home, rng.choice(REGIONS), rng.choice(REGIONS), None]), text


def test_mutated_numbers_are_read_as_the_library_reads_them() -> None:
    columns: defaultdict[str | None, list[str]] = defaultdict(list)
    for region, raw in mutations(MUTATIONS, seed=20_260_301):
        columns[region].append(raw)

    wrong = {region: differences(raws, region=region) for region, raws in columns.items()}

    assert MUTATIONS == sum(len(raws) for raws in columns.values())
    assert {} == {region: some for region, some in wrong.items() if some}


@settings(deadline=None, max_examples=300)
@given(st.lists(st.text(max_size=30), max_size=5), st.sampled_from([None, *REGIONS]))
@example(["+33612345678\n", "\n+33612345678", "+3361234567\n8", "+\u0663\u0663612345678"], "FR")
def test_any_text_is_read_alike(raws: list[str], region: str | None) -> None:
    assert [] == differences(raws, region=region)


@settings(deadline=None, max_examples=1_000)
@given(st.text("0123456789+ ()-./,\u00a0", max_size=22), st.sampled_from([None, *REGIONS]))
@example("612345678.0", "FR")
@example("12345.0", "FR")
@example("+33 6 12 34 56.78", "FR")
@example("000033612345678", "FR")
@example("0 0 33 6 12 34 56 78", "US")
@example("+33 (0)(0)612345678", "FR")
@example("0-0-1-2-3", "FR")
@example("00 123", "FR")
@example("+0612345678", "FR")
@example("(+)33612345678", "FR")
def test_any_text_of_digits_and_marks_is_read_alike(raw: str, region: str | None) -> None:
    assert [] == differences([raw], region=region)


@settings(deadline=None, max_examples=1_000)
@given(
    st.integers(0, 10**16), st.sampled_from(["+", "+1", "+44", "+7", "+54", "+39", "00", "0", ""])
)
def test_any_digits_behind_any_start_are_read_alike(digits: int, start: str) -> None:
    for region in ("FR", "US", "GG", "AR", "BR", "IT", "KZ", "SM", "BR", None):
        assert [] == differences([f"{start}{digits}"], region=region)


@settings(deadline=None)
@given(st.one_of(st.integers(), st.floats(), st.booleans(), st.decimals(), st.none()))
@example(33612345678)
@example(33612345678.0)
@example(612345678.5)
@example(10**15)
@example(True)
def test_any_number_of_a_column_is_read_alike(raw: object) -> None:
    assert [] == differences([raw], region="FR")


def test_hardly_an_example_is_left_to_the_library() -> None:
    left = seen = 0
    for region, forms in FORMS.items():
        reader = quick_reader(region)
        raws = [raw for raw in forms if raw[:4] != "tel:"]
        left += sum(reader.read(raw) is None for raw in raws)
        seen += len(raws)

    assert 0.02 > left / seen


@pytest.mark.parametrize(
    ("raw", "region"),
    [
        ("+33612345678", None),
        ("0612345678", "FR"),
        ("06 12 34 56 78", "FR"),
        ("06.12.34.56.78", "FR"),
        ("06-12-34-56-78", "FR"),
        ("06/12/34/56/78", "FR"),
        ("(06) 12345678", "FR"),
        ("0033612345678", "FR"),
        ("00 33 6 12 34 56 78", "FR"),
        ("33612345678", "FR"),
        ("612345678", "FR"),
        ("+33 (0)6 12 34 56 78", "FR"),
        ("011 33 6 12 34 56 78", "US"),
    ],
)
def test_what_people_write_needs_no_library(raw: str, region: str | None) -> None:
    number = quick_reader(region).read_valid(raw)

    assert number is not None
    assert "+33612345678" == number.e164


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "+",
        "12",
        "abc",
        "tel:0612345678",
        "0612345678x1",
        "+999123456789",  # nobody's calling code
        "0000612345678",  # no calling code begins with a zero
        "0612345678 0687654321",
        "\u0660612345678",
        "061234567\u00b2",
        "06\u00a012345678",
    ],
)
def test_what_is_odd_is_left_to_the_library(raw: str) -> None:
    assert quick_reader("FR").read(raw) is None


@pytest.mark.parametrize(
    ("raw", "region", "problem"),
    [
        ("+33700123456", "FR", "invalid"),
        ("+336123", "FR", "too_short"),
        ("+3361234567890", "FR", "too_long"),
        ("0512", "FR", "short_code"),
        ("00512345", "FR", "too_short"),
        ("0612345678", None, "no_region"),
        ("36111", None, "short_code"),
        ("(36) 111", "FR", "short_code"),
    ],
)
def test_refusals_are_sure_too(raw: str, region: str | None, problem: str | None) -> None:
    number = quick_reader(region).read(raw)

    assert problem == (number.problem if number else None)


@pytest.mark.parametrize("raw", ["612345678.0", "0612345678.00", "33612345678.0", "061234567.8"])
def test_what_may_be_the_decimals_of_a_spreadsheet_is_not_read_at_once(raw: str) -> None:
    assert quick_reader("FR").read_valid(raw) is None


def test_dots_between_the_digits_are_not_decimals() -> None:
    assert quick_reader("FR").read_valid("06.12.34.56.00") is not None


def test_a_refused_number_is_not_valid_at_once() -> None:
    """It may be written in another way, which is tried next."""
    assert quick_reader("FR").read_valid("0000000000") is None


def test_plus_and_digits_are_read_without_a_region() -> None:
    assert Number(problem=NumberProblem.TOO_SHORT) == read_international("+336123")
    assert read_international("+999123456789") is None
    assert read_international("33612345678") is None


def test_there_is_one_reader_for_a_region() -> None:
    assert quick_reader("FR") is quick_reader("FR")
    assert isinstance(quick_reader(None), QuickReader)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("112", True), ("36 111", True), ("12", False), ("1234567", False), ("+33612", False),
     ("00336", False), ("0 0336", True)],
)  # fmt: skip
def test_a_short_code_has_three_to_six_digits(text: str, *, expected: bool) -> None:
    assert expected == is_short(text)
