from __future__ import annotations

import duckdb
import sqlglot
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.audience.rules.dialects import Dialect
from smsflow_provider.core.audience.rules.table import table_select
from smsflow_provider.core.errors import AudienceError

#: Any name a database could have, and what somebody may try.
NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters=".", exclude_categories=["Cc"]),
    min_size=1,
    max_size=20,
)


@given(st.sampled_from(Dialect), NAMES, st.lists(NAMES, min_size=1, max_size=3, unique=True))
def test_no_name_changes_the_statement(dialect: Dialect, table: str, columns: list[str]) -> None:
    try:
        written = table_select(table, columns=columns, dialect=dialect, order=columns[0])
    except AudienceError:
        return  # no database would take it as a name

    (parsed,) = sqlglot.parse(written, dialect=dialect)
    assert isinstance(parsed, sqlglot.exp.Select)
    assert len(columns) == len(parsed.expressions)
    assert 1 == len(list(parsed.find_all(sqlglot.exp.Table)))
    assert set(parsed.args) - {"kind", "hint", "distinct", "limit", "operation_modifiers"} >= {
        "expressions"
    }
    assert not parsed.args.get("where")


def test_a_table_of_a_schema_is_read_in_order() -> None:
    with duckdb.connect() as connection:
        connection.execute('CREATE SCHEMA "c r m"')
        connection.execute('CREATE TABLE "c r m"."pe""ople" ("i d" integer, phone text, more text)')
        connection.execute("""INSERT INTO "c r m"."pe""ople" VALUES (2, 'b', ''), (1, 'a', '')""")
        sql = table_select('c r m.pe"ople', columns=["i d", "phone"], dialect="duckdb", order="i d")

        assert [(1, "a"), (2, "b")] == connection.execute(sql).fetchall()
