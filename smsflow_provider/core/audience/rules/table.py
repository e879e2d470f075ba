"""A whole table as people: the statement that reads the columns that are needed, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import ErrorLevel, exp

from smsflow_provider.core.audience.rules.dialects import Dialect
from smsflow_provider.core.audience.rules.to_sql_scope import ordered
from smsflow_provider.core.audience.rules.to_sql_statement import Statement, named


def table_select(
    table: str, *, columns: Sequence[str], dialect: str, order: str | None = None
) -> str:
    """
    Write the statement that reads columns of a table under their own names.

    Every name is quoted, exactly as it is given: none of them can change the statement.

    Args:
        table: ``table``, ``schema.table`` or ``catalog.schema.table``.
        columns: One or more, each once.
        dialect: Name of a ``Dialect``.
        order: Column to sort by. None: as the database likes.

    Raises:
        AudienceError: This cannot be the name of a table.

    Example:
        >>> print(table_select("crm.people", columns=["id", "phone"], dialect="postgres"))
        SELECT
          "people"."id" AS "id",
          "people"."phone" AS "phone"
        FROM "crm"."people" AS "people"
    """
    statement = Statement(Dialect(dialect))
    alias = statement.name(table.rpartition(".")[2])
    selected = [named(statement.column(name, alias=alias), name) for name in columns]
    select = exp.Select(expressions=selected).from_(statement.table(table, alias=alias), copy=False)
    if order is not None:
        key = ordered(statement.column(order, alias=alias), dialect=statement.dialect)
        select = select.order_by(key, copy=False)
    return select.sql(dialect=statement.dialect, pretty=True, unsupported_level=ErrorLevel.RAISE)


def table_probe(table: str, *, names: Iterable[str], dialect: str) -> tuple[str, dict[str, str]]:
    """
    Write the statement that reads no row of a table and shows its columns.

    Args:
        table: As ``table_select``.
        names: Columns as a dimension calls them.
        dialect: Name of a ``Dialect``.

    Returns:
        The statement, and each of *names* as the database spells it.

    Raises:
        AudienceError: This cannot be the name of a table or column.

    Example:
        >>> table_probe("people", names=["id"], dialect="snowflake")
        ('SELECT * FROM "PEOPLE" AS "people" WHERE 1 = 0', {'id': 'ID'})
    """
    statement = Statement(Dialect(dialect))
    alias = statement.name(table.rpartition(".")[2])
    nobody = exp.EQ(this=exp.Literal.number(1), expression=exp.Literal.number(0))
    select = exp.select("*").from_(statement.table(table, alias=alias)).where(nobody)
    spelt = {name: str(statement.identifier(name).this) for name in names}
    return select.sql(dialect=statement.dialect, unsupported_level=ErrorLevel.RAISE), spelt
