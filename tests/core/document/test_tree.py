from __future__ import annotations

from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.document.tree import dotted, read_tree

NESTED = """\
id: a.b

activities:
  sms:
    after:
      - one
      - two
"""


def told(text: str) -> list[str]:
    return [
        f"{problem.line}: {problem.field}: {problem.text}" for problem in read_tree(text).problems
    ]


def test_every_value_knows_the_line_of_its_key_or_of_its_place() -> None:
    lines = {dotted(path): line for path, line in read_tree(NESTED).lines.items()}

    assert {
        "": 1,
        "id": 1,
        "activities": 3,
        "activities.sms": 4,
        "activities.sms.after": 5,
        "activities.sms.after.0": 6,
        "activities.sms.after.1": 7,
    } == lines


def test_a_path_that_is_not_there_gets_the_line_of_what_is_around_it() -> None:
    tree = read_tree(NESTED)

    assert 4 == tree.line_of(("activities", "sms", "template"))
    assert 1 == tree.line_of(("label",))


def test_plain_values_are_read_as_yaml_says() -> None:
    text = "{a: 1, b: 1.5, c: true, d: False, e: null, f: 2026-03-01, g: '010', i: 0, j: 0.5}"

    assert {
        "a": 1,
        "b": 1.5,
        "c": True,
        "d": False,
        "e": None,
        "f": date(2026, 3, 1),
        "g": "010",
        "i": 0,
        "j": 0.5,
    } == read_tree(text).data
    assert [] == told(text)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("no", "false"),
        ("NO", "false"),
        ("off", "false"),
        ("yes", "true"),
        ("On", "true"),
        ("9:00", "540"),
        ("12:30:45", "45045"),
        ("010", "8"),
        ("0x1F", "31"),
        ("0b11", "3"),
        ("1_000", "1000"),
        ("-012", "-10"),
    ],
)
def test_a_word_that_yaml_reads_as_something_else_is_a_problem(word: str, meaning: str) -> None:
    assert [f"2: region: YAML reads {word} as {meaning}"] == told(f"id: a.b\nregion: {word}\n")


def test_the_same_word_in_quotes_is_a_text() -> None:
    assert {"region": "NO", "at": "9:00"} == read_tree("region: \"NO\"\nat: '9:00'").data


def test_a_key_that_yaml_reads_as_true_is_the_word_it_is() -> None:
    tree = read_tree("on: {store: store}\nNO: STOP 36111\n")

    assert {"on": {"store": "store"}, "NO": "STOP 36111"} == tree.data
    assert [] == tree.problems


def test_true_itself_is_no_key() -> None:
    assert ["1: true: the key is not a text"] == told("true: 1")


def test_what_is_left_out_does_not_move_its_neighbours() -> None:
    tree = read_tree("tags: [a, no, b]\nother: no\nid: a.b")

    assert {"tags": ["a", None, "b"], "id": "a.b"} == tree.data


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["1: : the file is empty"]),
        ("# only a comment\n", ["1: : the file is empty"]),
        ("a: 1\na: 2\n", ["2: a: stands twice, first in line 1"]),
        (
            "x:\n  a: no\n  a: 2\n",
            ["2: x.a: YAML reads no as false", "3: x.a: stands twice, first in line 2"],
        ),
        ("a: !!python/name:os.system x", ["1: a: cannot read 'python/name:os.system' here"]),
        ("a: !secret x", ["1: a: cannot read '!secret' here"]),
        ("a: 2026-13-45", ["1: a: cannot read 'timestamp' here"]),
        ("1: a", ["1: 1: the key is not a text"]),
        ("a: {{ params.x }}", ["1: a: a key must be a text"]),
        ("a: &x {b: 1}\nc: {<<: *x}", ["2: c: merge keys (<<) are not read"]),
        ("a: &x [*x]", ["1: a.0: is too large, or holds itself"]),
        ("a: 1\n---\nb: 2", ["2: : is not YAML: but found another document"]),
        ("a: [1\nb: 2", ["2: : is not YAML: did not find expected ',' or ']'"]),
        ("a:\n\tb: 1", ["2: : is not YAML: found character that cannot start any token"]),
        ("a: \x01", ["None: : is not YAML: control characters are not allowed"]),
        ("[" * 5000 + "]" * 5000, ["None: : is nested too deeply"]),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(text: str, expected: list[str]) -> None:
    assert expected == told(text)


def test_an_alias_is_read_as_what_it_stands_for() -> None:
    assert {"a": [1], "b": [1]} == read_tree("a: &x [1]\nb: *x").data


def test_aliases_of_aliases_cannot_fill_the_memory() -> None:
    rows = [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]" for at in range(1, 9)]
    bomb = "\n".join(["a0: &a0 [x]", *rows])

    assert any("too large" in problem.text for problem in read_tree(bomb).problems)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1, max_size=6), PLAIN, min_size=1, max_size=4))
def test_what_yaml_writes_is_read_as_yaml_reads_it(data: dict[str, object]) -> None:
    text = yaml.safe_dump(data, allow_unicode=True)
    tree = read_tree(text)

    assert [] == tree.problems
    assert yaml.safe_load(text) == tree.data


@given(st.text(alphabet="ab:-[]{}&*!<> \n\"'#|,?%@`0", max_size=40))
def test_any_text_is_read_or_has_a_problem(text: str) -> None:
    tree = read_tree(text)

    assert tree.data is not None or tree.problems or text.strip(" \n")
