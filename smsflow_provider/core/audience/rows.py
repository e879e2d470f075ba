"""Python rows, as a database driver hands them out, turned into column batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import partial, reduce
from typing import Any
from uuid import UUID

import polars as pl
import pyarrow as pa

from smsflow_provider.core.audience import columns
from smsflow_provider.core.audience.columns import (
    DATE,
    DECIMAL_DIGITS,
    INTEGER,
    LOCAL_MOMENT,
    MOMENT,
    NUMBER,
    TEXT,
    TIME,
)
from smsflow_provider.core.errors import AudienceError

Values = Sequence[Any]

#: Classes in the order in which they are tried: a boolean is an int, a datetime is a date.
_FAMILIES: tuple[tuple[type, pa.DataType], ...] = (
    (type(None), pa.null()),
    (bool, pa.bool_()),
    (int, INTEGER),
    (float, NUMBER),
    (Decimal, pa.decimal128(DECIMAL_DIGITS, 0)),
    (str, TEXT),
    (UUID, TEXT),
    (datetime, LOCAL_MOMENT),
    (date, DATE),
    (time, TIME),
    (dict, TEXT),
    (list, TEXT),
    (tuple, TEXT),
)

_POLARS: dict[pa.DataType, Any] = {
    pa.null(): pl.Null,
    pa.bool_(): pl.Boolean,
    INTEGER: pl.Int64,
    NUMBER: pl.Float64,
    TEXT: pl.String,
    DATE: pl.Date,
    TIME: pl.Time,
    MOMENT: pl.Datetime("us", "UTC"),
    LOCAL_MOMENT: pl.Datetime("us"),
}


def batch_of(names: Sequence[str], rows: Iterable[Values]) -> pa.RecordBatch:
    """
    Turn rows into one batch.

    Decimals stay decimals, dates dates, moments with a zone become UTC, UUIDs text, lists and
    dictionaries JSON text. A column that mixes numbers and texts becomes text.

    Args:
        names: Column names, as many as a row has values.
        rows: Tuples of plain Python values.

    Raises:
        AudienceError: A value of a type no text can show, or values of no common type. Names the
            column, never the value.

    Example:
        >>> batch_of(["id", "phone"], [(1, "0612"), (2, None)]).num_rows
        2
    """
    found = list(zip(*rows, strict=True)) or [()] * len(names)
    arrays = [array_of(values, name=name) for name, values in zip(names, found, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, list(names))


def array_of(values: Values, *, name: str) -> pa.Array:
    """Turn the values of one column into an Arrow array of a type of ``columns``."""
    kind = _kind_of(values, name=name)
    convert = _converter_to(kind)
    try:
        plain = values if _is_plain(values, kind) else [convert(value) for value in values]
        series = pl.Series(name, plain, dtype=_polars_type(kind), strict=True)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        # Their texts quote values.
        raise AudienceError(
            "a column has a value that cannot be kept exactly: cast it to text in the source",
            column=name,
            type=columns.kind_of(kind),
        ) from None
    return series.to_arrow().cast(kind)


def _kind_of(values: Values, *, name: str) -> pa.DataType:
    classes = sorted(set(map(type, values)), key=lambda one: one.__name__)
    unknown = [one.__name__ for one in classes if _family_of(one) is None]
    if unknown:
        raise AudienceError(
            "a column has a type no text can show: cast it to text in the source",
            column=name,
            type=unknown[0],
        )
    kinds = [_exact_kind(one, values) for one in classes]
    return reduce(lambda one, other: _join(one, other, name=name), kinds, pa.null())


def _family_of(one: type) -> pa.DataType | None:
    return next((kind for family, kind in _FAMILIES if issubclass(one, family)), None)


def _exact_kind(one: type, values: Values) -> pa.DataType:
    """Look at the values where the class does not say enough: size, scale, time zone."""
    kind = _family_of(one)
    if kind == INTEGER:
        big = any(isinstance(value, int) and not -(2**63) <= value < 2**63 for value in values)
        return pa.decimal128(DECIMAL_DIGITS, 0) if big else INTEGER
    if kind == LOCAL_MOMENT:
        zoned = {value.tzinfo is not None for value in values if isinstance(value, datetime)}
        return reduce(lambda a, b: _join(a, b, name=""), [_moment(has) for has in sorted(zoned)])
    if issubclass(one, Decimal):
        return pa.decimal128(DECIMAL_DIGITS, _scale_of(values))
    return kind


def _moment(has_zone: bool) -> pa.DataType:  # noqa: FBT001  a look-up of two
    return MOMENT if has_zone else LOCAL_MOMENT


def _scale_of(values: Values) -> int:
    exponents = (
        value.as_tuple().exponent
        for value in values
        if isinstance(value, Decimal) and value.is_finite()
    )
    return min(max((-int(one) for one in exponents), default=0) or 0, DECIMAL_DIGITS)


def _join(one: pa.DataType, other: pa.DataType, *, name: str) -> pa.DataType:
    found = columns.joined(one, other)
    if found is None:
        raise AudienceError(
            "a column mixes values that have no common type: cast it to text in the source",
            column=name,
            types=sorted([columns.kind_of(one), columns.kind_of(other)]),
        )
    return found


def _polars_type(kind: pa.DataType) -> Any:
    return pl.Decimal(DECIMAL_DIGITS, kind.scale) if pa.types.is_decimal(kind) else _POLARS[kind]


def _is_plain(values: Values, kind: pa.DataType) -> bool:
    """Tell whether every value already is what the type holds, so that none needs a look."""
    plain = {TEXT: str, INTEGER: int, NUMBER: float, DATE: date, pa.bool_(): bool, TIME: time}
    return set(map(type, values)) <= {type(None), plain.get(kind, type(None))}


def _converter_to(kind: pa.DataType) -> Callable[[Any], Any]:
    if pa.types.is_decimal(kind):
        return partial(_to_decimal, scale=kind.scale)
    return {TEXT: _to_text, NUMBER: _to_float, MOMENT: _to_utc, LOCAL_MOMENT: _to_moment}.get(
        kind, _itself
    )


def _itself(value: Any) -> Any:
    return value


def _to_decimal(value: Decimal | int | None, *, scale: int) -> Decimal | None:
    if value is None or (isinstance(value, Decimal) and value.is_nan()):
        return None
    exact = Decimal(value)
    # Checked here: polars panics at infinity, and cuts what is too long.
    if not exact.is_finite() or exact.adjusted() + 1 + scale > DECIMAL_DIGITS:
        raise ValueError("too long")
    return exact


def _to_float(value: Any) -> float | None:
    if isinstance(value, int) and abs(value) > 2**53:
        raise ValueError("not exact")
    return None if value is None else float(value)


def _to_utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


def _to_moment(value: date | None) -> date | None:
    if value is None or isinstance(value, datetime):
        return value
    return datetime(value.year, value.month, value.day)  # noqa: DTZ001  a moment without a zone


def _to_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping | list | tuple):
        return columns.to_json(value)
    if isinstance(value, float | Decimal):
        return _number_text(value)
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _number_text(value: float | Decimal) -> str | None:
    if value != value:  # noqa: PLR0124  NaN is not itself
        return None
    if isinstance(value, float):
        return columns.float_text(value)
    text = format(value, "f")
    return text.split(".")[0] if value == value.to_integral_value() else text
