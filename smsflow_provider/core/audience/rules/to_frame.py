"""
Rules carried out over frames: the same people as the same plan finds in a database.

What a node means is said in ``plan``. Beyond that, of frames: NaN is an empty value; parts of
seconds finer than microseconds are cut off; an average is a floating point number; and where a
link leads to one row, several are an error, as is a person that is there twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from operator import and_
from typing import Any as Anything

import polars as pl

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
    Kind,
    Node,
    Plan,
)
from smsflow_provider.core.audience.rules.to_frame_tables import Tables, tables_of
from smsflow_provider.core.audience.rules.to_frame_tests import passes
from smsflow_provider.core.audience.rules.to_frame_types import Cells, cells_of, matched, orderly


def select_frame(plan: Plan, tables: Mapping[str, Anything]) -> pl.DataFrame:
    """
    Find the people of a plan in frames.

    Args:
        plan: Who.
        tables: A frame for each table of the plan, by its name there: a pandas ``DataFrame``,
            which is copied, or a ``DataFrame`` or ``LazyFrame`` of polars. Only the columns that
            the plan names are read.

    Returns:
        The plan's outputs in its order, one row a person, in the order of the key. Values keep
        the types of the frames.

    Raises:
        AudienceError: A table or a column is missing, or holds what the rules cannot compare;
            all problems.

    Example:
        >>> from smsflow_provider.core.audience.rules.plan import Equals, Output, Step
        >>> city, number = (Column(name=name, kind=Kind.TEXT) for name in ("city", "id"))
        >>> is_paris = Compare(path="rules", column=city, test=Equals("Paris"))
        >>> plan = Plan(
        ...     table="crm.customers",
        ...     key="id",
        ...     outputs=(Output(name="recipient_id", column=number),),
        ...     steps=(Step(words="city equals Paris", node=is_paris),),
        ... )
        >>> people = pl.DataFrame({"id": ["c3", "c1", "c2"], "city": ["Paris", "Paris", None]})
        >>> select_frame(plan, {"crm.customers": people}).rows()
        [('c1',), ('c3',)]
    """
    scope = _Scope(tables_of(plan, tables), plan.table)
    truths = [scope.truth(node) for node in plan.nodes()]
    found = {output.name: scope.raw(output.column) for output in plan.outputs}
    key, dtype = scope.raw(Column(name=plan.key, kind=Kind.TEXT))
    return (
        scope.frame.filter(reduce(and_, truths, pl.lit(value=True)))
        .sort(orderly(key, dtype))
        .select(**{name: column for name, (column, _) in found.items()})
        .collect()
    )


def count_steps(plan: Plan, tables: Mapping[str, Anything]) -> tuple[int, ...]:
    """
    Count who is left after each step of a plan.

    Args:
        plan: Who.
        tables: As for ``select_frame``.

    Returns:
        Everyone, who is left after the first step, after the first two, and so on.

    Raises:
        AudienceError: As ``select_frame``.
    """
    scope = _Scope(tables_of(plan, tables), plan.table)
    truths = [scope.truth(node) for node in plan.nodes()]
    # Columns first: a bare true is one row and not as many as there are people.
    columns = {f"step:{number}": truth for number, truth in enumerate(truths)}
    left = [
        pl.all_horizontal(*list(columns)[: number + 1]).sum().alias(name)
        for number, name in enumerate(columns)
    ]
    counts = scope.frame.with_columns(**columns).select(pl.len(), *left).collect()
    return tuple(int(count) for count in counts.row(0))


class _Scope:
    """
    A table as nodes see it, with all that was joined to it so far.

    Its columns are called ``{join}:{column}``; the table itself is join 0. Joins are made when
    somebody asks for a column, each once, and never change the number of rows.
    """

    def __init__(self, tables: Tables, table: str) -> None:
        self._tables = tables
        self._joined: dict[tuple[Hop, ...], int] = {(): 0}
        self._table_of: dict[tuple[Hop, ...], str] = {(): table}
        self._asides = 0
        self.frame = self._numbered(table, 0)

    def _numbered(self, table: str, number: int) -> pl.LazyFrame:
        return self._tables.frames[table].select(pl.all().name.prefix(f"{number}:"))

    def raw(self, column: Column) -> tuple[pl.Expr, pl.DataType]:
        """Find a column as the frame has it, and its type."""
        number = self._join(column.hops)
        dtype = self._tables.dtype(self._table_of[column.hops], column.name)
        return pl.col(f"{number}:{column.name}"), dtype

    def cells(self, column: Column) -> Cells:
        """Find a column in the form in which it is compared."""
        found, dtype = self.raw(column)
        return cells_of(found, dtype, kind=column.kind)

    def _join(self, hops: tuple[Hop, ...]) -> int:
        if hops not in self._joined:
            before, hop = self._join(hops[:-1]), hops[-1]
            number = len(self._joined)
            self._joined[hops], self._table_of[hops] = number, hop.table
            here, there = self._keys(hops[:-1], hop, here=before, there=number)
            right = self._numbered(hop.table, number).with_columns(**there)
            left = self.frame.with_columns(**here)
            self.frame = left.join(right, on=list(there), how="left").drop(list(there))
        return self._joined[hops]

    def _keys(
        self, hops: tuple[Hop, ...], hop: Hop, *, here: int, there: int
    ) -> tuple[dict[str, pl.Expr], dict[str, pl.Expr]]:
        """Bring both sides of a link to one type, under one name."""
        ours: dict[str, pl.Expr] = {}
        theirs: dict[str, pl.Expr] = {}
        for place, (one, other) in enumerate(hop.on):
            mine = self._tables.dtype(self._table_of[hops], one)
            its = self._tables.dtype(hop.table, other)
            ours[f"on:{place}"] = matched(pl.col(f"{here}:{one}"), mine, other=its)
            theirs[f"on:{place}"] = matched(pl.col(f"{there}:{other}"), its, other=mine)
        return ours, theirs

    def truth(self, node: Node) -> pl.Expr:
        """Write a node as a condition on `frame`, true or false and never empty."""
        match node:
            case Compare(column=column, test=test, is_negated=is_negated, fold=fold):
                return passes(self.cells(column), test, is_negated=is_negated, fold=fold)
            case All(nodes=nodes):
                return pl.all_horizontal(pl.lit(value=True), *map(self.truth, nodes))
            case Any(nodes=nodes):
                return pl.any_horizontal(pl.lit(value=False), *map(self.truth, nodes))
            case Except(node=inner):
                return ~self.truth(inner)
            case Has():
                return self._has(node)
            case Aggregate():
                return self._aggregate(node)

    def _has(self, node: Has) -> pl.Expr:
        linked = _Scope(self._tables, node.link.table)
        count = self._beside(linked, pl.len(), link=node.link, where=node.where).fill_null(0)
        enough = count >= node.at_least
        return enough if node.at_most is None else enough & (count <= node.at_most)

    def _aggregate(self, node: Aggregate) -> pl.Expr:
        linked = _Scope(self._tables, node.link.table)
        found = linked.computed(node)
        column = self._beside(linked, found.expression, link=node.link, where=node.where)
        if node.function in {Function.COUNT, Function.SUM}:
            column = column.fill_null(0)
        cells = replace(found, expression=column)
        return passes(cells, node.test, is_negated=node.is_negated, fold=node.fold)

    def computed(self, node: Aggregate) -> Cells:
        """Write what rows of this scope come to, for groups of them."""
        if node.function is Function.COUNT or node.column is None:
            return Cells(expression=pl.len(), kind=Kind.INTEGER, scale=0)
        cells = self.cells(node.column)
        match node.function:
            case Function.LEAST:
                return replace(cells, expression=cells.expression.min())
            case Function.GREATEST:
                return replace(cells, expression=cells.expression.max())
            case Function.LAST:
                return replace(cells, expression=self._last(cells.expression, node))
            case Function.AVERAGE:
                return Cells(expression=_average(cells), kind=Kind.NUMBER)
        return replace(cells, expression=_total(cells))

    def _last(self, values: pl.Expr, node: Aggregate) -> pl.Expr:
        if node.order is None:
            raise AssertionError(node.path)
        order = self.cells(node.order).expression
        raws = [self.raw(Column(name=part.name, kind=Kind.TEXT)) for part in node.key]
        ties = [orderly(column, dtype) for column, dtype in raws]
        is_dated = order.is_not_null()
        by = [one.filter(is_dated) for one in (order, *ties)]
        return values.filter(is_dated).sort_by(by).last()

    def _beside(
        self, linked: _Scope, computed: pl.Expr, *, link: Hop, where: Node | None
    ) -> pl.Expr:
        """Join what linked rows come to; without such rows it is empty."""
        truth = pl.lit(value=True) if where is None else linked.truth(where)
        here, there = self._keys((), link, here=0, there=0)
        self._asides += 1
        name = f"beside:{self._asides}"
        keyed = linked.frame.filter(truth).with_columns(**there)
        groups = keyed.group_by(list(there)).agg(computed.alias(name))
        left = self.frame.with_columns(**here)
        self.frame = left.join(groups, on=list(there), how="left").drop(list(there))
        return pl.col(name)


def _total(cells: Cells) -> pl.Expr:
    """Add up; whole numbers in a type that a billion of the largest do not overflow."""
    if cells.scale is None:
        return cells.expression.sum()
    return cells.expression.cast(pl.Int128).sum()


def _average(cells: Cells) -> pl.Expr:
    """Divide once, so that the result is the nearest floating point number."""
    count = cells.expression.count()
    parts = count.cast(pl.Int128) * 10 ** (cells.scale or 0)
    return pl.when(count > 0).then(_total(cells) / parts)
