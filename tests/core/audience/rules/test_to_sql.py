"""Rules as SQL of nine databases, read back by a parser of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from smsflow_provider.core.audience.rules.dialects import PADDING, Dialect, dialect_of
from smsflow_provider.core.audience.rules.plan import (
    Aggregate,
    All,
    Anniversary,
    Any,
    Between,
    Column,
    Compare,
    Equals,
    Except,
    Fold,
    Function,
    Has,
    Holds,
    Hop,
    IsNull,
    KeyPart,
    Kind,
    Matches,
    Node,
    OneOf,
    Output,
    Place,
    Plan,
    Step,
    Test,
    Value,
)
from smsflow_provider.core.audience.rules.to_sql import (
    repeated_links_sql,
    select_sql,
    steps_sql,
)
from smsflow_provider.core.errors import AudienceError

STORE = Hop(name="store", table="crm.stores", on=(("store_id", "store_id"),))
ORDERS = Hop(name="orders", table="crm.orders", on=(("customer_id", "customer_id"),))
#: What could end a literal or a statement somewhere, or be read as something else.
NASTY = "'\"`\\%_!*?[](){}:;$#@&-/\n\r\t\x01\x1a\x7f\u2028 .aAéÉß\u0301日😀"
TEXTS = st.text(st.sampled_from(NASTY), min_size=1, max_size=8) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8
)


def column(name: str, kind: Kind = Kind.TEXT, *hops: Hop) -> Column:
    return Column(name=name, kind=kind, hops=hops)


def compare(test: Test, *, of: Column | None = None, fold: Fold = Fold.NOTHING) -> Compare:
    return Compare(path="rules", column=of or column("city"), test=test, fold=fold)


def has(where: Node | None = None, *, at_least: int = 1, at_most: int | None = None) -> Has:
    return Has(path="rules", link=ORDERS, where=where, at_least=at_least, at_most=at_most)


def plan_of(*nodes: Node) -> Plan:
    outputs = (
        Output(name="recipient_id", column=column("customer_id", Kind.INTEGER)),
        Output(name="store_city", column=column("city", Kind.TEXT, STORE)),
    )
    steps = tuple(Step(words="a step", node=node) for node in nodes)
    return Plan(table="crm.customers", key="customer_id", outputs=outputs, steps=steps)


def plan_about(first: str, second: str, number: int) -> Plan:
    """All that a text can be compared by, in every place where a node can stand."""
    return plan_of(
        compare(OneOf((first, f"{second}.")), fold=Fold.BOTH),
        Except(path="rules", node=compare(Matches(first), of=column("name"))),
        has(compare(Holds(text=second, place=Place.START), of=column("status"))),
        Any(
            path="rules",
            nodes=(
                has(compare(Equals(first), of=column("status")), at_least=2),
                compare(Holds(text=first, place=Place.END), of=column("city", Kind.TEXT, STORE)),
                compare(Holds(text=second, place=Place.ANYWHERE), fold=Fold.ACCENTS),
                compare(Equals(number), of=column("age", Kind.INTEGER)),
            ),
        ),
        Aggregate(
            path="rules",
            link=ORDERS,
            function=Function.LAST,
            column=column("status"),
            order=column("ordered_at", Kind.MOMENT),
            key=(KeyPart(name="order_id"),),
            test=Equals(second),
        ),
    )


def wide_plan() -> Plan:
    age, at = column("age", Kind.INTEGER), column("seen", Kind.MOMENT)
    moment = datetime(2026, 3, 29, 1, 2, 3, 4, tzinfo=UTC)
    amount = column("amount", Kind.NUMBER)
    return plan_of(
        compare(Between(low=18, high=Decimal("25.5")), of=age),
        compare(Between(low=moment, has_low=False), of=at),
        compare(Between(low=moment.replace(tzinfo=None)), of=column("x", Kind.LOCAL_MOMENT)),
        compare(Equals(date(2026, 1, 31)), of=column("born", Kind.DATE)),
        compare(Anniversary(((2, 28), (2, 29))), of=column("born", Kind.DATE)),
        compare(Equals(value=True), of=column("is_vip", Kind.BOOLEAN)),
        compare(IsNull()),
        All(path="rules", nodes=()),
        Any(path="rules", nodes=()),
        has(at_least=0, at_most=2),
        *(
            Aggregate(
                path="rules",
                link=ORDERS,
                function=function,
                column=amount,
                where=compare(Equals("paid"), of=column("status")),
                test=Between(low=Decimal("-1.5"), has_low=False),
            )
            for function in (Function.SUM, Function.AVERAGE, Function.LEAST)
        ),
    )


def text_of(node: exp.Expr | None) -> str | None:
    """Compute the text that an expression of literals stands for; None for any other."""
    match node:
        case exp.Literal(this=text) if node.is_string:
            return str(text)
        case exp.National(this=text):
            return str(text)
        case exp.Chr() | exp.Anonymous(this="NCHAR"):
            return chr(int(node.expressions[0].this))
        case exp.Concat():
            pieces = [text_of(piece) for piece in node.expressions]
        case exp.DPipe() | exp.Add():
            pieces = [text_of(node.this), text_of(node.expression)]
        case _:
            return None
    return None if None in pieces else "".join(map(str, pieces))


def texts_in(tree: exp.Expr) -> Iterator[str]:
    for node in tree.walk(prune=lambda node: text_of(node) is not None):
        text = text_of(node)
        if text is not None:
            yield text


def masked(tree: exp.Expr) -> exp.Expr:
    """Put one mark for every value; of MySQL's folds, one for all its levels."""

    def mask(node: exp.Expr) -> exp.Expr:
        while isinstance(node, exp.RegexpReplace):
            node = node.this
        is_value = text_of(node) is not None or isinstance(node, exp.Literal)
        return exp.var("value") if is_value else node

    return tree.transform(mask)


def statements(plan: Plan, dialect: str) -> list[str]:
    repeated = repeated_links_sql(plan, dialect=dialect)
    found = [
        select_sql(plan, dialect=dialect, limit=20),
        steps_sql(plan, dialect=dialect),
    ]
    return found + ([repeated] if repeated else [])


@cache
def plain_shape(dialect: str, *, is_negative: bool) -> exp.Expr:
    plan = plan_about("first", "second", -1 if is_negative else 1)
    return masked(sqlglot.parse_one(select_sql(plan, dialect=dialect), dialect=dialect))


@settings(max_examples=12, deadline=None)
@given(first=TEXTS, second=TEXTS, number=st.integers(-(2**63), 2**63 - 1))
@pytest.mark.parametrize("dialect", Dialect)
def test_no_value_changes_the_shape_of_a_statement(
    dialect: str, first: str, second: str, number: int
) -> None:
    """Nor does one bring a backslash, which a server might read otherwise in another mode."""
    sql = select_sql(plan_about(first, second, number), dialect=dialect)

    shape = masked(sqlglot.parse_one(sql, dialect=dialect))
    assert plain_shape(dialect, is_negative=number < 0) == shape
    assert not set("\\\r\t\x01\x1a\x7f\0") & set(sql)


@settings(max_examples=12, deadline=None)
@given(first=TEXTS, second=TEXTS)
@pytest.mark.parametrize("dialect", Dialect)
def test_a_parser_reads_the_very_texts_of_the_rules(
    dialect: Dialect, first: str, second: str
) -> None:
    node = compare(OneOf((first, second + "2")))
    sql = select_sql(plan_of(node), dialect=dialect)
    stop = "." if dialect in PADDING else ""

    found = set(texts_in(sqlglot.parse_one(sql, dialect=dialect)))
    assert {first + stop, second + "2" + stop} <= found


@pytest.mark.parametrize("dialect", Dialect)
def test_what_is_written_is_read_back_the_same(dialect: str) -> None:
    for plan in (wide_plan(), plan_about("it's", "a\\b\n", 1)):
        for sql in statements(plan, dialect):
            tree = sqlglot.parse_one(sql, dialect=dialect)
            again = tree.sql(dialect=dialect, pretty=True)
            assert tree == sqlglot.parse_one(again, dialect=dialect)
            assert not list(tree.find_all(exp.Command, exp.Placeholder, exp.Parameter))


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("postgres", '"customers"."city" AS TEXT) COLLATE "C" = \'a\'\'b\' || CHR(92)'),
        ("sqlite", "\"customers\".\"city\" COLLATE BINARY = 'a''b' || CHAR(92)"),
        ("duckdb", '"customers"."city" AS TEXT) COLLATE "C" = \'a\'\'b\' || CHR(92)'),
        ("mysql", "AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_bin"),
        ("snowflake", "COLLATE(\"customers\".\"CITY\", 'utf8') = 'a' || CHR(39) || 'b' ||"),
        ("bigquery", "COLLATE(`customers`.`city`, '') = 'a' || CHR(39) || 'b' || CHR(92)"),
        ("redshift", "COLLATE(\"customers\".\"city\", 'case_sensitive') || '.' = 'a' || CHR(39)"),
        ("databricks", "CAST(CAST(`customers`.`city` AS BINARY) AS STRING) = 'a' || CHR(39)"),
        ("tsql", "COLLATE Latin1_General_100_BIN2 + N'.' = N'a''b' + NCHAR(92)"),
    ],
)
def test_texts_are_compared_by_code_point_in_each_database(dialect: str, words: str) -> None:
    assert words in select_sql(plan_of(compare(Equals("a'b\\"))), dialect=dialect)


@pytest.mark.parametrize(
    ("dialect", "value", "words"),
    [
        ("postgres", "moment", "CAST('2026-03-29 01:00:00+00:00' AS TIMESTAMPTZ)"),
        ("sqlite", "moment", ">= '2026-03-29 01:00:00.000000'"),
        ("mysql", "moment", "CONVERT_TZ(CAST('2026-03-29 01:00:00' AS DATETIME(6)), '+00:00',"),
        ("bigquery", "moment", "CAST('2026-03-29 01:00:00+00:00' AS TIMESTAMP)"),
        ("databricks", "local", "CAST('2026-03-29 01:00:00' AS TIMESTAMP_NTZ)"),
        ("tsql", "moment", "CAST('2026-03-29T01:00:00+00:00' AS DATETIMEOFFSET)"),
        ("tsql", "local", "CAST('2026-03-29T01:00:00' AS DATETIME2)"),
        ("snowflake", "local", "CAST('2026-03-29 01:00:00' AS TIMESTAMPNTZ)"),
        ("bigquery", "number", "CAST('0.1' AS NUMERIC)"),
        ("bigquery", "long", "CAST('0.0000000001' AS BIGNUMERIC)"),
        ("postgres", "number", ">= 0.1"),
    ],
)
def test_moments_and_numbers_are_written_as_each_database_means_them(
    dialect: str, value: str, words: str
) -> None:
    at = datetime(2026, 3, 29, 1, tzinfo=UTC)
    cases: dict[str, tuple[Value, Kind]] = {
        "moment": (at, Kind.MOMENT),
        "local": (at.replace(tzinfo=None), Kind.LOCAL_MOMENT),
        "number": (Decimal("0.1"), Kind.NUMBER),
        "long": (Decimal("1E-10"), Kind.NUMBER),
    }
    low, kind = cases[value]
    node = compare(Between(low=low), of=column("x", kind))
    assert words in select_sql(plan_of(node), dialect=dialect)


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("postgres", "LIKE '[a]!_!%!!%_' ESCAPE '!'"),
        ("databricks", "LIKE '[a]!_!%!!%_' ESCAPE '!'"),
        ("tsql", "LIKE N'![a]!_!%!!%_' ESCAPE '!'"),
        ("bigquery", "LIKE '[a]' || CHR(92) || '_' || CHR(92) || '%!%_'"),
        ("sqlite", "GLOB '[[]a]_%!*?'"),
    ],
)
def test_of_a_pattern_only_what_is_special_is_escaped(dialect: str, words: str) -> None:
    """Databricks and BigQuery refuse more."""
    assert words in select_sql(plan_of(compare(Matches("[a]_%!*?"))), dialect=dialect)


def test_a_person_without_a_text_is_the_exception_from_an_exception() -> None:
    except_paris = Except(path="rules", node=compare(Equals("Paris")))
    sql = select_sql(plan_of(except_paris), dialect="sqlite")
    assert '<> \'Paris\' OR "customers"."city" IS NULL' in sql


def test_several_linked_rows_are_counted_once_for_all_people() -> None:
    """By one grouped query that is joined, never by a query for each person."""
    sql = select_sql(plan_of(has(at_least=2)), dialect="postgres")
    assert 'JOIN (\n  SELECT\n    "orders"."customer_id"' in sql
    assert "COUNT(*) >= 2" in sql


def test_names_in_small_letters_are_capitals_to_snowflake() -> None:
    sql = select_sql(plan_of(), dialect="snowflake")
    assert 'FROM "CRM"."CUSTOMERS" AS "customers"' in sql
    assert 'AS "recipient_id"' in sql


@pytest.mark.parametrize("name", ["a\\b", "a\nb", ""])
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    with pytest.raises(AudienceError, match="name of a table or column"):
        select_sql(plan_of(compare(IsNull(), of=column(name))), dialect="postgres")


@pytest.mark.parametrize("dialect", sorted(set(Dialect) - {Dialect.BIGQUERY}))
def test_a_quote_in_a_name_stays_in_the_name(dialect: str) -> None:
    name = "a\"b`c]d'e -- "
    sql = select_sql(plan_of(compare(IsNull(), of=column(name))), dialect=dialect)
    tree = sqlglot.parse_one(sql, dialect=dialect)
    assert name in {found.name for found in tree.find_all(exp.Column)}


@pytest.mark.parametrize("text", ["a\0b", "a\ud800"])
def test_a_text_that_no_database_takes_is_refused(text: str) -> None:
    with pytest.raises(AudienceError, match="cannot be written"):
        select_sql(plan_of(compare(Equals(text))), dialect="postgres")


@pytest.mark.parametrize("number", [10**38, Decimal("1E-39"), Decimal("NaN")])
def test_a_number_longer_than_databases_have_is_refused(number: int | Decimal) -> None:
    node = compare(Equals(number), of=column("age", Kind.NUMBER))
    with pytest.raises(AudienceError, match="too long"):
        select_sql(plan_of(node), dialect="duckdb")


def test_a_long_text_is_not_cut_off_by_sql_server() -> None:
    sql = select_sql(plan_of(compare(Equals("x\n" * 3000))), dialect="tsql")
    assert "CAST(N'x' AS NVARCHAR(MAX)) + NCHAR(10)" in sql


def test_types_of_connections_have_a_dialect() -> None:
    found = {dialect_of(name) for name in ("postgres", "mssql", "gcpbigquery", "sqlite")}
    assert found == {Dialect.POSTGRES, Dialect.TSQL, Dialect.BIGQUERY, Dialect.SQLITE}


def test_a_connection_that_is_no_database_names_those_that_are() -> None:
    with pytest.raises(AudienceError) as caught:
        dialect_of("postgre")
    assert caught.value.facts["near"] == ["postgres"]


def test_a_plan_without_links_to_one_row_needs_no_check() -> None:
    plan = Plan(table="t", key="id", outputs=(), steps=())
    assert repeated_links_sql(plan, dialect="postgres") is None


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("name", ["a\\", "a\nb", "a\0"])
def test_names_of_links_and_outputs_cannot_end_their_quotes(dialect: str, name: str) -> None:
    """Some databases read a backslash in a quoted name as the start of another character."""
    key = Column(name="id", kind=Kind.TEXT)
    link = Hop(name=name, table="orders", on=(("id", "id"),))
    odd = Plan(table="t", key="id", outputs=(Output(name=name, column=key),), steps=())
    step = Step(words="", node=Has(path="rules", link=link))

    for plan in (odd, replace(odd, outputs=(), steps=(step,))):
        with pytest.raises(AudienceError, match="cannot be the name"):
            select_sql(plan, dialect=dialect)
