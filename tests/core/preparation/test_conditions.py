from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.exceptions import PolarsError

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.conditions import (
    Schema,
    ValueKind,
    columns_of,
    compile_condition,
    compile_value,
    evaluate,
    problems_of_syntax,
)

SCHEMA: Schema = {
    "age": pl.Int64(),
    "city": pl.String(),
    "vip": pl.Boolean(),
    "born": pl.Date(),
    "seen_at": pl.Datetime("us", "UTC"),
    "spent": pl.Float64(),
    "tags": pl.List(pl.String()),
    "First name": pl.String(),
    "end": pl.Int64(),
}
TODAY = date(2026, 11, 22)


def problems_of(text: str, **changed: Any) -> Any:
    with pytest.raises(ConfigError) as caught:
        compile_condition(text, **{"schema": SCHEMA, "day": TODAY, **changed})
    return caught.value.facts["problems"]


def holds(text: str, **values: Any) -> list[Any]:
    """Say for each row whether the condition holds; columns without values are null."""
    height = len(next(iter(values.values())))
    frame = pl.DataFrame(
        {name: values.get(name, [None] * height) for name in SCHEMA}, schema=dict(SCHEMA)
    )
    condition = compile_condition(text, schema=SCHEMA, day=TODAY)
    return evaluate(frame, {"it": condition})["it"].to_list()


def test_a_condition_holds_row_by_row() -> None:
    assert [False, True, True] == holds(
        "age >= 18 AND city <> 'Lyon'", age=[17, 18, 40], city=["Nice"] * 3
    )


def test_null_counts_as_false_as_in_a_where() -> None:
    assert [False, True] == holds("age > 18", age=[None, 19])
    assert [False, True] == holds("NOT (age > 18)", age=[None, 3])
    assert [True, False] == holds("age IS NULL", age=[None, 3])
    assert [False, False] == holds("age NOT IN (1, NULL)", age=[1, 2])


def test_current_date_is_the_day_of_the_preparation() -> None:
    young = "born > CURRENT_DATE - INTERVAL '18 years'"

    assert [False, True] == holds(young, born=[date(2008, 11, 22), date(2008, 11, 23)])


def test_names_with_blanks_and_words_of_sql_are_quoted() -> None:
    assert [True] == holds(
        '"First name" = \'Ann\' AND "end" > 1', **{"First name": ["Ann"], "end": [2]}
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("agee > 18", ["unknown column 'agee' (did you mean 'age'?)"]),
        ("Age > 18", ["unknown column 'Age' (did you mean 'age'?)"]),
        ("age", ["is no condition: it gives a number"]),
        ("city", ["is no condition: it gives a text"]),
        ("CASE WHEN vip THEN 1 END", ["is no condition: it gives a number"]),
        ("age > 'old'", ["cannot compare string with numeric type (i64)"]),
        ("TRUE", ["reads no column: it would be the same for everybody"]),
        ("1 = 1", ["reads no column: it would be the same for everybody"]),
        ("NULL", ["is no condition: it gives a value of type Null"]),
        (
            "CURRENT_DATE > DATE '2026-12-24'",
            ["reads no column: it would be the same for everybody"],
        ),
        ("city ~ '['", ["regex error: regex parse error: error: unclosed character class"]),
        (
            "city ~ '(a{1000}){1000}'",
            ["regex error: Compiled regex exceeds size limit of 10485760 bytes."],
        ),
    ],
)
def test_what_cannot_be_a_condition_is_said_before_a_row_is_read(
    text: str, expected: list[str]
) -> None:
    assert expected == problems_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "age >",
        "(age > 1",
        "age > 1, vip",
        "age > 1 vip",
        "age > 1 LIMIT 3",
        "age AS x",
        "city IN (1, 2)",
        "seen_at > 'yesterday'",
        "born > '2026-01-01'",
        "NOT " * 200 + "vip",
        "(" * 300 + "age" + ")" * 300 + " > 1",
    ],
)
def test_what_is_no_sql_or_compares_apples_and_pears_is_refused(text: str) -> None:
    assert problems_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "CURRENT_DATE - born > 6570",
        "born - DATE '2020-01-01' > 5 OR vip",
        "coalesce(seen_at - seen_at, seen_at - seen_at) > 30",
        "vip AND " * 60 + "born - born > 1",
    ],
)
def test_the_time_between_two_dates_is_no_number_of_days(text: str) -> None:
    """Its microseconds would be compared: everybody born before today would be left out."""
    assert "the time between two dates is compared with a number" in problems_of(text)[0]


def test_spans_may_be_compared_with_spans() -> None:
    assert [True] == holds("born - DATE '2026-01-01' > INTERVAL '5 days'", born=[date(2026, 1, 7)])


def test_the_clock_of_the_machine_is_never_read() -> None:
    assert ["CURRENT_DATE cannot be used here"] == problems_of("born < CURRENT_DATE", day=None)


def test_all_problems_of_a_condition_are_told_at_once() -> None:
    assert ["unknown function 'sum'", "unknown column 'agee' (did you mean 'age'?)"] == (
        problems_of("sum(age) > 1 AND agee > 2")
    )


@pytest.mark.parametrize(
    ("text", "kind", "is_fine"),
    [
        ("coalesce(city, 'ACME')", ValueKind.TEXT, True),
        ("age", ValueKind.TEXT, False),
        ("age / 10", ValueKind.NUMBER, True),
        ("city", ValueKind.NUMBER, False),
        ("vip", ValueKind.CONDITION, True),
        ("'ACME'", ValueKind.TEXT, False),
    ],
)
def test_a_value_is_of_the_kind_that_is_asked_for(
    text: str, kind: ValueKind, *, is_fine: bool
) -> None:
    if is_fine:
        compile_value(text, schema=SCHEMA, kind=kind)
    else:
        with pytest.raises(ConfigError):
            compile_value(text, schema=SCHEMA, kind=kind)


def test_a_constant_is_fine_where_there_is_one_row_only() -> None:
    compile_value("TRUE", schema=SCHEMA, kind=ValueKind.CONDITION, may_be_constant=True)


def test_an_expression_says_which_columns_it_reads() -> None:
    condition = compile_condition("age > 1 AND (vip OR age < 9)", schema=SCHEMA)

    assert {"age", "vip"} == columns_of(condition)


def test_a_cast_that_fails_names_the_rule_and_hides_the_value() -> None:
    """The value may be a name or a phone number that slid into the wrong column."""
    frame = pl.DataFrame({"city": ["12", "+33612345678"], "age": [1, 2]})
    rules = {
        "filter odd": pl.sql_expr("CAST(city AS integer) > 1"),
        "filter fine": pl.sql_expr("age > 1"),
    }
    with pytest.raises(ConfigError) as caught:
        evaluate(frame, {"both": pl.any_horizontal(rules.values())}, rules=rules)

    assert ["filter odd"] == caught.value.facts["rules"]
    assert "336" not in f"{caught.value} {caught.value.__cause__} {caught.value.__context__}" or (
        caught.value.__suppress_context__
    )


def test_what_the_page_says_of_division_by_zero_is_true() -> None:
    share = "spent / age > 1000000"

    assert [True, True] == holds(share, spent=[1.0, 0.0], age=[0, 0])
    assert [False] == holds("spent / NULLIF(age, 0) > 1000000", spent=[1.0], age=[0])


def test_text_is_compared_as_it_is_written() -> None:
    assert [False] == holds("city = 'lyon'", city=["Lyon"])
    assert [True] == holds("lower(city) = 'lyon' AND city ILIKE 'lyon'", city=["Lyon"])


def test_try_cast_gives_null_instead() -> None:
    assert [True, False] == holds("TRY_CAST(city AS integer) > 1", city=["12", "Lyon"])


def test_what_is_the_same_for_all_rows_is_given_for_each() -> None:
    frame = pl.DataFrame({"age": [1, 2, 3]})

    assert ["ACME"] * 3 == evaluate(frame, {"sender": pl.lit("ACME")})["sender"].to_list()


def test_a_frame_without_rows_gives_columns_without_rows() -> None:
    condition = compile_condition("age > 1", schema=SCHEMA)

    assert 0 == evaluate(pl.DataFrame(schema=dict(SCHEMA)), {"it": condition}).height


WORDS = st.sampled_from(
    [
        *("age", "city", "vip", "born", "spent", "end", "tags", "AND", "OR", "NOT", "IS", "NULL"),
        *(
            "(",
            ")",
            ",",
            ">",
            "=",
            "<>",
            "+",
            "-",
            "*",
            "/",
            "||",
            "'x'",
            "''",
            "1",
            "2.5",
            "'2026'",
        ),
        *("IN", "LIKE", "BETWEEN", "CASE", "WHEN", "THEN", "ELSE", "END", "CURRENT_DATE", "DATE"),
        *("lower(", "coalesce(", "length(", "cast(", "AS", "integer", "OVER", "SELECT", "count("),
        *("INTERVAL", "'1 day'", "::", "text", '"First name"', "TRUE", "~", "EXTRACT(", "FROM"),
    ]
)


@pytest.mark.parametrize(
    "text", ["age <", "(age", "age ) < 3", "age < < 3", "age < 3 OR", "sum(a)"]
)
def test_what_is_no_sql_is_told_without_the_columns(text: str) -> None:
    assert 1 == len(problems_of_syntax(text))


def test_today_and_unknown_columns_are_no_problem_of_syntax() -> None:
    assert [] == problems_of_syntax("born > CURRENT_DATE - INTERVAL '18 years' AND nobody = 3")


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=12))
def test_any_words_are_a_condition_about_each_row_alone_or_are_refused(words: list[str]) -> None:
    text = " ".join(words)
    try:
        condition = compile_condition(text, schema=SCHEMA, day=TODAY)
    except ConfigError:
        return
    frame = pl.DataFrame(
        {
            "age": [1, None, 3, 40],
            "city": ["x", None, "", "Lyon"],
            "vip": [True, None, False, True],
            "born": [date(2000, 1, 1), None, date(2026, 1, 1), TODAY],
            "seen_at": [datetime(2026, 1, 1, tzinfo=UTC), None, None, None],
            "spent": [0.5, None, 0.0, -1.0],
            "tags": [["a"], None, [], ["b"]],
            "First name": ["Ann", None, "", "Bo"],
            "end": [1, None, 2, 3],
        },
        schema_overrides={"seen_at": pl.Datetime("us", "UTC")},
    )
    try:
        together = frame.select(condition.alias("it"))["it"]
    except PolarsError:
        return
    alone = pl.concat([row.select(condition.alias("it")) for row in frame.iter_slices(1)])["it"]

    assert pl.Boolean == together.dtype
    assert 0 == together.null_count()
    assert together.to_list() == alone.to_list()
