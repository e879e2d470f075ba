"""
Values in SQL that are no texts: numbers, booleans, dates and moments, and columns of them.

Moments are written in UTC with their zone; local moments without one. SQLite has no types for
dates: there a date is a text ``YYYY-MM-DD``, a moment one ``YYYY-MM-DD HH:MM:SS[.ffffff]``, with
``T`` or a space, and a zone such as ``Z`` or ``+02:00`` behind it, or none for UTC. What is not
so written counts as empty. In MySQL a moment is a ``TIMESTAMP``, or a ``DATETIME`` in the
session's zone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from sqlglot import exp

from smsflow_provider.core.audience.rules.dialects import Dialect
from smsflow_provider.core.audience.rules.plan import Kind, Value
from smsflow_provider.core.audience.rules.to_sql_statement import call
from smsflow_provider.core.audience.rules.to_sql_text import join_texts, write_text
from smsflow_provider.core.errors import AudienceError

_LONGEST_NUMBER = 38
_INT64 = range(-(2**63), 2**63)
#: Where true is a number.
_TRUE_IS_ONE = frozenset({Dialect.MYSQL, Dialect.SQLITE, Dialect.TSQL})
_LOCAL_TYPES = {
    Dialect.BIGQUERY: "DATETIME",
    Dialect.DATABRICKS: "TIMESTAMP_NTZ",
    Dialect.MYSQL: "DATETIME(6)",
    Dialect.SNOWFLAKE: "TIMESTAMP_NTZ",
    Dialect.TSQL: "DATETIME2",
}
_MOMENT_TYPES = {
    Dialect.BIGQUERY: "TIMESTAMP",
    Dialect.DATABRICKS: "TIMESTAMP",
    Dialect.SNOWFLAKE: "TIMESTAMP_TZ",
    Dialect.TSQL: "DATETIMEOFFSET",
}


def write_value(value: Value, *, kind: Kind, dialect: Dialect) -> exp.Expr:
    """
    Write a value as *kind* is compared in this database.

    Raises:
        AudienceError: A number has more than 38 digits, or a text cannot be written.
    """
    match value:
        case str():
            return write_text(value, dialect=dialect)
        case bool():
            return write_truth(value=value, dialect=dialect)
        case int() | Decimal():
            return _number(Decimal(value), dialect)
        case datetime():
            return _moment(value, kind=kind, dialect=dialect)
        case date():
            text = exp.Literal.string(value.isoformat())
            return text if dialect is Dialect.SQLITE else exp.cast(text, "DATE")


def write_truth(*, value: bool, dialect: Dialect) -> exp.Expr:
    """Write a boolean as a value of a column."""
    if dialect in _TRUE_IS_ONE:
        return exp.Literal.number(int(value))
    return exp.true() if value else exp.false()


def _number(value: Decimal, dialect: Dialect) -> exp.Expr:
    digits = format(value.copy_abs(), "f") if value.is_finite() else ""
    if not digits or len(digits.lstrip("0").replace(".", "")) > _LONGEST_NUMBER:
        raise AudienceError(
            "a number of the rules is too long for a database", most_digits=_LONGEST_NUMBER
        )
    is_whole = "." not in digits and int(value) in _INT64
    if dialect is Dialect.BIGQUERY and not is_whole:
        # Its bare literals with a point are floating point.
        text = exp.Literal.string(format(value, "f"))
        return exp.cast(text, _bigquery_type(digits), dialect="bigquery")
    literal = exp.Literal.number(digits)
    return exp.Neg(this=literal) if value < 0 else literal


def _bigquery_type(digits: str) -> str:
    whole, _, fraction = digits.partition(".")
    return "BIGNUMERIC" if len(whole) > 29 or len(fraction) > 9 else "NUMERIC"


def _moment(value: datetime, *, kind: Kind, dialect: Dialect) -> exp.Expr:
    local = (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None)
    if dialect is Dialect.SQLITE:
        return exp.Literal.string(local.isoformat(sep=" ", timespec="microseconds"))
    text = local.isoformat(sep="T" if dialect is Dialect.TSQL else " ")
    if kind is not Kind.MOMENT or dialect is Dialect.MYSQL:
        kept = _LOCAL_TYPES.get(dialect, "TIMESTAMP")
        written = exp.cast(exp.Literal.string(text), kept, dialect=dialect)
        return written if kind is not Kind.MOMENT else _in_session_zone(written)
    kept = _MOMENT_TYPES.get(dialect, "TIMESTAMPTZ")
    return exp.cast(exp.Literal.string(f"{text}+00:00"), kept, dialect=dialect)


def _in_session_zone(moment: exp.Expr) -> exp.Expr:
    zone = exp.SessionParameter(this=exp.var("time_zone"), kind="session")
    return exp.ConvertTimezone(
        source_tz=exp.Literal.string("+00:00"), target_tz=zone, timestamp=moment
    )


def comparable(column: exp.Expr, *, kind: Kind, dialect: Dialect) -> exp.Expr:
    """Bring a column that is no text to the form in which its values are written."""
    if dialect is not Dialect.SQLITE or kind not in {Kind.DATE, Kind.MOMENT, Kind.LOCAL_MOMENT}:
        return column
    if kind is Kind.DATE:
        return call("DATE", column)
    seconds = call("SUBSTR", column, 1, 19)
    if kind is Kind.MOMENT:
        zone = call("LTRIM", call("SUBSTR", column, 20), ".0123456789")
        seconds = join_texts(seconds, zone)
    fraction = join_texts(exp.Literal.string("0"), call("SUBSTR", column, 20, 7))
    parts = call("PRINTF", "%.6f", exp.cast(fraction, "REAL", dialect="sqlite"))
    return join_texts(call("DATETIME", seconds), call("SUBSTR", parts, 2))


def is_day(column: exp.Expr, days: tuple[tuple[int, int], ...], *, dialect: Dialect) -> exp.Expr:
    """Compare a date or a local moment: its month and day are one of *days*."""
    if dialect is Dialect.SQLITE:
        texts = [exp.Literal.string(f"{month:02}-{day:02}") for month, day in days]
        return exp.In(this=call("STRFTIME", "%m-%d", column), expressions=texts)
    month, day = (_part(name, column) for name in ("MONTH", "DAY"))
    number = exp.Add(
        this=exp.Mul(this=month, expression=exp.Literal.number(100)),
        expression=day,
    )
    numbers = [exp.Literal.number(month * 100 + day) for month, day in days]
    return exp.In(this=number, expressions=numbers)


def _part(name: str, column: exp.Expr) -> exp.Expr:
    return exp.Extract(this=exp.var(name), expression=column.copy())
