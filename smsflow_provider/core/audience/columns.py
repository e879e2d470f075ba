"""The few types a column of an audience may have, and how to get there from all others."""

from __future__ import annotations

import json

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from smsflow_provider.core.errors import AudienceError

TEXT = pa.string()
INTEGER = pa.int64()
NUMBER = pa.float64()
DATE = pa.date32()
TIME = pa.time64("us")
MOMENT = pa.timestamp("us", tz="UTC")
LOCAL_MOMENT = pa.timestamp("us")
#: Digits a decimal may have, before and after the point together: what 16 bytes hold.
DECIMAL_DIGITS = 38

_KINDS = {
    pa.null(): "nothing",
    pa.bool_(): "boolean",
    INTEGER: "integer",
    NUMBER: "number",
    TEXT: "text",
    DATE: "date",
    TIME: "time",
    MOMENT: "moment",
    LOCAL_MOMENT: "local_moment",
}


def kind_of(kind: pa.DataType) -> str:
    """
    Name a type in our own words, which outlive the names of a library.

    Args:
        kind: A type made by ``settled``.

    Example:
        >>> kind_of(pa.int64()), kind_of(pa.decimal128(38, 2))
        ('integer', 'decimal_2')
    """
    return f"decimal_{kind.scale}" if pa.types.is_decimal(kind) else _KINDS[kind]


def settled(array: pa.Array, *, name: str) -> pa.Array:
    """
    Bring *array* to one of the types of this module, without changing what it says.

    Whole numbers become 64-bit, dictionaries are resolved, moments are microseconds (finer parts
    are cut off) and in UTC if they have a zone, lists and records become JSON text.

    Args:
        array: Any Arrow array.
        name: The column's name, for the error.

    Raises:
        AudienceError: No type here can hold it: bytes, durations, numbers of over 38 digits.
    """
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return _settled_extension(array, name=name)
    if pa.types.is_dictionary(kind):
        return settled(array.dictionary_decode(), name=name)
    if pa.types.is_nested(kind):
        return _as_json(array)
    target = _target_of(array)
    if target is None:
        raise AudienceError(
            "a column has a type no text can show: cast it to text in the source",
            column=name,
            type=str(kind),
        )
    return cast_to(array, target, name=name)


def _target_of(array: pa.Array) -> pa.DataType | None:
    kind, is_kind = array.type, pa.types
    if is_kind.is_temporal(kind):
        return _temporal_target(kind)
    if is_kind.is_decimal(kind):
        return pa.decimal128(DECIMAL_DIGITS, min(max(kind.scale, 0), DECIMAL_DIGITS))
    if is_kind.is_integer(kind):
        return INTEGER if _fits_integer(array) else pa.decimal128(DECIMAL_DIGITS, 0)
    if is_kind.is_floating(kind):
        return NUMBER
    if is_kind.is_string(kind) or is_kind.is_large_string(kind) or is_kind.is_string_view(kind):
        return TEXT
    return kind if is_kind.is_boolean(kind) or is_kind.is_null(kind) else None


def _temporal_target(kind: pa.DataType) -> pa.DataType | None:
    if pa.types.is_date(kind):
        return DATE
    if pa.types.is_time(kind):
        return TIME
    if pa.types.is_timestamp(kind):
        return MOMENT if kind.tz else LOCAL_MOMENT
    return None


def _fits_integer(array: pa.Array) -> bool:
    if array.type != pa.uint64():
        return True
    largest = pc.max(array).as_py()
    return largest is None or largest < 2**63


def _settled_extension(array: pa.Array, *, name: str) -> pa.Array:
    if array.type.extension_name == "arrow.uuid":
        return _texts([None if item is None else str(item) for item in array.to_pylist()])
    return settled(array.storage, name=name)


def _as_json(array: pa.Array) -> pa.Array:
    return _texts([None if item is None else to_json(item) for item in array.to_pylist()])


def to_json(value: object) -> str:
    """Write a list or a record as JSON text; what JSON lacks, such as a date, becomes text."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _texts(values: list[str | None]) -> pa.Array:
    # pa.array() of a list would import pandas; polars does not.
    return pl.Series(values, dtype=pl.String).to_arrow().cast(TEXT)


def cast_to(array: pa.Array, target: pa.DataType, *, name: str) -> pa.Array:
    """
    Cast *array* to *target*, exactly.

    Args:
        array: Values of a type that ``joined`` allows into *target*.
        target: One of the types of this module.
        name: The column's name, for the error.

    Raises:
        AudienceError: A value would be changed by it.
    """
    if array.type == target:
        return array
    if target == TEXT and not is_text(array.type):
        return as_text(array)
    # Only moments may lose something: what is finer than a microsecond.
    is_safe = not pa.types.is_timestamp(array.type) and not pa.types.is_time(array.type)
    try:
        return array.cast(target, safe=is_safe)
    except pa.ArrowInvalid:
        raise AudienceError(
            "a column's values do not fit one type: cast it to text in the source",
            column=name,
            types=sorted({str(array.type), str(target)}),
        ) from None


def is_text(kind: pa.DataType) -> bool:
    """Tell whether *kind* is a type of texts, in whatever layout."""
    return bool(kind == TEXT or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def as_text(array: pa.Array) -> pa.Array:
    """
    Write values as a person would: a whole number has no point, however the source stored it.

    Spreadsheets keep phone numbers as numbers: 33612345678.0 becomes ``33612345678``. A number
    that is no number (NaN) becomes an empty cell.

    Args:
        array: Values of a type made by ``settled``.
    """
    if pa.types.is_floating(array.type):
        return _texts([float_text(value) for value in array.to_pylist()])
    if pa.types.is_decimal(array.type):
        return pc.replace_substring_regex(array.cast(TEXT), r"\.0+$", "")
    return array.cast(TEXT)


def float_text(value: float | None) -> str | None:
    """Write a float without a point when it is whole and exact; NaN is an empty cell."""
    if value is None or value != value:  # noqa: PLR0124  NaN is not itself
        return None
    # Beyond 2**53 a float no longer knows its last digits: leave it visibly odd.
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def joined(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """
    Find the type that holds the values of both.

    Nothing gives way to anything, whole numbers to decimals, decimals to floating point, dates to
    moments without a zone, and everything to text. Moments with and without a zone do not mix.

    Args:
        one: A type made by ``settled``.
        other: The same.

    Returns:
        The type; None when there is no honest one.
    """
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if TEXT in (one, other):
        return TEXT
    if _is_numeric(one) and _is_numeric(other):
        return _joined_numbers(one, other)
    return LOCAL_MOMENT if {one, other} == {DATE, LOCAL_MOMENT} else None


def _is_numeric(kind: pa.DataType) -> bool:
    return kind in (INTEGER, NUMBER) or pa.types.is_decimal(kind)


def _joined_numbers(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    if NUMBER in (one, other):
        return NUMBER
    scale = max(kind.scale if pa.types.is_decimal(kind) else 0 for kind in (one, other))
    return pa.decimal128(DECIMAL_DIGITS, scale)
