from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.model import Encoding, Exclusion
from smsflow_provider.core.preparation.exclude import Excluded, Kept
from smsflow_provider.core.preparation.personalise import Text
from smsflow_provider.core.preparation.tally import Tally


def kept(row: int = 1, region: str = "FR") -> Kept:
    return Kept(row_number=row, recipient_id=f"r{row}", phone=33600000000 + row, region=region)


def text(parts: int = 1, *, encoding: Encoding = Encoding.GSM7, units: int = 10) -> Text:
    return Text(body="Hi", encoding=encoding, units=units, parts=parts)


def excluded(reason: Exclusion, detail: str = "") -> Excluded:
    return Excluded(row_number=1, recipient_id="r1", phone=None, reason=reason, detail=detail)


def test_positions_are_counted_from_one() -> None:
    tally = Tally()

    assert [1, 2, 3] == [tally.add_message(kept(row), text()) for row in (5, 7, 9)]
    assert 3 == tally.to_deliver


def test_samples_are_the_first_three_the_longest_and_the_first_in_ucs2() -> None:
    tally = Tally()
    for position in range(1, 11):
        encoding = Encoding.UCS2 if position in {6, 9} else Encoding.GSM7
        parts = 3 if position in {5, 8} else 1
        tally.add_message(kept(position), text(parts, encoding=encoding))

    assert [1, 2, 3, 5, 6] == tally.samples()


def test_a_message_that_is_several_samples_is_shown_once() -> None:
    tally = Tally()
    tally.add_message(kept(), text(2, encoding=Encoding.UCS2))

    assert [1] == tally.samples()


def test_nobody_has_no_samples_and_figures_of_nothing() -> None:
    assert [] == Tally().samples()
    assert {"excluded": {}, "encodings": {}, "by_parts": {}} == {
        name: Tally().figures()[name] for name in ("excluded", "encodings", "by_parts")
    }


def test_exclusions_stand_in_the_order_of_the_law() -> None:
    tally = Tally()
    for reason in reversed(Exclusion):
        tally.add_excluded(excluded(reason))

    assert [reason.value for reason in Exclusion] == list(tally.figures()["excluded"])


def test_details_name_bad_numbers_and_missing_fields_only() -> None:
    """Other details differ from row to row: they would be a list of rows, not a figure."""
    tally = Tally()
    tally.add_excluded(excluded(Exclusion.INVALID_NUMBER, "too_short"))
    tally.add_excluded(excluded(Exclusion.INVALID_NUMBER, "too_short"))
    tally.add_excluded(excluded(Exclusion.MISSING_FIELD, "city"))
    tally.add_excluded(excluded(Exclusion.DUPLICATE, "same number as row 3"))

    assert [
        {"reason": "invalid_number", "detail": "too_short", "recipients": 2},
        {"reason": "missing_field", "detail": "city", "recipients": 1},
    ] == tally.figures()["details"]


@given(
    st.lists(
        st.tuples(st.integers(1, 10), st.sampled_from(Encoding), st.sampled_from(["FR", "DE", ""]))
    )
)
def test_figures_add_up_and_are_json(rows: list[tuple[int, Encoding, str]]) -> None:
    tally = Tally()
    for number, (parts, encoding, region) in enumerate(rows, start=1):
        tally.add_message(kept(number, region), text(parts, encoding=encoding))
    figures = tally.figures()

    assert figures == json.loads(json.dumps(figures))
    assert len(rows) == tally.to_deliver == sum(figures["encodings"].values())
    assert tally.parts == sum(int(size) * n for size, n in figures["by_parts"].items())
    assert tally.parts == sum(region["parts"] for region in figures["regions"].values())
    assert max((parts for parts, _, _ in rows), default=0) == figures["longest_parts"]
    assert all(1 <= position <= len(rows) for position in figures["samples"])
