from __future__ import annotations

import polars as pl

from smsflow_provider.core.preparation.checks import Level
from smsflow_provider.core.preparation.listed_audience import read_listed


def test_the_numbers_of_a_list_are_read_as_those_of_an_audience() -> None:
    pieces = [pl.Series(["06 12 34 56 78", "+33612345679"]), pl.Series(["0033612345678"])]
    listed = read_listed("vip", pieces, region="FR")

    assert [33612345678, 33612345679] == listed.numbers.to_list()
    assert pl.UInt64() == listed.numbers.dtype
    assert [] == listed.lines()


def test_people_on_the_list_who_cannot_be_found_are_told() -> None:
    """They are on the list and get the text all the same."""
    listed = read_listed("vip", [pl.Series(["0612345678", "?", None, ""])], region=None)
    (line,) = listed.lines()

    assert (Level.WARNING, 2) == (line.level, listed.unreadable)
    assert {"audience": "vip", "rows": 2} == line.facts
    assert "12345678" not in f"{line.problem} {listed!r}"


def test_a_list_of_nobody_leaves_nobody_out() -> None:
    assert [] == read_listed("vip", [], region="FR").numbers.to_list()
