"""Expressions and templates of settings: what they give, and what they must not do."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.expression import (
    MOST_CHARACTERS,
    EvaluationError,
    read_expression,
    read_template,
)
from smsflow_provider.core.expression_filters import FILTERS

NAMES = ("a", "b", "json", "text")
VALUES: dict[str, Any] = {
    "a": None,
    "b": "x<y",
    "json": {"items": [1, {"_k": 2}], "n": 10**30, "ok": True, "keys": "own"},
    "text": "OK: 12 rest\nsecond",
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ b }}", "x<y"),
        ("{{ json.ok }}", True),
        ("{{ 1 + 2 * 3 }}", 7),
        ("{{ a }}", None),
        ("{{ a ~ '&x' }}", None),
        ("{{ b ~ 1 ~ true }}", "x<y1true"),
        ("-{{ a }}-", "--"),
        ("{{ b }} ", "x<y "),
        ("{{ json.items[1]._k }}", 2),
        ("{{ json.keys }}", "own"),
        ("{% if a is none %}n{% else %}s{% endif %}", "n"),
        ("{{ 'u' if json.ok else 't' }}", "u"),
        ("", ""),
        ("plain\n", "plain\n"),
    ],
)
def test_a_template_gives_a_text_or_the_value_itself(source: str, expected: object) -> None:
    found = read_template(source, names=NAMES)(VALUES)

    assert (type(expected), expected) == (type(found), found)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("json.items[0]", 1),
        ("json.nope.further[7].still", None),
        ("json.nope == 'x'", False),
        ("'x' in json.nope", False),
        ("json.nope is defined", False),
        ("json.nope | upper", None),
        ("json.nope ~ 'x'", None),
        ("json.nope | length", 0),
        ("json.nope | default('d')", "d"),
        ("json.items[-1]._k", 2),
        ("json.items | each('_k') | unique", [None, 2]),
        ("text | after(': ') | word", "12"),
        ("text | word(9)", None),
        ("text | line(2)", "second"),
        ("text | before(':')", "OK"),
        ("text | before('?')", None),
        ("text | starts_with('OK')", True),
        ("text | ends_with('OK')", False),
        ("' 12 ' | trim | number", 12),
        ("'x' | number", None),
        ("'+44 (0)7' | digits", "4407"),
        ("[1, 'b', none] | join('-')", "1-b"),
        ("[] | first", None),
        ("[1, 2] | last", 2),
        ("'a b&c' | urlencode", "a%20b%26c"),
        ("'a:b' | base64", "YTpi"),
        ("'é' | ucs2_hex", "00E9"),
        ("true | text", "true"),
        ("'Éa' | lower | upper", "ÉA"),
        ("'q\"' | tojson", '"q\\""'),
    ],
)
def test_an_expression_gives_a_plain_value_and_none_for_what_is_missing(
    source: str, expected: object
) -> None:
    assert expected == read_expression(source, names=NAMES)(VALUES)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("b.upper()", "a call is not allowed"),
        ("txt", "unknown name 'txt', meant is perhaps 'text'"),
        ("self", "unknown name 'self'"),
        ("__builtins__", "unknown name '__builtins__'"),
        ("b | uppr", "unknown filter 'uppr', meant is perhaps 'upper'"),
        ("b | attr('x')", "unknown filter 'attr'"),
        ("b | map('x')", "unknown filter 'map'"),
        ("b is callable", "unknown test 'callable'"),
        ("b ** 2", "** is not allowed"),
        ("b[1:2]", "a slice is not allowed"),
        ("{'a': 1}", "Dict is not allowed"),
        ("a if b", "needs its else"),
        ("a b", "something stands behind"),
        ("a ==", "cannot be parsed"),
        ("(" * 3000 + "a" + ")" * 3000, "nested too deeply"),
        ("not " * 500 + "a", "nested too deeply"),
        ("a" * (MOST_CHARACTERS + 1), "is longer than"),
    ],
)
def test_what_an_expression_must_not_hold_is_told(source: str, words: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_expression(source, names=NAMES)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "{% for x in json %}{{ x }}{% endfor %}",
        "{% set x = b ~ b %}{{ x }}",
        "{% include 'x' %}",
        "{% macro m() %}{% endmacro %}",
        "{% import 'os' as os %}",
        "{% filter upper %}x{% endfilter %}",
        "{% with x = 1 %}{% endwith %}",
    ],
)
def test_a_template_has_no_loops_and_no_variables_of_its_own(source: str) -> None:
    with pytest.raises(ValueError, match="not allowed"):
        read_template(source, names=NAMES)


def test_all_problems_of_one_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"'uppr'.*'txt'.*call"):
        read_expression("(txt | uppr) ~ b.c()", names=NAMES)


@pytest.mark.parametrize(
    "source",
    [
        "b.__class__.__mro__",
        "b.upper",
        "b['upper']",
        "json.items.append",
        "json['__class__']",
        "text[0]",
    ],
)
def test_no_attribute_of_a_python_object_is_reached(source: str) -> None:
    assert read_expression(source, names=NAMES)(VALUES) is None
    with pytest.raises(EvaluationError):
        read_template(f"{{{{ {source} }}}}", names=NAMES)(VALUES)


@pytest.mark.parametrize(
    "source", ["'x' * 1000000000", "'%999999999d' % 1", "json.n * 2", "json.items * 9", "b + b"]
)
def test_operators_are_for_numbers_of_common_size(source: str) -> None:
    with pytest.raises(EvaluationError):
        read_expression(source, names=NAMES)(VALUES)


def test_an_error_shows_no_value() -> None:
    with pytest.raises(EvaluationError) as caught:
        read_expression("text + 1", names=NAMES)({"text": "+447700900001"})

    assert "447700900001" not in repr(caught.value) + repr(caught.value.__context__)


def test_markup_is_escaped_wherever_it_comes_from() -> None:
    template = read_template("<t a='{{ b }}'>{{ b ~ '&' }}</t>{{ a }}", names=NAMES, markup=True)
    text = template({"a": None, "b": "'\"<>&"})

    assert "<t a='&#39;&#34;&lt;&gt;&amp;'>&#39;&#34;&lt;&gt;&amp;&amp;</t>" == text


def test_numbers_that_were_chosen_to_collide_cost_no_more_than_others() -> None:
    rows = [number * (2**61 - 1) for number in range(30_000)]
    begun = time.monotonic()
    found = read_expression("json | unique | length", names=NAMES)({"json": rows})

    assert 30_000 == found
    assert 2 > time.monotonic() - begun


def test_a_result_that_grows_without_end_is_refused_in_good_time() -> None:
    source = "text" + " | tojson" * 30
    begun = time.monotonic()
    with pytest.raises(EvaluationError):
        read_expression(source, names=NAMES)({"text": '"\\' * 1000})

    assert 5 > time.monotonic() - begun


_ARGUMENTS = dict.fromkeys(
    ["default", "each", "before", "after", "starts_with", "ends_with"], "('x')"
)


@given(
    name=st.sampled_from(sorted(FILTERS)),
    value=st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists),
)
def test_a_filter_gives_something_or_says_no_whatever_it_gets(name: str, value: object) -> None:
    ask = read_expression(f"json | {name}{_ARGUMENTS.get(name, '')}", names=NAMES)
    with suppress(EvaluationError):
        ask({"json": value})


@given(given_text=st.text(max_size=60))
def test_whatever_is_written_is_read_or_refused_but_nothing_else(given_text: str) -> None:
    for read in (read_expression, read_template):
        with suppress(ValueError):
            read(given_text, names=NAMES)(VALUES)
