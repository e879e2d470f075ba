from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.audience.saved_diff import (
    AudienceDiff,
    DiffKind,
    DiffRow,
    diff_audiences,
)
from smsflow_provider.core.errors import AudienceError
from tests.core.audience.people import CONTINUE, built, open_local

Rows = list[tuple[Any, ...]]
NAMES = ("id", "phone", "x")


def made(folder: Path, name: str, rows: Rows, names: tuple[str, ...] = NAMES) -> AudienceReference:
    own = folder / name
    own.mkdir(exist_ok=True)
    key = "id" if "id" in names else None
    return built(own, names, rows, id_column=key, on_empty=CONTINUE)


def diff(old: AudienceReference, new: AudienceReference) -> AudienceDiff:
    return diff_audiences(old, new, open_file=open_local)


def test_who_came_who_went_and_what_reads_otherwise(tmp_path: Path) -> None:
    old = made(tmp_path, "old", [("a", "+33612345671", 1), ("b", "+33612345672", 2), ("c", "", 3)])
    new = made(tmp_path, "new", [("c", None, 4), ("a", "+33612345671", 1), ("d", "0612345674", 5)])
    found = diff(old, new)

    assert ("recipient_id", 1, 1, 1, 1) == (
        found.by,
        found.added,
        found.removed,
        found.changed,
        found.unchanged,
    )
    assert (
        DiffRow(kind=DiffKind.ADDED, recipient_id="d", phone="06······74"),
        DiffRow(kind=DiffKind.REMOVED, recipient_id="b", phone="+33·······72"),
        DiffRow(kind=DiffKind.CHANGED, recipient_id="c", phone="", columns=("phone", "x")),
    ) == found.rows


def test_row_numbers_are_no_ids_so_phones_are_compared(tmp_path: Path) -> None:
    names = ("phone", "x")
    old = made(tmp_path, "old", [("+33 6 1", 1), ("+33 6 2", 2), (None, 3)], names)
    new = made(tmp_path, "new", [("0033 62", 2), ("+33 6 1", 1)], names)
    found = diff(old, new)

    assert ("phone", 0, 0, 1, 1) == (
        found.by,
        found.added,
        found.removed,
        found.changed,
        found.unchanged,
    )
    assert ("", ("phone",)) == (found.rows[0].recipient_id, found.rows[0].columns)
    with pytest.raises(AudienceError, match="row numbers"):
        diff(old, made(tmp_path, "ids", [("a", "1", 1)]))


def test_columns_that_came_went_or_changed_their_type_are_told(tmp_path: Path) -> None:
    old = made(tmp_path, "old", [("a", "1", 1, 1)], ("id", "phone", "x", "gone"))
    new = made(tmp_path, "new", [("a", "1", "1", 1)], ("id", "phone", "x", "came"))
    found = diff(old, new)

    assert (("came",), ("gone",), ("x",)) == (
        found.columns_added,
        found.columns_removed,
        found.columns_changed,
    )
    assert (0, 1) == (found.changed, found.unchanged)


@pytest.mark.parametrize("recipient", ["+33612345671", "33612345671", "0612345671"])
def test_an_id_that_is_the_phone_is_masked_too(tmp_path: Path, recipient: str) -> None:
    new = made(tmp_path, "new", [(recipient, "+33612345671", 1)])
    (row,) = diff(made(tmp_path, "old", []), new).rows

    assert "345" not in row.recipient_id + row.phone


def test_no_more_than_twenty_of_a_kind_are_shown(tmp_path: Path) -> None:
    new = made(tmp_path, "new", [(f"a{n}", str(n), n) for n in range(50)])
    found = diff(made(tmp_path, "old", []), new)

    assert (50, 20) == (found.added, len(found.rows))


PEOPLE = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["1", "2", None]), st.integers(0, 1)),
    max_size=6,
)


@settings(max_examples=30, deadline=None)
@given(before=PEOPLE, after=PEOPLE)
def test_the_counts_are_those_of_a_plain_comparison(
    tmp_path_factory: pytest.TempPathFactory, before: Rows, after: Rows
) -> None:
    folder = tmp_path_factory.mktemp("diff")
    # One row more on both sides, so that the types are the same.
    found = diff(
        *(
            made(folder, name, [*rows, ("z", "0", 0)])
            for name, rows in (("o", before), ("n", after))
        )
    )

    def by_id(rows: Rows) -> dict[str, list[str]]:
        return {one: sorted(repr(row) for row in rows if row[0] == one) for one, *_ in rows}

    old, new = by_id(before), by_id(after)
    both = old.keys() & new.keys()
    changed = sum(old[one] != new[one] for one in both)
    assert (len(new.keys() - old.keys()), len(old.keys() - new.keys())) == (
        found.added,
        found.removed,
    )
    assert (changed, len(both) - changed + 1) == (found.changed, found.unchanged)
