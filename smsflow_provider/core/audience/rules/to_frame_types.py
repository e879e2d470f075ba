"""What a frame's columns hold, in the few kinds rules know; wider types are brought to them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from smsflow_provider.core.audience.rules.plan import Kind

_LOCAL = pl.Datetime("us")
_MOMENT = pl.Datetime("us", "UTC")
_WIDE = (pl.UInt64, pl.Int128, pl.UInt128)


class Family(StrEnum):
    """Types of a frame's columns that are one to rules."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    LOCAL_MOMENT = "moment without a zone"
    MOMENT = "moment with a zone"
    #: A column without any value and so without a type.
    NOTHING = "nothing"
    OTHER = "other"


#: What may stand where rules expect a kind. pandas has no dates, so moments stand in: their day
#: counts. A date in place of a moment is its midnight.
_FITTING = {
    Kind.TEXT: {Family.TEXT},
    Kind.INTEGER: {Family.NUMBER},
    Kind.NUMBER: {Family.NUMBER},
    Kind.BOOLEAN: {Family.BOOLEAN},
    Kind.DATE: {Family.DATE, Family.LOCAL_MOMENT},
    Kind.LOCAL_MOMENT: {Family.DATE, Family.LOCAL_MOMENT},
    Kind.MOMENT: {Family.MOMENT},
}


def family_of(dtype: pl.DataType) -> Family:
    """
    Tell what a type is to rules.

    Example:
        >>> family_of(pl.Categorical()), family_of(pl.Decimal(10, 2)), family_of(pl.Time())
        (<Family.TEXT: 'text'>, <Family.NUMBER: 'number'>, <Family.OTHER: 'other'>)
    """
    if dtype.is_numeric():
        return Family.NUMBER
    if isinstance(dtype, pl.Datetime):
        return Family.MOMENT if dtype.time_zone else Family.LOCAL_MOMENT
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return Family.TEXT
    simple = {pl.Boolean(): Family.BOOLEAN, pl.Date(): Family.DATE, pl.Null(): Family.NOTHING}
    return simple.get(dtype, Family.OTHER)


def words_of(dtype: pl.DataType) -> str:
    """Say what a type holds; types that rules do not know by the frame's own word."""
    family = family_of(dtype)
    return str(dtype) if family is Family.OTHER else family.value


def fits(dtype: pl.DataType, kind: Kind) -> bool:
    """Tell whether a column of this type can be what the rules take it for."""
    family = family_of(dtype)
    return family is Family.NOTHING or family in _FITTING[kind]


def joins(one: pl.DataType, other: pl.DataType) -> bool:
    """Tell whether values of two columns can be the same, so that rows belong together by them."""
    families = {family_of(one), family_of(other)}
    if Family.OTHER in families:
        return one == other
    if families == {Family.NUMBER} and pl.Decimal in {one.base_type(), other.base_type()}:
        return not (one.is_float() or other.is_float())
    families.discard(Family.NOTHING)
    return len(families) < 2 or families == {Family.DATE, Family.LOCAL_MOMENT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """A column, or what linked rows come to, ready to be compared."""

    expression: pl.Expr
    kind: Kind
    #: Of numbers: the expression holds whole numbers that are so many digits too long; None for
    #: floating point.
    scale: int | None = None


def cells_of(column: pl.Expr, dtype: pl.DataType, *, kind: Kind) -> Cells:
    """
    Bring a column to the form in which rules compare it.

    Texts become plain texts, decimals whole numbers with a scale, moments UTC and microseconds
    (finer parts are cut off). NaN becomes an empty value, as pandas means it.

    Args:
        column: The column.
        dtype: Its type, which `fits` *kind*.
        kind: What the rules take it for.
    """
    if kind in {Kind.INTEGER, Kind.NUMBER}:
        return _number(column, dtype, kind=kind)
    return Cells(expression=_cast(column, dtype, kind=kind), kind=kind)


def _cast(column: pl.Expr, dtype: pl.DataType, *, kind: Kind) -> pl.Expr:
    if kind is Kind.TEXT:
        return column.cast(pl.String)
    if kind is Kind.BOOLEAN:
        return column.cast(pl.Boolean)
    if kind is Kind.DATE:
        return column.cast(pl.Date)
    if kind is Kind.LOCAL_MOMENT:
        return column.cast(_LOCAL)
    return column.cast(_MOMENT) if isinstance(dtype, pl.Null) else _in_utc(column)


def _in_utc(column: pl.Expr) -> pl.Expr:
    return column.dt.convert_time_zone("UTC").dt.cast_time_unit("us")


def _number(column: pl.Expr, dtype: pl.DataType, *, kind: Kind) -> Cells:
    if dtype.is_float():
        return Cells(expression=column.cast(pl.Float64).fill_nan(None), kind=kind)
    if isinstance(dtype, pl.Decimal):
        return Cells(expression=column.to_physical(), kind=kind, scale=dtype.scale)
    whole = column.cast(pl.Int64) if isinstance(dtype, pl.Null) else column
    return Cells(expression=whole, kind=kind, scale=0)


def orderly(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Give a column the order of its values: texts by code point, whatever categories say."""
    return column.cast(pl.String) if family_of(dtype) is Family.TEXT else column


def matched(column: pl.Expr, dtype: pl.DataType, *, other: pl.DataType) -> pl.Expr:
    """
    Bring a column to the type in which it can be joined with one of type *other*.

    Called for both sides, each with the other's type. Whole numbers that pandas keeps as floating
    point, because some are missing, find whole numbers; a fraction finds none.

    Args:
        column: The column, of a type that `joins` *other*.
        dtype: Its type.
        other: The other side's type.
    """
    family = family_of(dtype)
    if dtype == other or family is Family.NOTHING:
        return column.cast(other) if family is Family.NOTHING else column
    if family is Family.NUMBER:
        return _matched_number(column, dtype, other=other)
    if family is Family.MOMENT:
        return _in_utc(column)
    return column.cast(_LOCAL if family in {Family.DATE, Family.LOCAL_MOMENT} else pl.String)


def _matched_number(column: pl.Expr, dtype: pl.DataType, *, other: pl.DataType) -> pl.Expr:
    if dtype.is_float() and other.is_float():
        return column.cast(pl.Float64)
    whole: pl.DataType = pl.Int128() if {dtype, other} & set(_WIDE) else pl.Int64()
    scale = max(one.scale if isinstance(one, pl.Decimal) else 0 for one in (dtype, other))
    target = pl.Decimal(38, scale) if pl.Decimal in {dtype, other} else whole
    if dtype.is_float():
        return pl.when(column == column.floor()).then(column.cast(target, strict=False))
    return column.cast(target, strict=False)
