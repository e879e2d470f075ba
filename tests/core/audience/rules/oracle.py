"""What a plan means, row by row in plain Python: slow, and plain to read beside ``plan``."""

from __future__ import annotations

from fractions import Fraction
from typing import Any as Anything

from smsflow_provider.core.audience.rules.fold import fold
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
    Matches,
    Node,
    OneOf,
    Place,
    Plan,
    Test,
)
from tests.core.audience.rules.worlds import COLUMNS, World

Row = dict[str, Anything]


class Oracle:
    """Knows who the people of a plan are in a world."""

    def __init__(self, world: World) -> None:
        self._rows: dict[str, list[Row]] = {
            table: [dict(zip(COLUMNS[table], row, strict=True)) for row in rows]
            for table, rows in world.rows.items()
        }

    def people(self, plan: Plan) -> list[tuple[Anything, ...]]:
        """Find the people, with the plan's outputs."""
        rows = sorted(self._rows[plan.table], key=lambda row: str(row[plan.key]))
        found = [row for row in rows if all(self.truth(row, node) for node in plan.nodes())]
        return [tuple(self.value(row, output.column) for output in plan.outputs) for row in found]

    def counts(self, plan: Plan) -> tuple[int, ...]:
        """Count who is left, step by step."""
        left = self._rows[plan.table]
        counts = [len(left)]
        for node in plan.nodes():
            left = [row for row in left if self.truth(row, node)]
            counts.append(len(left))
        return tuple(counts)

    def linked(self, row: Row, link: Hop) -> list[Row]:
        """Find the rows that belong to *row*."""
        return [
            other
            for other in self._rows[link.table]
            if all(row[here] is not None and row[here] == other[there] for here, there in link.on)
        ]

    def value(self, row: Row, column: Column) -> Anything:
        """Find the value of a column, over links to one row."""
        for hop in column.hops:
            found = self.linked(row, hop)
            if not found:
                return None
            row = found[0]
        return row[column.name]

    def truth(self, row: Row, node: Node) -> bool:
        """Tell whether a node is true of a row."""
        match node:
            case Compare():
                value = self.value(row, node.column)
                return passes(value, node.test, is_negated=node.is_negated, kept=node.fold)
            case All():
                return all(self.truth(row, one) for one in node.nodes)
            case Any():
                return any(self.truth(row, one) for one in node.nodes)
            case Except():
                return not self.truth(row, node.node)
            case Has():
                count = len(self._where(row, node))
                return count >= node.at_least and (node.at_most is None or count <= node.at_most)
            case Aggregate():
                value = self._computed(self._where(row, node), node)
                return passes(value, node.test, is_negated=node.is_negated, kept=node.fold)

    def _where(self, row: Row, node: Has | Aggregate) -> list[Row]:
        found = self.linked(row, node.link)
        return [one for one in found if node.where is None or self.truth(one, node.where)]

    def _computed(self, rows: list[Row], node: Aggregate) -> Anything:
        if node.function is Function.COUNT:
            return len(rows)
        assert node.column is not None
        column = node.column
        if node.function is Function.LAST:
            return self._last(rows, node)
        values = [value for row in rows if (value := self.value(row, column)) is not None]
        if node.function is Function.SUM:
            return sum(values)
        if not values:
            return None
        if node.function is Function.AVERAGE:
            return Fraction(sum(values)) / len(values)
        return min(values) if node.function is Function.LEAST else max(values)

    def _last(self, rows: list[Row], node: Aggregate) -> Anything:
        assert node.order is not None
        assert node.column is not None
        order = node.order
        dated = [row for row in rows if self.value(row, order) is not None]
        if not dated:
            return None
        keyed = [(self.value(row, order), *(row[part.name] for part in node.key)) for row in dated]
        return self.value(dated[keyed.index(max(keyed))], node.column)


def passes(value: Anything, test: Test, *, is_negated: bool, kept: Fold) -> bool:
    """Tell whether a value passes a test."""
    if isinstance(test, IsNull):
        return (value is None) != is_negated
    if value is None:
        return False
    value = fold(value, kept) if isinstance(value, str) else value
    return _outcome(value, test) != is_negated


def _outcome(value: Anything, test: Test) -> bool:
    match test:
        case Equals() | OneOf():
            values = test.values if isinstance(test, OneOf) else (test.value,)
            return value in values
        case Between():
            above = test.low is None or value > test.low or (test.has_low and value == test.low)
            below = test.high is None or value < test.high or (test.has_high and value == test.high)
            return bool(above and below)
        case Holds():
            places = {Place.START: value.startswith, Place.END: value.endswith}
            return bool(places.get(test.place, value.__contains__)(test.text))
        case Matches():
            return _matches(value, test.pattern)
        case Anniversary():
            return (value.month, value.day) in test.days
    raise AssertionError(test)


def _matches(text: str, pattern: str) -> bool:
    """Take the pattern's first character and see what the rest of the text may be."""
    if not pattern:
        return not text
    first, rest = pattern[0], pattern[1:]
    if first == "*":
        return any(_matches(text[start:], rest) for start in range(len(text) + 1))
    if first == "\\" and rest:
        first, rest = rest[0], rest[1:]
        return text[:1] == first and _matches(text[1:], rest)
    return bool(text) and first in {"?", text[0]} and _matches(text[1:], rest)
