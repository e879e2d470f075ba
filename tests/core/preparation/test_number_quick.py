"""
The quick way against the library: the same answer for every text, in every field.

Of the examples in all their forms, 1.3 % went to the library; of the mutations, which are
mostly odder than anything people write, 33 %.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smsflow_provider.core.preparation.number import Number, NumberProblem, to_e164, to_e164_many
from smsflow_provider.core.preparation.number_quick import (
    QuickReader,
    is_short,
    quick_reader,
    read_international,
)
from tests.core.preparation.odd_numbers import (
    FORMS,
    MUTATIONS,
    REGIONS,
    examples_of_no_country,
    forms_of,
    mutations,
)


def differences(raws: Iterable[object], *, region: str | None) -> list[tuple[object, str]]:
    """What the two ways do not agree on."""
    given_raws = list(raws)
    quick = to_e164_many(given_raws, region=region)
    return [
        (raw, f"{to_e164(raw, region=region)} is not {number}")
        for raw, number in zip(given_raws, quick, strict=True)
        if number != to_e164(raw, region=region)
    ]


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
@example("12345678.0  ", "FR")
@example("00 33 6 12 34 56 78", None)
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
