"""Each rule for itself, where the whole says too little."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.preparation.candidates import BLOCK_ROWS, CandidateBuilder, Candidates
from smsflow_provider.core.preparation.exclusions.control_group import mixed, size_of
from smsflow_provider.core.preparation.exclusions.exclude import exclude
from smsflow_provider.core.preparation.exclusions.membership import counts_of, on_list
from smsflow_provider.core.preparation.exclusions.pressure import Pressure, least_count
from smsflow_provider.core.preparation.exclusions.rules import ExclusionRules
from smsflow_provider.core.preparation.numbers import read_numbers
from smsflow_provider.core.preparation.population import (
    Duplicates,
    Population,
    Share,
    SizeLimit,
    Winner,
)
from tests.core.preparation.exclusions.people import (
    Person,
    make_candidates,
    make_contacts,
    make_lists,
    make_numbers,
    verdicts_of,
)

FIRST = 33600000000


def held_back(phones: Sequence[int], share: Share, *, draw: str = "shop.sale") -> set[int]:
    """Give the numbers of the control group."""
    candidates = make_candidates([Person(phone=phone) for phone in phones])
    rules = ExclusionRules(population=Population(control_group=share), draw=draw)
    exclude(candidates, rules, make_lists())
    seen = candidates.slice(0, len(phones))
    return set(seen.filter(pl.col("reason") == "control_group")["phone"].to_list())


def test_the_lot_is_the_same_on_every_machine_for_ever() -> None:
    """A changed draw would text people who were held back for months."""
    phones = range(FIRST, FIRST + 40)

    assert {7, 26, 28, 31} == {phone - FIRST for phone in held_back(phones, Share(count=4))}


def test_the_lot_does_not_depend_on_the_order_or_on_who_else_is_there() -> None:
    phones = list(range(FIRST, FIRST + 1000))
    whole = held_back(phones, Share(percent=10))

    assert whole == held_back(phones[::-1], Share(percent=10))
    fewer = held_back(phones[:900], Share(percent=10))
    assert len(fewer - whole) <= 10
    assert whole < held_back(phones, Share(percent=20))


def test_workflows_draw_different_people() -> None:
    phones = list(range(FIRST, FIRST + 1000))
    one = held_back(phones, Share(percent=10), draw="shop.sale")
    other = held_back(phones, Share(percent=10), draw="shop.news")

    assert 100 == len(one) == len(other)
    assert len(one & other) < 30


def test_the_lot_favours_nobody() -> None:
    """Neighbours and blocks of numbers are drawn alike: 10 of 100 each, within five sigmas."""
    phones = np.arange(FIRST, FIRST + 100_000, dtype=np.uint64)
    lots = mixed(phones, salt=7)
    cutoff = np.sort(lots)[10_000]
    counts = (lots < cutoff).reshape(-1, 1000).sum(axis=1)

    assert 55 <= counts.min()
    assert counts.max() <= 145
    assert 100_000 == len(np.unique(lots))


@pytest.mark.parametrize(
    ("share", "of", "size"),
    [
        (Share(percent=10), 4, 0),
        (Share(percent=10), 5, 1),
        (Share(percent=12.5), 4, 1),
        (Share(percent=0.1), 500, 1),
        (Share(percent=0.1), 499, 0),
        (Share(percent=33.3), 1_000_000, 333_000),
        (Share(percent=100), 7, 7),
        (Share(count=10), 7, 7),
        (Share(count=3), 0, 0),
    ],
)
def test_a_share_is_rounded_half_up_to_people(share: Share, of: int, size: int) -> None:
    assert size == size_of(share, of=of)


@pytest.mark.parametrize(
    ("texts", "threshold", "is_kept"),
    [(0, 1, True), (1, 1, False), (1, 2, True), (2, 2, False), (3, 2, False), (0, 0, False)],
)
@pytest.mark.parametrize("is_own", [False, True])
def test_pressure_keeps_who_has_strictly_fewer_texts(
    texts: int,
    threshold: int,
    is_kept: bool,  # noqa: FBT001  a column of the table
    is_own: bool,  # noqa: FBT001  so is this
) -> None:
    candidates = make_candidates([Person(phone=FIRST, most=threshold if is_own else None)])
    most = 32_767 if is_own else threshold
    rule = Pressure(name="weekly", days=7, most=most, most_column="most")
    contacts = {"weekly": make_contacts({FIRST: texts} if texts else {})}

    exclude(candidates, ExclusionRules(pressures=(rule,)), make_lists(contacts=contacts))

    assert [None if is_kept else (Exclusion.PRESSURE, "weekly")] == verdicts_of(candidates)


@pytest.mark.parametrize(
    ("most", "own", "least"),
    [(3, None, 3), (0, None, 1), (3, [2, 5], 2), (3, [5], 3), (3, [0, 7], 3), (0, [4], 1)],
)
def test_only_counts_that_can_matter_are_read(most: int, own: list[int] | None, least: int) -> None:
    candidates = make_candidates([Person(most=one) for one in own or [1]])
    rule = Pressure(name="weekly", days=7, most=most, most_column="most" if own else "")

    assert least == least_count(candidates, rule)


@pytest.mark.parametrize(("days", "most"), [(0, 1), (367, 1), (7, -1), (7, 40_000)])
def test_a_pressure_rule_out_of_its_range_is_refused(days: int, most: int) -> None:
    with pytest.raises(ValueError, match="pressure rule"):
        Pressure(name="weekly", days=days, most=most)


def test_an_empty_allow_list_lets_nobody_through() -> None:
    candidates = make_candidates([Person(phone=FIRST), Person(phone=FIRST + 1)])
    exclude(candidates, ExclusionRules(), make_lists(allowed=make_numbers()))

    assert {Exclusion.FILTERED: 2} == candidates.counts()


def test_somebody_who_gets_no_text_wins_no_duplicate() -> None:
    """The freshest row is of a premium number, opted out or refused: the other row is texted."""
    people = [
        Person(phone=FIRST, duplicate_by=1.0, sender="Other"),
        Person(phone=FIRST, duplicate_by=9.0, sender="ACME"),
    ]
    candidates = make_candidates(people)
    rules = ExclusionRules(
        population=Population(duplicates=Duplicates(keep=Winner.FRESHEST, by="at"))
    )
    opt_outs = {
        "": make_numbers(),
        "sender:ACME": make_numbers(FIRST),
        "sender:OTHER": make_numbers(),
    }
    exclude(candidates, rules, make_lists(opt_outs=opt_outs))

    assert [None, (Exclusion.OPTED_OUT, "sender:ACME")] == verdicts_of(candidates)


phones = st.integers(1, 40)


@given(st.lists(phones), st.lists(phones))
def test_a_number_is_on_a_list_or_not(asked: list[int], listed: list[int]) -> None:
    found = on_list(np.array(asked, dtype=np.uint64), pl.Series(listed, dtype=pl.UInt64))

    assert [one in listed for one in asked] == found.tolist()


@given(st.lists(phones), st.dictionaries(phones, st.integers(1, 9)))
def test_a_number_has_its_count(asked: list[int], counted: dict[int, int]) -> None:
    found = counts_of(np.array(asked, dtype=np.uint64), make_contacts(counted))

    assert [counted.get(one, 0) for one in asked] == found.tolist()


def test_a_list_longer_than_what_is_looked_up_at_once_is_one_list() -> None:
    listed = pl.Series("phone", range(FIRST, FIRST + 1_200_000), dtype=pl.UInt64)
    asked = np.array([FIRST, FIRST + 1_199_999, FIRST - 1, FIRST + 1_200_000], dtype=np.uint64)
    counted = listed.to_frame().with_columns(pl.lit(3, dtype=pl.Int32).alias("count"))

    assert [True, True, False, False] == on_list(asked, listed).tolist()
    assert [3, 3, 0, 0] == counts_of(asked, counted).tolist()


def many(count: int) -> Candidates:
    """Make candidates of whom every number stands twice, far apart."""
    half = count // 2
    numbers = read_numbers(pl.Series(["+33612345678"]), region=None)
    builder = CandidateBuilder(count)
    for start in range(0, count, 100_000):
        places = np.arange(start, min(start + 100_000, count), dtype=np.uint64)
        frame = numbers.select(pl.all().repeat_by(len(places)).explode())
        given = pl.Series("phone", FIRST + places % np.uint64(half))
        rules = pl.DataFrame({"limit_by": places, "duplicate_by": places})
        rules = rules.with_columns(control_by=True)
        builder.add(frame.with_columns(given), rules)
    return builder.finish()


def test_blocks_and_shares_of_a_large_audience_meet() -> None:
    """Duplicates in other blocks are found, and choices span them."""
    count = 2 * BLOCK_ROWS + 200_000
    half = count // 2
    candidates = many(count)
    population = Population(
        duplicates=Duplicates(keep=Winner.HIGHEST, by="x"),
        control_group=Share(count=1000),
        size_limit=SizeLimit(count=half - 3000, by="x"),
    )
    lists = make_lists(quarantined=pl.Series(range(FIRST, FIRST + 1000), dtype=pl.UInt64))
    exclude(candidates, ExclusionRules(population=population), lists)

    assert {
        Exclusion.QUARANTINED: 2000,
        Exclusion.DUPLICATE: half - 1000,
        Exclusion.CONTROL_GROUP: 1000,
        Exclusion.SIZE_LIMIT: 1000,
    } == candidates.counts()
    winners = candidates.winner_rows()
    assert (winners["winner_row"] - winners["row_number"] == half).all()
    assert (candidates.still_in().arg_true() >= half + 2000).all()


@pytest.mark.parametrize("size", [7, BLOCK_ROWS + 7])
def test_of_equal_rows_the_first_are_chosen_over_all_blocks(size: int) -> None:
    """By the order of the audience, and by a column in which all are alike."""
    candidates = many(4 * BLOCK_ROWS + 200_000)
    population = Population(
        control_group=Share(count=size, by="x"), size_limit=SizeLimit(count=size)
    )
    exclude(candidates, ExclusionRules(population=population), make_lists())

    held = candidates.columns.reason == 1 + list(Exclusion).index(Exclusion.CONTROL_GROUP)
    assert [*range(size)] == np.flatnonzero(held).tolist()
    assert [*range(size, 2 * size)] == candidates.still_in().arg_true().to_list()
