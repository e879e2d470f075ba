"""One table of a statement with what is joined to it, and nodes as conditions on its rows."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import Dialect as SqlglotDialect
from sqlglot import exp

from smsflow_provider.core.audience.rules.dialects import Dialect
from smsflow_provider.core.audience.rules.plan import (
    Aggregate,
    All,
    Any,
    Column,
    Compare,
    Except,
    Function,
    Has,
    Hop,
    KeyPart,
    Kind,
    Node,
)
from smsflow_provider.core.audience.rules.to_sql_statement import (
    Statement,
    is_not_null,
    is_null,
    nested,
)
from smsflow_provider.core.audience.rules.to_sql_tests import Subject, passes, passes_by_itself
from smsflow_provider.core.audience.rules.to_sql_text import exact
from smsflow_provider.core.audience.rules.to_sql_values import comparable

#: Conditions that are joined in one go.
_ROW = 100


class Scope:
    """
    A table, the joins to it, and the conditions its rows must pass.

    Joins never change how many rows there are but to leave some out: links to one row are joined
    as they are (see ``repeats``), all others as a set of keys, each of them once.

    Args:
        statement: What it belongs to.
        table: As the database calls it.
        wish: The name it should have in the statement.
        is_nested: It is not the table of the people.
    """

    def __init__(
        self, statement: Statement, table: str, *, wish: str, is_nested: bool = True
    ) -> None:
        self._statement = statement
        self._dialect = statement.dialect
        self._prefix = f"{wish}_" if is_nested else ""
        self.alias = statement.name(wish)
        self._from = statement.table(table, alias=self.alias)
        self._joins: list[exp.Join] = []
        self._aliases: dict[tuple[Hop, ...], str] = {(): self.alias}
        self._conditions: list[exp.Expr] = []

    def select(self, *columns: exp.Expr, where: Sequence[exp.Expr] = ()) -> exp.Select:
        """Put all of it together; *where* is added to the conditions."""
        select = exp.Select(expressions=list(columns)).from_(self._from, copy=False)
        for join in self._joins:
            select.append("joins", join)
        conditions = [*self._conditions, *where]
        return select.where(_joined(conditions, is_all=True), copy=False) if conditions else select

    def column(self, column: Column) -> exp.Column:
        """Write a column, walking links to one row."""
        alias = self._walk(column.hops)
        return self._statement.column(column.name, alias=alias)

    def own(self, name: str) -> exp.Column:
        """Write a column of the table itself."""
        return self._statement.column(name, alias=self.alias)

    def _walk(self, hops: tuple[Hop, ...]) -> str:
        if hops not in self._aliases:
            here, hop = self._walk(hops[:-1]), hops[-1]
            alias = self._statement.name(f"{self._prefix}{hop.name}")
            self._aliases[hops] = alias
            self._statement.ones[hop.table, tuple(there for _, there in hop.on)] = hop.name
            table = self._statement.table(hop.table, alias=alias)
            self._join(table, on=[self._equal(hop.on, here, alias)], side="LEFT")
        return self._aliases[hops]

    def _equal(self, on: Sequence[tuple[str, str]], here: str, there: str) -> exp.Expr:
        column = self._statement.column
        pairs = [
            exp.EQ(this=column(two, alias=there), expression=column(one, alias=here))
            for one, two in on
        ]
        return exp.and_(*pairs, copy=False)

    def _join(self, source: exp.Expr, *, on: list[exp.Expr], side: str) -> None:
        join = exp.Join(this=source, on=exp.and_(*on, copy=False))
        if side:
            join.set("side", side)
        self._joins.append(join)

    def require(self, node: Node, *, is_opposite: bool = False) -> None:
        """Leave out the rows of which *node* is not true; with *is_opposite*, of which it is."""
        match node:
            case Except(node=inner):
                self.require(inner, is_opposite=not is_opposite)
            case All(nodes=nodes) if not is_opposite:
                for one in nodes:
                    self.require(one)
            case Any(nodes=nodes) if is_opposite:
                for one in nodes:
                    self.require(one, is_opposite=True)
            case Has(at_least=1, at_most=None) | Has(at_least=0, at_most=0):
                has_some = (node.at_least == 1) != is_opposite
                self._conditions.append(self._exists(node, has_some=has_some))
            case Has() | Aggregate():
                self._require_linked(node, is_opposite=is_opposite)
            case _:
                self._conditions.append(self.truth(node, is_opposite=is_opposite))

    def truth(self, node: Node, *, is_opposite: bool = False) -> exp.Expr:
        """
        Write *node* as a condition: true where it is true, and false or unknown elsewhere.

        Args:
            node: About this table.
            is_opposite: The other way round: true where it is not true.
        """
        match node:
            case Compare():
                subject = Subject(
                    value=self.column(node.column),
                    kind=node.column.kind,
                    dialect=self._dialect,
                    fold=node.fold,
                )
                negated = node.is_negated
                return passes(subject, node.test, is_negated=negated, is_opposite=is_opposite)
            case Except(node=inner):
                return self.truth(inner, is_opposite=not is_opposite)
            case All(nodes=nodes) | Any(nodes=nodes):
                is_all = isinstance(node, All) != is_opposite
                truths = [self.truth(one, is_opposite=is_opposite) for one in nodes]
                return _joined(truths, is_all=is_all)
            case Has() | Aggregate():
                return self._linked(node, is_opposite=is_opposite)

    def _exists(self, node: Has, *, has_some: bool) -> exp.Expr:
        linked = Scope(self._statement, node.link.table, wish=node.link.name)
        linked._conditions.append(self._equal(node.link.on, self.alias, linked.alias))
        if node.where is not None:
            linked.require(node.where)
        found = exp.Exists(this=linked.select(exp.Literal.number(1)))
        return found if has_some else exp.not_(found, copy=False)

    def _require_linked(self, node: Has | Aggregate, *, is_opposite: bool) -> None:
        if _is_certain(node):
            self._conditions.append(self._linked(node, is_opposite=is_opposite))
            return
        is_in = not _passes_without_rows(node)
        if is_in == is_opposite:
            self._conditions.append(self._linked(node, is_opposite=is_opposite))
        else:
            self._join_keys(node, side="")

    def _linked(self, node: Has | Aggregate, *, is_opposite: bool) -> exp.Expr:
        """
        Join the keys whose linked rows decide otherwise than no rows would, and look who is there.

        So a hash join does it, and nothing is computed row by row.
        """
        if _is_certain(node):
            return exp.false() if is_opposite else exp.true()
        there = self._join_keys(node, side="LEFT")
        is_missing = _passes_without_rows(node) != is_opposite
        return is_null(there) if is_missing else is_not_null(there)

    def _join_keys(self, node: Has | Aggregate, *, side: str) -> exp.Expr:
        alias = self._statement.name(f"{node.link.name}_{_word_of(node)}")
        keys = nested(_keys_of(self._statement, node), alias)
        self._join(keys, on=[self._equal(node.link.on, self.alias, alias)], side=side)
        return self._statement.column(node.link.on[0][1], alias=alias)


def _joined(truths: list[exp.Expr], *, is_all: bool) -> exp.Expr:
    if not truths:
        return exp.true() if is_all else exp.false()
    joined = exp.and_ if is_all else exp.or_
    while len(truths) > _ROW:
        # In rows of some, so that no database finds them too deep.
        rows = [truths[first : first + _ROW] for first in range(0, len(truths), _ROW)]
        truths = [exp.paren(joined(*row, copy=False), copy=False) for row in rows]
    return joined(*truths, copy=False)


def _is_certain(node: Has | Aggregate) -> bool:
    """Tell whether any number of rows will do."""
    return isinstance(node, Has) and node.at_least == 0 and node.at_most is None


def _passes_without_rows(node: Has | Aggregate) -> bool:
    if isinstance(node, Has):
        return node.at_least == 0
    nothing = 0 if node.function in {Function.COUNT, Function.SUM} else None
    return passes_by_itself(nothing, node.test, is_negated=node.is_negated)


def _word_of(node: Has | Aggregate) -> str:
    return "count" if isinstance(node, Has) else node.function.value


def _keys_of(statement: Statement, node: Has | Aggregate) -> exp.Select:
    """Select the keys whose rows decide otherwise than no rows would, each once."""
    linked = Scope(statement, node.link.table, wish=node.link.name)
    if node.where is not None:
        linked.require(node.where)
    keys = [linked.own(there) for there in dict.fromkeys(there for _, there in node.link.on)]
    if isinstance(node, Aggregate) and node.function is Function.LAST:
        return _keys_of_last(statement, linked, node, keys)
    if isinstance(node, Has):
        condition = _counted(node)
    else:
        condition = _decides(_computed(linked, node, dialect=statement.dialect), node)
    grouped = linked.select(*keys).group_by(*keys)
    return grouped.having(condition, copy=False) if condition else grouped


def _counted(node: Has) -> exp.Expr | None:
    rows = exp.Count(this=exp.Star())
    if node.at_least == 0:
        return exp.GT(this=rows, expression=_number(node.at_most)) if node.at_most else None
    limits: list[exp.Expr] = []
    if node.at_least > 1:
        limits.append(exp.GTE(this=rows.copy(), expression=_number(node.at_least)))
    if node.at_most is not None:
        limits.append(exp.LTE(this=rows.copy(), expression=_number(node.at_most)))
    return exp.and_(*limits, copy=False) if limits else None


def _number(value: int) -> exp.Expr:
    return exp.Literal.number(value)


def _decides(subject: Subject, node: Aggregate) -> exp.Expr:
    is_opposite = _passes_without_rows(node)
    return passes(subject, node.test, is_negated=node.is_negated, is_opposite=is_opposite)


def _computed(linked: Scope, node: Aggregate, *, dialect: Dialect) -> Subject:
    """Write what the rows of a key come to."""
    if node.column is None:
        return Subject(value=exp.Count(this=exp.Star()), kind=Kind.INTEGER, dialect=dialect)
    kind, column = node.column.kind, linked.column(node.column)
    if node.function in {Function.SUM, Function.AVERAGE}:
        return _summed(column, node, dialect=dialect)
    value = _ordered_value(column, kind=kind, dialect=dialect)
    extreme = exp.Min if node.function is Function.LEAST else exp.Max
    return Subject(
        value=extreme(this=value), kind=kind, dialect=dialect, fold=node.fold, is_ready=True
    )


def _summed(column: exp.Column, node: Aggregate, *, dialect: Dialect) -> Subject:
    value: exp.Expr = column
    if dialect is Dialect.TSQL and node.column and node.column.kind is Kind.INTEGER:
        # Its sum of INT is an INT, and soon too large for one.
        value = exp.cast(column, "DECIMAL(38, 0)")
    total: exp.Expr = exp.Sum(this=value)
    if node.function is Function.AVERAGE:
        values = exp.Count(this=column.copy())
        return Subject(value=total, kind=Kind.NUMBER, dialect=dialect, count=values)
    total = exp.Coalesce(this=total, expressions=[exp.Literal.number(0)])
    return Subject(value=total, kind=Kind.NUMBER, dialect=dialect)


def _ordered_value(column: exp.Expr, *, kind: Kind, dialect: Dialect) -> exp.Expr:
    if kind is Kind.TEXT:
        return exact(column, dialect=dialect)
    return comparable(column, kind=kind, dialect=dialect)


def _keys_of_last(
    statement: Statement, linked: Scope, node: Aggregate, keys: list[exp.Column]
) -> exp.Select:
    name = statement.name(f"{node.link.name}_values")
    subject = Subject(
        value=statement.column("smsflow_value", alias=name),
        kind=node.column.kind if node.column else Kind.TEXT,
        dialect=statement.dialect,
        fold=node.fold,
    )
    first = statement.column("smsflow_place", alias=name)
    is_last = exp.EQ(this=first, expression=exp.Literal.number(1))
    values = nested(_ranked(statement, linked, node, keys), name)
    alias = exp.to_identifier(name, quoted=True)
    outer = [exp.Column(this=key.this.copy(), table=alias.copy()) for key in keys]
    select = exp.Select(expressions=outer).from_(values, copy=False)
    return select.where(is_last, _decides(subject, node), copy=False)


def _key_part(linked: Scope, part: KeyPart, *, dialect: Dialect) -> exp.Expr:
    column = linked.own(part.name)
    return column if part.kind is None else _ordered_value(column, kind=part.kind, dialect=dialect)


def _aliased(statement: Statement, value: exp.Expr, name: str) -> exp.Expr:
    return exp.Alias(this=value, alias=statement.identifier(name))


def _ranked(
    statement: Statement, linked: Scope, node: Aggregate, keys: list[exp.Column]
) -> exp.Select:
    """Number the rows of each key, the last first; rows without an order are left out."""
    if node.order is None or node.column is None:
        raise AssertionError(node.path)
    value = linked.column(node.column)
    order = linked.column(node.order)
    by = _ordered_value(order, kind=node.order.kind, dialect=statement.dialect)
    columns = [by, *(_key_part(linked, part, dialect=statement.dialect) for part in node.key)]
    falling = [ordered(one, dialect=statement.dialect, is_falling=True) for one in columns]
    place = exp.Window(
        this=exp.RowNumber(),
        partition_by=[key.copy() for key in keys],
        order=exp.Order(expressions=falling),
    )
    return linked.select(
        *keys,
        _aliased(statement, value, "smsflow_value"),
        _aliased(statement, place, "smsflow_place"),
        where=[is_not_null(by)],
    )


def ordered(value: exp.Expr, *, dialect: Dialect, is_falling: bool = False) -> exp.Expr:
    """Order by what is never empty: so nothing is said of empty values."""
    nulls = SqlglotDialect.get_or_raise(dialect.value).NULL_ORDERING
    first = {"nulls_are_small": not is_falling, "nulls_are_large": is_falling}.get(nulls, False)
    return exp.Ordered(this=value, desc=is_falling, nulls_first=first)


def repeats(statement: Statement, *, table: str, keys: tuple[str, ...], wish: str) -> exp.Select:
    """Select the keys of a table that several rows have, though a link leads to one row."""
    scope = Scope(statement, table, wish=wish)
    columns = [scope.own(name) for name in keys]
    several = exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(1))
    there = [is_not_null(column) for column in columns]
    found = scope.select(exp.Literal.number(1), where=there)
    return found.group_by(*columns).having(several, copy=False)
