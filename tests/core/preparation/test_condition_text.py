from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.preparation.condition_text import (
    FUNCTIONS,
    LONGEST,
    Kind,
    check_text,
    names_in,
    tokens_of,
    unknown_names,
    with_day,
)

ROW = pl.DataFrame({"a": [7], "b": ["x,y"], "c": [True], "d": [date(2026, 1, 2)], "f": [1.5]})

#: One use of each function, and what it gives.
USES = {
    "abs": ("abs(-a)", 7),
    "cast": ("cast(a AS text)", "7"),
    "ceil": ("ceil(f)", 2),
    "char_length": ("char_length(b)", 3),
    "coalesce": ("coalesce(NULL, b)", "x,y"),
    "concat": ("concat(b, '!')", "x,y!"),
    "date": ("date('2026-03-01')", date(2026, 3, 1)),
    "date_part": ("date_part('month', d)", 1),
    "day": ("day(d)", 2),
    "ends_with": ("ends_with(b, 'y')", True),
    "extract": ("extract(year FROM d)", 2026),
    "floor": ("floor(f)", 1),
    "greatest": ("greatest(a, 9)", 9),
    "if": ("if(c, 1, 2)", 1),
    "ifnull": ("ifnull(a, 1)", 7),
    "initcap": ("initcap(b)", "X,Y"),
    "least": ("least(a, 9)", 7),
    "left": ("left(b, 1)", "x"),
    "length": ("length(b)", 3),
    "lower": ("lower('ABC' || b)", "abcx,y"),
    "ltrim": ("ltrim(' ' || b)", "x,y"),
    "mod": ("mod(a, 4)", 3),
    "month": ("month(d)", 1),
    "nullif": ("nullif(a, 7)", None),
    "position": ("position('y' IN b)", 3),
    "regexp_like": ("regexp_like(b, '^x')", True),
    "right": ("right(b, 1)", "y"),
    "round": ("round(f, 0)", 2),
    "rtrim": ("rtrim(b || ' ')", "x,y"),
    "sign": ("sign(-a)", -1),
    "split_part": ("split_part(b, ',', 2)", "y"),
    "starts_with": ("starts_with(b, 'x')", True),
    "strpos": ("strpos(b, 'y')", 3),
    "substr": ("substr(b, 3, 1)", "y"),
    "substring": ("substring(b FROM 1 FOR 1)", "x"),
    "trim": ("trim(BOTH 'x' FROM b)", ",y"),
    "try_cast": ("try_cast(b AS integer)", None),
    "upper": ("upper(b)", "X,Y"),
    "year": ("year(d)", 2026),
}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_that_may_be_used_works(name: str) -> None:
    text, expected = USES[name]

    assert [] == check_text(text)
    assert expected == ROW.select(pl.sql_expr(text).alias("value"))["value"][0]


@pytest.mark.parametrize(
    "text",
    [
        "a > 1 AND NOT (b = 'it''s' OR c)",
        "a NOT IN (1, 2) OR b LIKE 'x%' OR b ILIKE '%Y' OR b ~ '^x'",
        "CASE WHEN a > 1 THEN c ELSE FALSE END",
        "d < CURRENT_DATE - INTERVAL '90 days'",
        "d BETWEEN DATE '2026-01-01' AND DATE '2026-02-01'",
        "CAST(a AS decimal(10, 2)) > 1.5 AND a::text <> '7'",
        'c IS NOT TRUE AND "First name" IS NULL',
        "a IS DISTINCT FROM 1 AND a % 2 = 1 AND a <=> 3",
    ],
)
def test_expressions_over_one_row_are_welcome(text: str) -> None:
    assert [] == check_text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "must not be empty"),
        ("  \n", "must not be empty"),
        ("count(*) > 1", "unknown function 'count' (did you mean 'concat'?)"),
        ("a > 1 OR lowr(b) = 'x'", "unknown function 'lowr' (did you mean 'lower'?)"),
        ("sum(a) > 1", "unknown function 'sum'"),
        ("unnest(b) = 'x'", "unknown function 'unnest'"),
        ("rpad(b, 1000000000) = 'x'", "unknown function 'rpad'"),
        ("read_csv('/etc/passwd') = 'x'", "unknown function 'read_csv'"),
        ("\"lower\"(b) = 'x'", 'unknown function "lower"'),
        ("random() > 0.5", "unknown function 'random'"),
        ("b = `x`", "'`' cannot be used"),
        ("a > 1; DROP TABLE people", "';' cannot be used"),
        ("a > ?", "'?' cannot be used"),
        ("a > $1", "'$' cannot be used"),
        ("people.a > 1", "'.' cannot be used: columns have no table in front of them"),
        ("b = 'x", "a ' is not closed"),
        ('"b = 1', 'a " is not closed'),
        ("a > 1 -- always", "'--' begins a remark: put it outside"),
        ("a > /* or less */ 1", "'/*' begins a remark: put it outside"),
        ('"^a.*$" > 1', '"^a.*$" is a pattern of columns: name each column'),
        ('"*" > 1', '"*" is a pattern of columns: name each column'),
        ("columns('a.*') > 1", "'columns' cannot be used: name each column"),
        ("a = ANY(1)", "'ANY' cannot be used: write IN (…)"),
        ("{{ params.x }} > 1", "'{' cannot be used"),
        (
            "now() > d",
            "'now' differs at each look: CURRENT_DATE is the day of the preparation",
        ),
        (
            "d < current_timestamp",
            "'current_timestamp' differs at each look: CURRENT_DATE is the day of the preparation",
        ),
    ],
)
def test_what_is_no_expression_over_one_row_is_refused(text: str, expected: str) -> None:
    assert expected in check_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "a > (SELECT max(a) FROM self)",
        "EXISTS (SELECT 1)",
        "row_number() OVER (ORDER BY a) > 1",
        "max(a) OVER () = a",
        "replace(replace(b, 'x', 'xxxxxxxxxx'), 'x', 'xxxxxxxxxx') = 'x'",
    ],
)
def test_other_rows_and_texts_that_grow_are_out_of_reach(text: str) -> None:
    assert check_text(text)


def test_a_program_belongs_in_the_query() -> None:
    assert [] == check_text("a" * LONGEST)
    assert ["is longer than 1000 characters: compute it in the query of the audience"] == (
        check_text("a" * (LONGEST + 1))
    )


def test_all_problems_are_told_at_once_and_each_once() -> None:
    found = check_text("sum(a) > 1 AND sum(a) < 9 AND now() > d;")

    assert ["unknown function 'sum'", "';' cannot be used"] == [found[0], found[-1]]
    assert 3 == len(found)


def test_words_and_quoted_names_are_columns_unless_they_are_something_else() -> None:
    text = 'Age > 18 AND lower(city) = \'age\' AND "say ""hi""" IS NULL AND day > 3'

    assert {"Age", "city", 'say "hi"'} == names_in(text)


def test_an_unknown_column_gets_the_near_name() -> None:
    assert ["unknown column 'agee' (did you mean 'age'?)"] == (
        unknown_names("agee > 18", columns=["age", "city"])
    )


def test_the_day_is_written_into_the_text_but_not_into_its_texts() -> None:
    text = "d < Current_Date AND b <> 'CURRENT_DATE' AND \"CURRENT_DATE\" > d"

    assert "d < DATE '2026-11-22' AND b <> 'CURRENT_DATE' AND \"CURRENT_DATE\" > d" == with_day(
        text, day=date(2026, 11, 22)
    )


@given(st.text(alphabet="ab1.'\"-/*();%<>=!~|:^$ \n{é", max_size=60))
def test_any_text_is_cut_into_pieces_that_make_it_again(text: str) -> None:
    assert text == "".join(token.text for token in tokens_of(text))
    assert isinstance(check_text(text), list)


@given(st.text(max_size=20), st.text(max_size=20))
def test_what_stands_in_quotes_is_never_read_as_sql(inner: str, name: str) -> None:
    text = "'" + inner.replace("'", "''") + "' = \"" + name.replace('"', '""') + '"'
    kinds = [token.kind for token in tokens_of(text) if token.kind is not Kind.SPACE]

    assert [Kind.TEXT, Kind.SIGN, Kind.NAME] == kinds
    assert {name} == names_in(text)
