"""
Rules in Python, read like the data they are equal to.

    (col("city").is_in("Paris", "Lyon") & link("orders").any(within_last="90 days"))
        - col("name").matches("Test*")

Every piece is checked when it is made, as ``read_rules`` checks it; ``.as_data()`` writes it as
plain data, for an activity or a file. Take parentheses around each side of ``&``, ``|`` and ``-``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from smsflow_provider.core.audience.rules.plan import Fold, Function
from smsflow_provider.core.audience.rules.rule import AnyRule, Group, Saved
from smsflow_provider.core.audience.rules.tree import read_rules

#: What a value may be; a text may be a template (``{{ params.city }}``).
Given = str | int | float | Decimal | bool | date
Size = int | float | Decimal | str
When = date | str


class Which(TypedDict, total=False):
    """Which linked rows count; all of them without any of these."""

    #: A rule about the linked table.
    where: AnyRule
    #: A length of time before now, such as ``90 days``, or after.
    within_last: str
    within_next: str
    #: Column that these go by, and ``last``; the link's own without it.
    date: str


def everyone() -> Group:
    """Everyone of the dimension; for ``everyone() - (…)``."""
    return Group()


def saved(name: str) -> Saved:
    """
    A filter of the dimension.

    Example:
        >>> saved("adults").as_data()
        {'filter': 'adults'}
    """
    return Saved(filter=name)


def col(name: str) -> Col:
    """
    A column to compare, ``store.region`` for one of a linked row.

    Example:
        >>> (col("age").at_least(18) & col("city").is_in("Paris", "Lyon")).as_data()
        {'all': [{'column': 'age', 'at_least': 18}, {'column': 'city', 'in': ['Paris', 'Lyon']}]}
    """
    return Col({"column": name})


def link(name: str) -> Rows:
    """
    Linked rows, to count them or to compare what they come to.

    Example:
        >>> link("orders").sum("amount", within_last="1 year").above(100).as_data()
        {'link': 'orders', 'sum': 'amount', 'above': 100, 'within_last': '1 year'}
    """
    return Rows(name)


@dataclass(frozen=True, slots=True)
class Amounts:
    """What can be compared as values of linked rows can; each method gives a rule."""

    head: dict[str, Any]

    def equals(self, value: Given, *, fold: str = Fold.NOTHING) -> AnyRule:
        """Exactly this value."""
        return self._made("equals", value, fold)

    def not_equals(self, value: Given, *, fold: str = Fold.NOTHING) -> AnyRule:
        """A value, and not this one."""
        return self._made("not_equals", value, fold)

    def is_in(self, *values: Given, fold: str = Fold.NOTHING) -> AnyRule:
        """One of these values."""
        return self._made("in", list(values), fold)

    def not_in(self, *values: Given, fold: str = Fold.NOTHING) -> AnyRule:
        """A value, and none of these."""
        return self._made("not_in", list(values), fold)

    def above(self, value: Size) -> AnyRule:
        """More than."""
        return self._made("above", value)

    def at_least(self, value: Size) -> AnyRule:
        """So much or more."""
        return self._made("at_least", value)

    def below(self, value: Size) -> AnyRule:
        """Less than."""
        return self._made("below", value)

    def at_most(self, value: Size) -> AnyRule:
        """So much or less."""
        return self._made("at_most", value)

    def between(self, low: Size | date, high: Size | date) -> AnyRule:
        """From one to the other, both in."""
        return self._made("between", [low, high])

    def starts_with(self, text: str, *, fold: str = Fold.NOTHING) -> AnyRule:
        """With this text at the start."""
        return self._made("starts_with", text, fold)

    def ends_with(self, text: str, *, fold: str = Fold.NOTHING) -> AnyRule:
        """With this text at the end."""
        return self._made("ends_with", text, fold)

    def contains(self, text: str, *, fold: str = Fold.NOTHING) -> AnyRule:
        """With this text somewhere."""
        return self._made("contains", text, fold)

    def not_contains(self, text: str, *, fold: str = Fold.NOTHING) -> AnyRule:
        """A value without this text."""
        return self._made("not_contains", text, fold)

    def matches(self, pattern: str, *, fold: str = Fold.NOTHING) -> AnyRule:
        """The whole of it like the pattern: ``*`` for any characters, ``?`` for one."""
        return self._made("matches", pattern, fold)

    def not_matches(self, pattern: str, *, fold: str = Fold.NOTHING) -> AnyRule:
        """A value, not like the pattern."""
        return self._made("not_matches", pattern, fold)

    def is_null(self) -> AnyRule:
        """No value."""
        return self._made("is_null", value=True)

    def is_not_null(self) -> AnyRule:
        """Any value."""
        return self._made("is_null", value=False)

    def is_true(self) -> AnyRule:
        """True."""
        return self._made("is", value=True)

    def is_false(self) -> AnyRule:
        """False: not true, and not empty."""
        return self._made("is", value=False)

    def before(self, when: When) -> AnyRule:
        """Before this day or moment."""
        return self._made("before", when)

    def after(self, when: When) -> AnyRule:
        """After this day or moment."""
        return self._made("after", when)

    def on(self, day: When) -> AnyRule:
        """On this day."""
        return self._made("on", day)

    def since(self, when: When) -> AnyRule:
        """From this day or moment on; ``from`` in data."""
        return self._made("from", when)

    def until(self, when: When) -> AnyRule:
        """To the end of this day, or this moment."""
        return self._made("until", when)

    def _made(self, comparison: str, value: object, fold: str = Fold.NOTHING) -> AnyRule:
        folded = {} if fold == Fold.NOTHING else {"fold": fold}
        # First what is compared, then how: the order in which as_data writes it.
        return read_rules(self.head | {comparison: value} | folded, path="rule")


class Col(Amounts):
    """A column; each method gives a rule."""

    __slots__ = ()

    def within_last(self, span: str) -> AnyRule:
        """In so much time before now, such as ``30 days``."""
        return self._made("within_last", span)

    def within_next(self, span: str) -> AnyRule:
        """In so much time after now."""
        return self._made("within_next", span)

    def anniversary(self, *days: When) -> AnyRule:
        """Month and day as one of these days."""
        return self._made("anniversary", days[0] if len(days) == 1 else list(days))


@dataclass(frozen=True, slots=True)
class Rows:
    """Linked rows; every method takes which of them count, see ``Which``."""

    link: str

    def any(self, **rows: Unpack[Which]) -> AnyRule:
        """One at least."""
        return self._counted({"any": True}, rows)

    def none(self, **rows: Unpack[Which]) -> AnyRule:
        """Not one."""
        return self._counted({"none": True}, rows)

    def at_least(self, count: int | str, **rows: Unpack[Which]) -> AnyRule:
        """So many or more."""
        return self._counted({"at_least": count}, rows)

    def at_most(self, count: int | str, **rows: Unpack[Which]) -> AnyRule:
        """So many or fewer, none too."""
        return self._counted({"at_most": count}, rows)

    def exactly(self, count: int | str, **rows: Unpack[Which]) -> AnyRule:
        """So many."""
        return self._counted({"exactly": count}, rows)

    def between(self, low: int | str, high: int | str, **rows: Unpack[Which]) -> AnyRule:
        """So many to so many."""
        return self._counted({"at_least": low, "at_most": high}, rows)

    def count(self, column: str | None = None, **rows: Unpack[Which]) -> Amounts:
        """How many there are, or how many with a value in *column*."""
        return self._amount(Function.COUNT, True if column is None else column, rows)

    def sum(self, column: str, **rows: Unpack[Which]) -> Amounts:
        """The sum of their values, 0 without any."""
        return self._amount(Function.SUM, column, rows)

    def average(self, column: str, **rows: Unpack[Which]) -> Amounts:
        """The average of their values."""
        return self._amount(Function.AVERAGE, column, rows)

    def least(self, column: str, **rows: Unpack[Which]) -> Amounts:
        """The least of their values."""
        return self._amount(Function.LEAST, column, rows)

    def greatest(self, column: str, **rows: Unpack[Which]) -> Amounts:
        """The greatest of their values."""
        return self._amount(Function.GREATEST, column, rows)

    def last(self, column: str, **rows: Unpack[Which]) -> Amounts:
        """The value of the last of them by date."""
        return self._amount(Function.LAST, column, rows)

    def _counted(self, how_many: dict[str, Any], rows: Which) -> AnyRule:
        return read_rules({"link": self.link} | how_many | rows, path="rule")

    def _amount(self, function: Function, column: object, rows: Which) -> Amounts:
        return Amounts({"link": self.link, str(function): column} | rows)
