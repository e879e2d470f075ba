"""
Conditions and values in SQL over the columns of an audience, checked before a row is read.

``age < 18 AND country <> 'FR'`` is about one row at a time: no sums, no windows, no subqueries, no
clock but ``CURRENT_DATE``. Null counts as false, as in a WHERE. Which words may be used says
``condition_text``; what they mean says polars.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from itertools import islice
from typing import Final

import polars as pl
from polars.exceptions import PolarsError

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.condition_text import (
    check_text,
    unknown_names,
    with_day,
)

Schema = Mapping[str, pl.DataType]

#: Characters of a message of polars that are shown.
_LONGEST_WHY: Final = 160
#: Nodes of an expression around a time span. In larger ones a span cannot be meant.
_MOST_NODES: Final = 40
_SPAN: Final = (
    "the time between two dates is compared with a number:"
    " write born < CURRENT_DATE - INTERVAL '18 years'"
)
_TOO_MANY: Final = "something is missing between two words, or a word is too many"
_SOME_DAY: Final = date(2000, 1, 1)
_CLOCK: Final = "CURRENT_DATE cannot be used here"


class ValueKind(StrEnum):
    """What an expression must give."""

    #: True, false or null.
    CONDITION = "condition"
    TEXT = "text"
    NUMBER = "number"


_EXPECTED: Final = {
    ValueKind.CONDITION: "is no condition",
    ValueKind.TEXT: "is no text",
    ValueKind.NUMBER: "is no number",
}


def compile_condition(text: str, *, schema: Schema, day: date | None = None) -> pl.Expr:
    """
    Make an expression of a condition. Its value is true or false, never null.

    Args:
        text: SQL over the columns of *schema*; names are case-sensitive.
        schema: Columns and their types.
        day: What ``CURRENT_DATE`` is. None: the text must not say it.

    Raises:
        ConfigError: ``facts["problems"]`` lists what is wrong: unknown columns with the near
            name, words that cannot be used, values that cannot be compared, not a condition.

    Example:
        >>> adults = compile_condition("age >= 18", schema={"age": pl.Int64()})
        >>> pl.DataFrame({"age": [17, 18, None]}).select(adults)["age"].to_list()
        [False, True, False]
    """
    return compile_value(text, schema=schema, kind=ValueKind.CONDITION, day=day).fill_null(False)


def compile_value(
    text: str,
    *,
    schema: Schema,
    kind: ValueKind,
    day: date | None = None,
    may_be_constant: bool = False,
) -> pl.Expr:
    """
    Make an expression of one value a row. It may be null.

    Args:
        text: As for ``compile_condition``.
        schema: Columns and their types.
        kind: What it must give.
        day: What ``CURRENT_DATE`` is.
        may_be_constant: Whether it may read no column at all.

    Raises:
        ConfigError: As for ``compile_condition``.

    Example:
        >>> shop = compile_value(
        ...     "coalesce(shop, 'ACME')", schema={"shop": pl.String()}, kind=ValueKind.TEXT
        ... )
        >>> pl.DataFrame({"shop": ["ACME Lyon", None]}).select(shop)["shop"].to_list()
        ['ACME Lyon', 'ACME']
    """
    problems = [*check_text(text), *unknown_names(text, columns=schema)]
    if day is None and with_day(text, day=date.min) != text:
        problems.append(_CLOCK)
    if not problems:
        made = _made(text if day is None else with_day(text, day=day), schema=schema, kind=kind)
        if isinstance(made, list):
            problems = made
        elif may_be_constant or columns_of(made):
            return made
        else:
            problems = ["reads no column: it would be the same for everybody"]
    raise ConfigError("a condition cannot be used", condition=text, problems=problems)


def problems_of_syntax(text: str) -> list[str]:
    """
    Say what keeps *text* from being an expression, whatever the columns are.

    Returns:
        All that ``check_text`` says, else why it is no SQL. Empty: it may still name columns that
        an audience lacks, or compare what cannot be compared.

    Example:
        >>> problems_of_syntax("age < 18 AND city = 'Lyon'")
        []
        >>> problems_of_syntax("age < 18 vip")
        ['something is missing between two words, or a word is too many']
    """
    if problems := check_text(text):
        return problems
    try:
        expression = pl.sql_expr(with_day(text, day=_SOME_DAY))
    except PolarsError as error:
        return [_why(error)]
    return [_TOO_MANY] if _has_name(expression) else []


def columns_of(expression: pl.Expr) -> frozenset[str]:
    """Name the columns an expression reads."""
    return frozenset(expression.meta.root_names())


def evaluate(
    frame: pl.DataFrame,
    expressions: Mapping[str, pl.Expr],
    *,
    rules: Mapping[str, pl.Expr] | None = None,
) -> pl.DataFrame:
    """
    Compute one column for each of *expressions*, named so.

    Args:
        frame: Rows with the columns they read.
        expressions: By name of the new column.
        rules: The expressions they were made of, as people know them. None: the same.

    Raises:
        ConfigError: A value cannot be computed for some row, such as a CAST of a word to a number.
            Says of which rules, never the value.
    """
    named = [each.alias(name) for name, each in expressions.items()]
    try:
        # Not select: what is the same for all rows would give one row.
        return frame.with_columns(named).select(list(expressions))
    except PolarsError:
        told = expressions if rules is None else rules
        guilty = [name for name, each in told.items() if not _works(frame, each)]
    raise ConfigError(
        "a rule cannot be computed for some of the rows",
        rules=guilty,
        hint="TRY_CAST gives null where CAST fails, NULLIF keeps from dividing by zero",
    ) from None


def _works(frame: pl.DataFrame, expression: pl.Expr) -> bool:
    try:
        frame.select(expression)
    except PolarsError:
        return False
    return True


def _made(text: str, *, schema: Schema, kind: ValueKind) -> pl.Expr | list[str]:
    empty = pl.DataFrame(schema=dict(schema))
    try:
        expression = pl.sql_expr(text)
        found = empty.select(expression.alias("value"))["value"]
    except PolarsError as error:
        return [_why(error)]
    unknown = sorted(columns_of(expression) - set(schema))
    if unknown:
        return [f"unknown column {name!r}" for name in unknown]
    return [problem] if (problem := _objection(expression, empty, found, kind)) else expression


def _objection(
    expression: pl.Expr, empty: pl.DataFrame, found: pl.Series, kind: ValueKind
) -> str | None:
    """
    Say why an expression that polars accepts is none of ours.

    Args:
        found: What it gives for the *empty* frame.
    """
    if _has_name(expression):
        return _TOO_MANY
    if len(found) and columns_of(expression):
        return "is about several rows"
    if _mixes_durations(expression, empty):
        return _SPAN
    if not _is(found.dtype, kind):
        return f"{_EXPECTED[kind]}: it gives {_named(found.dtype)}"
    return None


def _has_name(expression: pl.Expr) -> bool:
    # A word behind an expression would be its name: ``age > 18 vip`` reads no vip.
    return not expression.meta.undo_aliases().meta.eq(expression)


def _why(error: PolarsError) -> str:
    lines = [line.strip() for line in str(error).split("\n") if line.strip()] or ["is no SQL"]
    cause = next((line for line in lines if line.startswith("error:")), "")
    told = f"{lines[0]} {cause}".strip()
    return told if len(told) <= _LONGEST_WHY else f"{told[:_LONGEST_WHY]}…"


def is_ranked(kind: pl.DataType) -> bool:
    """Whether values of a type have a highest one that means something."""
    if kind.is_temporal():
        return kind != pl.Duration
    return kind.is_numeric() or kind == pl.Boolean


def _is(kind: pl.DataType, wanted: ValueKind) -> bool:
    match wanted:
        case ValueKind.CONDITION:
            return kind == pl.Boolean
        case ValueKind.TEXT:
            return kind in (pl.String, pl.Categorical, pl.Enum)
        case _:
            return kind.is_numeric()


def _named(kind: pl.DataType) -> str:
    if kind == pl.Boolean:
        return "true or false"
    if kind.is_numeric():
        return "a number"
    if kind in (pl.String, pl.Categorical, pl.Enum):
        return "a text"
    return f"a value of type {kind}"


def _mixes_durations(expression: pl.Expr, empty: pl.DataFrame) -> bool:
    """
    Whether a time span meets a number somewhere.

    polars would take the span for its microseconds: ``CURRENT_DATE - born > 6570`` would hold
    for everybody born yesterday or before.
    """
    temporal = any(empty.schema[name].is_temporal() for name in columns_of(expression))
    small = (node for node in _nodes_of(expression) if _is_small(node))
    return temporal and any(_is_mixed(node, empty) for node in small)


def _is_small(node: pl.Expr) -> bool:
    return sum(1 for _ in islice(_nodes_of(node), _MOST_NODES + 1)) <= _MOST_NODES


def _nodes_of(expression: pl.Expr) -> Iterator[pl.Expr]:
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.meta.pop()


def _is_mixed(node: pl.Expr, empty: pl.DataFrame) -> bool:
    kinds = [_type_of(each, empty) for each in node.meta.pop()]
    has_span = any(kind == pl.Duration for kind in kinds)
    return has_span and any(kind is not None and kind.is_numeric() for kind in kinds)


def _type_of(node: pl.Expr, empty: pl.DataFrame) -> pl.DataType | None:
    try:
        # Far cheaper than an answer, even to an empty frame.
        return empty.lazy().select(node.alias("value")).collect_schema()["value"]
    except PolarsError:
        return None
