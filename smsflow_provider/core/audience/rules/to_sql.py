"""
Rules as SQL of one database: one statement, all values in it, none of them able to change it.

The statement is built as a tree and written by sqlglot, never put together from pieces of text.
Every name is quoted, every value is a literal that all modes of its server read alike. It is
meant for drivers that are given no parameters, so no per cent sign is doubled.

People come in the order of their key, so that the same people make the same fingerprint. The
database sorts them, or reads an index of the key: of a million, that is a second at most.

Where a link should lead to one row and the database has several for one key, nobody is found:
such rows would multiply people, and nobody could say which of them counts. ``repeated_links_sql``
tells which links it is.

What databases make different all the same: keys of links are compared by the database's own
equality, so that its indexes serve (in MySQL and SQL Server mostly without case); NaN in a column
of floating point numbers is a value to it; of rows that tie for being the last, texts in a key
that the dimension does not declare are ordered by its collation.
"""

from __future__ import annotations

from sqlglot import ErrorLevel, exp

from smsflow_provider.core.audience.rules.dialects import Dialect
from smsflow_provider.core.audience.rules.plan import Kind, Plan
from smsflow_provider.core.audience.rules.to_sql_scope import Scope, ordered, repeats
from smsflow_provider.core.audience.rules.to_sql_statement import Statement, named, nested
from smsflow_provider.core.audience.rules.to_sql_text import exact


def select_sql(plan: Plan, *, dialect: str, limit: int | None = None) -> str:
    """
    Write the statement that reads the people of a plan: its outputs, in the order of the key.

    Args:
        plan: Who.
        dialect: Name of a ``Dialect``.
        limit: The first so many only.

    Raises:
        AudienceError: A name or a value cannot be written for this database.

    Example:
        >>> from smsflow_provider.core.audience.rules.plan import (
        ...     Column, Compare, Equals, Output, Step
        ... )
        >>> city, number = (Column(name=name, kind=Kind.TEXT) for name in ("city", "id"))
        >>> is_paris = Compare(path="rules", column=city, test=Equals("Paris"))
        >>> plan = Plan(
        ...     table="crm.customers",
        ...     key="id",
        ...     outputs=(Output(name="recipient_id", column=number),),
        ...     steps=(Step(words="city equals Paris", node=is_paris),),
        ... )
        >>> print(select_sql(plan, dialect="sqlite"))
        SELECT
          "customers"."id" AS "recipient_id"
        FROM "crm"."customers" AS "customers"
        WHERE
          "customers"."city" COLLATE BINARY = 'Paris'
        ORDER BY
          "customers"."id" COLLATE BINARY ASC
    """
    statement, people = _people(plan, dialect)
    for output in plan.outputs:
        statement.check(output.name)
    columns = [named(people.column(output.column), output.name) for output in plan.outputs]
    for node in plan.nodes():
        people.require(node)
    select = people.select(*columns, where=_guards(statement))
    key = ordered(_key_of(plan, people, statement), dialect=statement.dialect)
    select = select.order_by(key, copy=False)
    return _written(select if limit is None else select.limit(limit, copy=False), statement)


def steps_sql(plan: Plan, *, dialect: str) -> str:
    """
    Write the statement that counts who is left after each step.

    One row: everyone, who is left after the first step, after the first two, and so on. Each step
    is looked at once, and only for whom the steps before left.

    Args:
        plan: Who.
        dialect: Name of a ``Dialect``.

    Raises:
        AudienceError: As ``select_sql``.
    """
    statement, people = _people(plan, dialect)
    failed = exp.Case(
        ifs=[
            exp.If(this=people.truth(node, is_opposite=True), true=exp.Literal.number(place))
            for place, node in enumerate(plan.nodes())
        ],
        default=exp.Literal.number(len(plan.steps)),
    )
    for output in plan.outputs:
        people.column(output.column)
    passed = failed if plan.steps else exp.Literal.number(0)
    each = people.select(named(passed, "passed"), where=_guards(statement))
    column, rows = _of("people", "passed"), exp.Count(this=exp.Star())
    groups = exp.Select(expressions=[column, named(rows, "people")])
    groups = groups.from_(nested(each, "people"), copy=False).group_by(column.copy())
    counts = [_left(place) for place in range(len(plan.steps) + 1)]
    return _written(exp.Select(expressions=counts).from_(nested(groups, "counted")), statement)


def repeated_links_sql(plan: Plan, *, dialect: str) -> str | None:
    """
    Write the statement that finds links which should lead to one row, and lead to several.

    One row for each link of the plan to one row: its name, and the number of keys that are there
    more than once. Every number must be 0, or the plan finds nobody.

    Args:
        plan: Who.
        dialect: Name of a ``Dialect``.

    Returns:
        The statement; None if the plan walks no such link.

    Raises:
        AudienceError: As ``select_sql``.
    """
    statement, people = _people(plan, dialect)
    for output in plan.outputs:
        people.column(output.column)
    for node in plan.nodes():
        people.truth(node)
    counts: list[exp.Select] = []
    for (table, keys), name in statement.ones.items():
        found = repeats(statement, table=table, keys=keys, wish=name)
        found.expressions[0].replace(named(exp.Literal.number(1), "found"))
        link = named(exp.Literal.string(name), "link")
        number = named(exp.Count(this=exp.Star()), "keys")
        rows = nested(found, statement.name(f"{name}_repeated"))
        counts.append(exp.Select(expressions=[link, number]).from_(rows))
    if not counts:
        return None
    return _written(exp.union(*counts, distinct=False) if counts[1:] else counts[0], statement)


def _people(plan: Plan, dialect: str) -> tuple[Statement, Scope]:
    statement = Statement(Dialect(dialect))
    return statement, Scope(
        statement, plan.table, wish=plan.table.rpartition(".")[2], is_nested=False
    )


def _guards(statement: Statement) -> list[exp.Expr]:
    """Find nobody if a link that should lead to one row leads to several."""
    return [
        exp.not_(
            exp.Exists(this=repeats(statement, table=table, keys=keys, wish=f"{name}_repeated")),
            copy=False,
        )
        for (table, keys), name in statement.ones.items()
    ]


def _key_of(plan: Plan, people: Scope, statement: Statement) -> exp.Expr:
    kinds = {o.column.kind for o in plan.outputs if o.column.name == plan.key and not o.column.hops}
    key = people.own(plan.key)
    return exact(key, dialect=statement.dialect) if kinds == {Kind.TEXT} else key


def _of(table: str, name: str) -> exp.Column:
    return exp.Column(
        this=exp.to_identifier(name, quoted=True), table=exp.to_identifier(table, quoted=True)
    )


def _left(place: int) -> exp.Expr:
    """Add up who passed so many steps."""
    people: exp.Expr = _of("counted", "people")
    if place:
        passed = exp.GTE(this=_of("counted", "passed"), expression=exp.Literal.number(place))
        ifs = [exp.If(this=passed, true=people)]
        people = exp.Case(ifs=ifs, default=exp.Literal.number(0))
    some = exp.Coalesce(this=exp.Sum(this=people), expressions=[exp.Literal.number(0)])
    return named(some, f"after_{place}" if place else "everyone")


def _written(query: exp.Query, statement: Statement) -> str:
    return query.sql(
        dialect=statement.dialect, pretty=True, unsupported_level=ErrorLevel.RAISE, copy=False
    )
