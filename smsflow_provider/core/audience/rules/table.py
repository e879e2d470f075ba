"""A whole table as people: the statement that reads the columns that are needed, and no others."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import ErrorLevel, exp

from smsflow_provider.core.audience.rules.dialects import Dialect
from smsflow_provider.core.audience.rules.to_sql_scope import Statement, ordered


def table_select(
    table: str, *, columns: Sequence[str], dialect: str, order: str | None = None
) -> str:
    """
    Write the statement that reads columns of a table under their own names.

    Every name is quoted, exactly as it is given: none of them can change the statement.

    Args:
        table: ``table``, ``schema.table`` or ``catalog.schema.table``.
        columns: One or more, each once.
        dialect: Of ``DIALECTS``.
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
    named = [
        exp.Alias(
            this=statement.column(name, alias=alias), alias=exp.to_identifier(name, quoted=True)
        )
        for name in columns
    ]
    select = exp.Select(expressions=named).from_(statement.table(table, alias=alias), copy=False)
    if order is not None:
        key = ordered(statement.column(order, alias=alias), dialect=statement.dialect)
        select = select.order_by(key, copy=False)
    return select.sql(dialect=statement.dialect, pretty=True, unsupported_level=ErrorLevel.RAISE)
