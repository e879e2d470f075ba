"""Verdicts, the line they stand on, and the rules by which digits in front are taken away."""

from __future__ import annotations

import itertools
import threading

import polars as pl
import pytest

from smsflow_provider.core.preparation.number_home import home_pieces, text_start
from smsflow_provider.core.preparation.number_line import Line, World, digits_of, home_line, world
from smsflow_provider.core.preparation.number_patterns import metadata_of
from smsflow_provider.core.preparation.number_plan import (
    FIRST_VALID,
    NUMBER_KINDS,
    PROBLEMS,
    REGIONS,
    SEE_WORLD,
    UNSURE,
    VERDICTS,
    Piece,
    cuts,
    in_order,
    kind_of_verdict,
    pieces_of_code,
    problem_of_verdict,
    problem_verdict,
    region_of_verdict,
    verdict_of,
)
from smsflow_provider.core.preparation.number_spans import size_of
from smsflow_provider.core.preparation.number_value import Number, NumberKind, problem_number


def test_a_verdict_is_a_problem_or_a_region_and_a_kind_and_says_so_again() -> None:
    for problem in PROBLEMS:
        verdict = verdict_of(problem_number(problem))
        assert verdict == problem_verdict(problem)
        assert problem is problem_of_verdict(verdict)
        assert kind_of_verdict(verdict) is None
        assert region_of_verdict(verdict) is None
    seen = set()
    for region, kind in itertools.product([None, *REGIONS], NUMBER_KINDS):
        verdict = verdict_of(Number(e164="+1", region=region, kind=kind))
        seen.add(verdict)
        assert region == region_of_verdict(verdict)
        assert kind is kind_of_verdict(verdict)
        assert problem_of_verdict(verdict) is None

    assert set(range(FIRST_VALID, VERDICTS)) == seen


@pytest.mark.parametrize("verdict", range(SEE_WORLD, FIRST_VALID))
def test_a_verdict_that_is_another_lines_is_none_itself(verdict: int) -> None:
    assert problem_of_verdict(verdict) is None
    assert kind_of_verdict(verdict) is None
    assert region_of_verdict(verdict) is None


def test_a_line_has_no_gaps_and_no_equal_neighbours() -> None:
    line = in_order([Piece(30, 40, 5), Piece(10, 20, 5), Piece(20, 25, 5), Piece(40, 41, 5, 1)])

    assert [
        Piece(0, 10, UNSURE), Piece(10, 25, 5), Piece(25, 30, UNSURE), Piece(30, 40, 5),
        Piece(40, 41, 5, 1), Piece(41, 41, UNSURE),
    ] == line  # fmt: skip


def test_a_number_is_looked_up_where_it_stands_and_moved() -> None:
    line = Line([Piece(10, 20, 5, -3)]).add([Piece(20, 30, 6), Piece(5, 10, 7)])
    judged = line.judge(pl.Series([0, 5, 9, 10, 19, 20, 29, 30, 10**18]))

    assert [UNSURE, 7, 7, 5, 5, 6, 6, UNSURE, UNSURE] == judged.get_column("verdict").to_list()
    assert [0, 5, 9, 7, 16, 20, 29, 30, 10**18] == judged.get_column("number").to_list()


def test_digits_are_counted() -> None:
    counts = digits_of(pl.Series([1, 9, 10, 99, 100, 10**17 - 1, 10**17], dtype=pl.Int64))

    assert [1, 1, 2, 2, 3, 17, 18] == counts.to_list()


def test_every_number_is_cut_in_one_way_only() -> None:
    for code, region in [(33, "FR"), (44, "GB"), (55, "BR"), (54, "AR"), (1, "DM"), (86, "CN")]:
        for digits in (4, 7, 9, 10, 11, 13):
            found = list(cuts(metadata_of(code, region=region), digits=digits))
            assert 10**digits == sum(size_of(cut.spans) for cut in found)


def test_a_home_is_known_for_a_region_of_any_habits() -> None:
    assert all(home_pieces(region) for region in ("FR", "US", "GB", "CN", "BR", "AR", "DM"))
    assert home_line("FR") is home_line("FR")
    assert 100_000 == text_start(5)


def test_a_code_is_learnt_when_it_comes_by_whoever_asks() -> None:
    """Threads that learn at the same time do not forget what the other learnt."""
    numbers = {code: pieces_of_code(code)[-1].start for code in (1, 33, 44, 49, 81, 91, 351, 998)}
    one_world = World()
    threads = [
        threading.Thread(target=one_world.judge, args=(pl.Series([number]),))
        for number in numbers.values()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    column = pl.Series(list(numbers.values()))
    assert UNSURE not in one_world.judge(column).get_column("verdict").to_list()
    assert one_world.judge(column).equals(world().judge(column))


def test_what_begins_with_no_calling_code_is_not_sure() -> None:
    judged = world().judge(pl.Series([999_123_456_789, 33_612_345_678]))
    unsure, valid = judged.get_column("verdict").to_list()

    assert UNSURE == unsure
    assert ("FR", NumberKind.MOBILE) == (region_of_verdict(valid), kind_of_verdict(valid))
