"""Tests of rules as expressions of polars."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from operator import or_
from typing import Any

import polars as pl

from smsflow_provider.core.audience.rules.fold import whole_table
from smsflow_provider.core.audience.rules.plan import (
    Anniversary,
    Between,
    Equals,
    Fold,
    Holds,
    IsNull,
    Kind,
    Matches,
    OneOf,
    Place,
    Test,
    Value,
)
from smsflow_provider.core.audience.rules.to_frame_types import Cells

#: The largest whole number of a frame.
_LIMIT = 2**127 - 1


def passes(cells: Cells, test: Test, *, is_negated: bool, fold: Fold) -> pl.Expr:
    """
    Write a test as a condition that is true or false, never empty.

    Args:
        cells: What is compared.
        test: What it must pass; it suits the kind of *cells*.
        is_negated: It must have a value and not pass.
        fold: What does not count; for texts.
    """
    if isinstance(test, IsNull):
        found = cells.expression
        return found.is_not_null() if is_negated else found.is_null()
    outcome = _outcome(cells, test, fold=fold)
    return (cells.expression.is_not_null() & (~outcome if is_negated else outcome)).fill_null(
        value=False
    )


def _outcome(cells: Cells, test: Test, *, fold: Fold) -> pl.Expr:
    if cells.kind is Kind.TEXT:
        return _text_outcome(folded(cells.expression, fold), test)
    if isinstance(test, Anniversary):
        found = cells.expression.dt
        days = [(found.month() == month) & (found.day() == day) for month, day in test.days]
        return reduce(or_, days, pl.lit(value=False))
    if cells.scale is not None:
        return _whole_outcome(cells.expression, test, scale=cells.scale)
    return _simple_outcome(cells.expression, test, kind=cells.kind)


def folded(texts: pl.Expr, fold: Fold) -> pl.Expr:
    """Take out of a column of texts what does not count."""
    if fold is Fold.NOTHING:
        return texts
    table = whole_table(fold)
    return texts.str.replace_many(list(table), list(table.values()))


def _text_outcome(texts: pl.Expr, test: Test) -> pl.Expr:
    match test:
        case Equals(value=value):
            return texts == pl.lit(str(value))
        case OneOf(values=values):
            return texts.is_in([str(value) for value in values])
        case Holds(text=text, place=Place.START):
            return texts.str.starts_with(text)
        case Holds(text=text, place=Place.END):
            return texts.str.ends_with(text)
        case Holds(text=text):
            return texts.str.contains(text, literal=True)
        case Matches():
            return texts.str.contains(_expression_of(test))
    raise AssertionError(test)


def _expression_of(test: Matches) -> str:
    """Write a pattern as a regular expression over whole texts, line breaks and all."""
    wild = {"*": ".*", "?": "."}
    pieces = [wild[one] if is_wild else pl.escape_regex(one) for one, is_wild in test.pieces()]
    return rf"\A(?s:{''.join(pieces)})\z"


def _whole_outcome(numbers: pl.Expr, test: Test, *, scale: int) -> pl.Expr:
    """Compare whole numbers exactly, whatever fractions the rule has."""

    def scaled(value: Value | None) -> Fraction:
        return Fraction(value if isinstance(value, int | Decimal) else 0) * Fraction(10**scale)

    match test:
        case Equals(value=value):
            return _is_one_of(numbers, [scaled(value)])
        case OneOf(values=values):
            return _is_one_of(numbers, [scaled(value) for value in values])
        case Between(low=low, high=high, has_low=has_low, has_high=has_high):
            above = numbers >= _whole(math.ceil(scaled(low)))
            if not has_low:
                above = numbers > _whole(math.floor(scaled(low)))
            below = numbers <= _whole(math.floor(scaled(high)))
            if not has_high:
                below = numbers < _whole(math.ceil(scaled(high)))
            return _both(above if low is not None else None, below if high is not None else None)
    raise AssertionError(test)


def _is_one_of(numbers: pl.Expr, values: list[Fraction]) -> pl.Expr:
    whole = [value.numerator for value in values if value.denominator == 1]
    kept = [value for value in whole if abs(value) <= _LIMIT]
    # What is too large for the type is none of them.
    cells = numbers.cast(pl.Int128, strict=False)
    return _is_in(cells, pl.Series(kept, dtype=pl.Int128)).fill_null(value=False)


def _is_in(cells: pl.Expr, values: pl.Series) -> pl.Expr:
    """Look values up: thousands of comparisons joined by *or* take polars minutes."""
    return cells.is_in(values.implode())


def _whole(value: int) -> pl.Expr:
    return pl.lit(max(-_LIMIT, min(value, _LIMIT)), dtype=pl.Int128)


def _both(*conditions: pl.Expr | None) -> pl.Expr:
    return pl.all_horizontal(
        pl.lit(value=True), *(condition for condition in conditions if condition is not None)
    )


def _as_float(value: Value) -> float | None:
    return float(Decimal(value)) if isinstance(value, int | Decimal) else None


def _as_moment(value: Value) -> Any:
    """Give a day where a moment is compared as its midnight."""
    if isinstance(value, datetime) or not isinstance(value, date):
        return value
    return datetime.combine(value, datetime.min.time())


def _typed(values: Iterable[Value], kind: Kind) -> pl.Series:
    """Bring values to the type of the cells they are compared with."""
    if kind in {Kind.INTEGER, Kind.NUMBER}:
        return pl.Series([_as_float(value) for value in values], dtype=pl.Float64)
    if kind is Kind.DATE:
        return pl.Series(list(values), dtype=pl.Date)
    if kind is Kind.LOCAL_MOMENT:
        return pl.Series([_as_moment(value) for value in values], dtype=pl.Datetime("us"))
    if kind is Kind.MOMENT:
        moments = [_as_moment(value).astimezone(UTC) for value in values]
        return pl.Series(moments, dtype=pl.Datetime("us", "UTC"))
    return pl.Series(list(values))


def _simple_outcome(found: pl.Expr, test: Test, *, kind: Kind) -> pl.Expr:
    def read(value: Value) -> pl.Expr:
        return pl.lit(_typed([value], kind)).first()

    match test:
        case Equals(value=value):
            return found == read(value)
        case OneOf(values=values):
            return _is_in(found, _typed(values, kind))
        case Between(low=low, high=high, has_low=has_low, has_high=has_high):
            above = below = None
            if low is not None:
                above = found >= read(low) if has_low else found > read(low)
            if high is not None:
                below = found <= read(high) if has_high else found < read(high)
            return _both(above, below)
    raise AssertionError(test)
