from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.fingerprint import MessageDigest, fingerprint_of

Row = tuple[int, int, str, str, str, str, int]

TEXTS = st.text(alphabet="ab1|\n é\N{FIRE}", max_size=6)
ROWS = st.lists(
    st.tuples(
        st.integers(1, 99), st.integers(1, 99), TEXTS, TEXTS, TEXTS, TEXTS, st.integers(1, 9)
    ),
    max_size=5,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
MAPPING = st.dictionaries(TEXTS, JSON, max_size=3)
WHOLE = st.fixed_dictionaries(
    {
        "template": MAPPING,
        "settings": MAPPING,
        "audience": st.fixed_dictionaries({"count": st.integers(0, 10**9)}),
        "excluded": st.dictionaries(TEXTS, st.integers(0, 9), max_size=3),
        "messages": TEXTS,
    }
)


def digest_of(*batches: list[Row]) -> str:
    digest = MessageDigest()
    for rows in batches:
        digest.add(rows)
    return digest.hexdigest()


@given(ROWS, ROWS)
def test_two_lists_of_messages_have_one_digest_only_if_they_are_the_same(
    one: list[Row], other: list[Row]
) -> None:
    assert (one == other) == (digest_of(one) == digest_of(other))


@given(ROWS, st.integers(0, 5))
def test_a_digest_does_not_depend_on_the_batches(rows: list[Row], cut: int) -> None:
    assert digest_of(rows) == digest_of(rows[:cut], rows[cut:]) == digest_of(*[[r] for r in rows])


@pytest.mark.parametrize("place", range(7))
def test_every_column_of_a_message_counts(place: int) -> None:
    row: tuple[Any, ...] = (1, 33600000001, "r1", "ACME", "Hi", "gsm7", 1)
    other = [*row]
    other[place] = row[place] + (1 if isinstance(row[place], int) else "x")

    assert digest_of([row]) != digest_of([tuple(other)])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("r1", "ACME", "Hi"), ("r1A", "CME", "Hi")),
        (("r1", "ACME", "Hi"), ("r1", "ACMEH", "i")),
        (("", "", "ab"), ("ab", "", "")),
        (("1|", "", ""), ("", "1|", "")),
    ],
)
def test_moving_characters_between_columns_changes_the_digest(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    def row(texts: tuple[str, str, str]) -> Row:
        recipient_id, sender, body = texts
        return (1, 33600000001, recipient_id, sender, body, "gsm7", 1)

    assert digest_of([row(one)]) != digest_of([row(other)])


def test_the_order_of_messages_counts() -> None:
    rows: list[Row] = [(n, 33600000000 + n, "r", "", "Hi", "gsm7", 1) for n in (1, 2)]

    assert digest_of(rows) != digest_of(rows[::-1])


@given(WHOLE, WHOLE)
def test_every_ingredient_counts(one: dict[str, Any], other: dict[str, Any]) -> None:
    is_same = repr(_sorted(one)) == repr(_sorted(other))

    assert is_same == (fingerprint_of(**one) == fingerprint_of(**other))


@given(WHOLE, st.sampled_from(["template", "settings", "excluded", "messages"]))
def test_a_change_of_any_single_ingredient_changes_the_fingerprint(
    whole: dict[str, Any], name: str
) -> None:
    changed = f"{whole[name]}x" if name == "messages" else {**whole[name], "new key": 1}

    assert fingerprint_of(**whole) != fingerprint_of(**{**whole, name: changed})


@given(WHOLE)
def test_where_an_audience_lies_does_not_count_but_its_size_does(whole: dict[str, Any]) -> None:
    count = whole["audience"]["count"]

    def with_audience(**audience: object) -> str:
        return fingerprint_of(**{**whole, "audience": audience})

    assert fingerprint_of(**whole) == with_audience(count=count, uri="s3://b/c", fingerprint="f")
    assert fingerprint_of(**whole) != with_audience(count=count + 1)


@given(WHOLE)
def test_the_order_of_keys_does_not_count(whole: dict[str, Any]) -> None:
    """The store gives JSON back in an order of its own."""
    turned: dict[str, Any] = {
        name: dict(reversed(one.items())) if isinstance(one, dict) else one
        for name, one in whole.items()
    }

    found = fingerprint_of(**whole)
    assert found == fingerprint_of(**turned)
    assert 64 == len(found)
    assert set(found) <= set("0123456789abcdef")


def test_half_a_surrogate_pair_does_not_break_it() -> None:
    assert digest_of([(1, 1, "\ud83d", "", "", "", 1)]) != digest_of([(1, 1, "", "", "", "", 1)])


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return [(key, _sorted(value[key])) for key in sorted(value)]
    return [_sorted(one) for one in value] if isinstance(value, list) else value
