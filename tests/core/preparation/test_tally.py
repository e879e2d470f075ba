from __future__ import annotations

import json
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.model import Encoding, Exclusion
from smsflow_provider.core.preparation.tally import Tally

MESSAGE: dict[str, Any] = {
    "region": "FR",
    "sender": "ACME",
    "language": "",
    "encoding": "gsm7",
    "units": 10,
    "parts": 1,
    "is_cut": False,
}


def messages(*changes: dict[str, Any], first: int = 1) -> pl.DataFrame:
    """Make a frame of messages, one for each change of the ordinary one."""
    rows = [{**MESSAGE, **change, "position": n} for n, change in enumerate(changes, start=first)]
    schema = {"units": pl.Int32, "parts": pl.Int16, "position": pl.Int32}
    return pl.DataFrame(rows, schema_overrides=schema)


def tally_of(*changes: dict[str, Any]) -> Tally:
    tally = Tally(len(changes))
    tally.add_messages(messages(*changes))
    return tally


def excluded(*rows: tuple[Exclusion, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [(reason.value, detail) for reason, detail in rows],
        schema={"reason": pl.String, "detail": pl.String},
        orient="row",
    )


def test_samples_stand_for_the_longest_the_shortest_and_the_first_of_each_kind() -> None:
    tally = tally_of(
        {},
        {"units": 4, "language": "fr"},
        {"parts": 3, "units": 400, "encoding": "ucs2"},
        {"parts": 3, "units": 401, "language": "de"},
        {"parts": 3, "units": 401},
        {"units": 4},
    )

    assert {
        "first": [1, 2, 3],
        "longest": 4,
        "shortest": 2,
        "dearest": 3,
        "encodings": {"gsm7": 1, "ucs2": 3},
        "languages": {"fr": 2, "de": 4},
        "parts": {"1": 1, "3": 3},
    } == tally.samples()


def test_samples_do_not_depend_on_how_messages_are_cut_into_frames() -> None:
    changes = [{"units": 10 + n % 7, "parts": 1 + n % 3} for n in range(30)]
    whole, pieces = tally_of(*changes), Tally(30)
    for start in range(0, 30, 4):
        pieces.add_messages(messages(*changes[start : start + 4], first=start + 1))

    assert whole.samples() == pieces.samples()
    assert whole.figures() == pieces.figures()


def test_the_dearest_is_that_of_the_highest_price_not_the_longest() -> None:
    tally = tally_of({"parts": 5}, {"region": "CH", "parts": 2}, {"region": "CH", "parts": 2})
    prices = {"FR": 0.01, "CH": 0.1}

    assert 2 == tally.samples(lambda country, _sender: prices[country])["dearest"]


def test_an_unknown_price_counts_as_none_and_breaks_nothing() -> None:
    assert 1 == tally_of({"parts": 2}, {})._dearest(lambda _country, _sender: None)


def test_nobody_has_no_samples_and_figures_of_nothing() -> None:
    tally = Tally(0)

    assert {} == tally.samples()
    figures = tally.figures()
    assert {"excluded": {}, "encodings": {}, "by_parts": {}} == {
        name: figures[name] for name in ("excluded", "encodings", "by_parts")
    }
    assert (0, 0, 0) == (tally.parts, tally.cut, tally.longest_parts)


def test_exclusions_stand_in_the_order_of_the_law() -> None:
    tally = Tally(20)
    for reason in reversed(Exclusion):
        tally.add_excluded(excluded((reason, "")))

    assert [reason.value for reason in Exclusion] == list(tally.figures()["excluded"])


def test_details_that_differ_from_row_to_row_are_no_figures() -> None:
    tally = Tally(4)
    tally.add_excluded(
        excluded(
            (Exclusion.INVALID_NUMBER, "too_short"),
            (Exclusion.INVALID_NUMBER, "too_short"),
            (Exclusion.MISSING_FIELD, "city"),
            (Exclusion.DUPLICATE, "same number as row 3"),
        )
    )

    assert [
        {"reason": "invalid_number", "detail": "too_short", "recipients": 2},
        {"reason": "missing_field", "detail": "city", "recipients": 1},
    ] == tally.figures()["details"]


@given(
    st.lists(
        st.tuples(st.integers(1, 10), st.sampled_from(Encoding), st.sampled_from(["FR", "DE", ""])),
        min_size=1,
    )
)
def test_figures_add_up_and_are_json(rows: list[tuple[int, Encoding, str]]) -> None:
    tally = tally_of(
        *[
            {"parts": parts, "encoding": encoding.value, "region": region}
            for parts, encoding, region in rows
        ]
    )
    figures = tally.figures()

    assert figures == json.loads(json.dumps(figures))
    assert len(rows) == tally.to_deliver == sum(figures["encodings"].values())
    assert tally.parts == sum(int(size) * n for size, n in figures["by_parts"].items())
    assert tally.parts == sum(region["parts"] for region in figures["regions"].values())
    assert max(parts for parts, _, _ in rows) == figures["longest_parts"]
