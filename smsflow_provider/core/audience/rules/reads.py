"""What a plan reads: columns of tables, and links between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from smsflow_provider.core.audience.rules import plan as rules


@dataclass(frozen=True, slots=True)
class Need:
    """A column that a plan reads."""

    table: str
    column: str
    #: What the rules take it for; None where any type will do.
    kind: rules.Kind | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """A link that a plan walks, from one table to another."""

    table: str
    hop: rules.Hop
    #: It leads to one row: no two rows there belong to one here.
    is_one: bool


def reads_of(plan: rules.Plan) -> Iterator[Need | Walk]:
    """
    Give every column and every link that *plan* reads, those for outputs too; some twice.

    Example:
        >>> phone = rules.Column(name="phone", kind=rules.Kind.TEXT)
        >>> outputs = (rules.Output(name="phone", column=phone),)
        >>> found = reads_of(rules.Plan(table="people", key="id", outputs=outputs, steps=()))
        >>> [each.column for each in found]
        ['id', 'phone']
    """
    yield Need(plan.table, plan.key)
    for output in plan.outputs:
        yield from _of_column(plan.table, output.column, is_typed=False)
    for node in plan.nodes():
        yield from _of_node(plan.table, node)


def _of_column(table: str, column: rules.Column, *, is_typed: bool = True) -> Iterator[Need | Walk]:
    for hop in column.hops:
        yield from _of_hop(table, hop, is_one=True)
        table = hop.table
    yield Need(table, column.name, column.kind if is_typed else None)


def _of_hop(table: str, hop: rules.Hop, *, is_one: bool) -> Iterator[Need | Walk]:
    yield Walk(table, hop, is_one)
    for here, there in hop.on:
        yield from (Need(table, here), Need(hop.table, there))


def _of_node(table: str, node: rules.Node) -> Iterator[Need | Walk]:
    match node:
        case rules.Compare():
            yield from _of_column(table, node.column)
        case rules.All() | rules.Any():
            for one in node.nodes:
                yield from _of_node(table, one)
        case rules.Except():
            yield from _of_node(table, node.node)
        case rules.Has() | rules.Aggregate():
            yield from _of_linked(table, node)


def _of_linked(table: str, node: rules.Has | rules.Aggregate) -> Iterator[Need | Walk]:
    linked = node.link.table
    yield from _of_hop(table, node.link, is_one=False)
    if node.where is not None:
        yield from _of_node(linked, node.where)
    if isinstance(node, rules.Aggregate):
        for column in (node.column, node.order):
            if column is not None:
                yield from _of_column(linked, column)
        yield from (Need(linked, part.name) for part in node.key)
