"""
Rules as people write them: conditions, conditions on linked rows, saved filters, and groups.

Values are those of JSON: texts, numbers, true and false; days and moments are ISO texts. Made by
``tree.read_rules`` and ``fluent``, which check them; what only a dimension can tell (is there
such a column? is it a number?) is checked by ``bind``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from enum import StrEnum
from typing import Any as Anything
from typing import cast

from pydantic import BaseModel, ConfigDict

from smsflow_provider.core.audience.rules.plan import Fold, Function

#: What may stand behind a comparison, alone or in a list.
Scalar = bool | int | float | str
#: Texts with ``{{ … }}`` stand for any of these until Airflow has filled them in.
Template = str
Count = int | Template


class Comparison(StrEnum):
    """How a column is compared; its name is the key in front of the value."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    IN = "in"
    NOT_IN = "not_in"
    ABOVE = "above"
    AT_LEAST = "at_least"
    BELOW = "below"
    AT_MOST = "at_most"
    #: Both ends count.
    BETWEEN = "between"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    #: ``*`` for any characters, ``?`` for one.
    MATCHES = "matches"
    NOT_MATCHES = "not_matches"
    IS_NULL = "is_null"
    #: True or false.
    IS = "is"
    BEFORE = "before"
    AFTER = "after"
    ON = "on"
    FROM = "from"
    UNTIL = "until"
    WITHIN_LAST = "within_last"
    WITHIN_NEXT = "within_next"
    ANNIVERSARY = "anniversary"


class Rule(BaseModel):
    """
    What all rules are: frozen, equal by what they say, joined by ``&``, ``|`` and ``-``.

    ``a - b`` takes those of *b* out of *a*. Use parentheses: Python's ``&`` binds tighter than
    ``|``, and ``-`` tighter than both.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, strict=True)

    @abstractmethod
    def as_data(self) -> dict[str, Anything]:
        """Write it as JSON values; ``read_rules`` makes an equal rule of them."""

    def __bool__(self) -> bool:
        """Refuse: ``a and b`` would be *b* alone, and ``a or b`` *a* alone."""
        raise TypeError("a rule is not true or false: join rules by &, | and -, in parentheses")

    def __and__(self, other: AnyRule) -> Group:
        return Group(all=(*self._parts("all"), *other._parts("all")))

    def __or__(self, other: AnyRule) -> Group:
        return Group(any=(*self._parts("any"), *other._parts("any")))

    def __sub__(self, other: AnyRule) -> Group:
        return Group(all=self._parts(""), excepted=(other,))

    def _parts(self, kind: str) -> tuple[AnyRule, ...]:  # noqa: ARG002  groups use it
        return (cast("AnyRule", self),)


class Condition(Rule):
    """One column, one comparison."""

    #: Its name in the dimension; ``store.region`` for one of a linked row.
    column: str
    comparison: Comparison
    #: A tuple for ``in``, ``not_in`` and ``between``, and for several days of ``anniversary``.
    value: Scalar | tuple[Scalar, ...]
    fold: Fold = Fold.NOTHING

    def as_data(self) -> dict[str, Anything]:
        """Write it as ``{column: …, <comparison>: …}``."""
        return {"column": self.column} | _comparison_data(self)


class Linked(Rule):
    """What conditions on linked rows share: which rows count."""

    #: Name of a link to many rows.
    link: str
    #: About the linked table. None: every linked row.
    where: AnyRule | None = None
    #: Only rows whose date lies within so much time before now, or after; a span such as 90 days.
    within_last: str | None = None
    within_next: str | None = None
    #: Column of the linked table with that date. None: the link's own.
    date: str | None = None

    def _rows(self) -> dict[str, Anything]:
        names = ("within_last", "within_next", "date")
        found = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return found if self.where is None else {"where": self.where.as_data()} | found


class LinkCount(Linked):
    """So many linked rows."""

    at_least: Count = 1
    #: None: no limit.
    at_most: Count | None = None

    def as_data(self) -> dict[str, Anything]:
        """Write it as ``{link: …, any: true}`` or with ``none``, ``exactly``, ``at_least``."""
        return {"link": self.link} | self._how_many() | self._rows()

    def _how_many(self) -> dict[str, Anything]:
        if self.at_most is None:
            return {"any": True} if self.at_least == 1 else {"at_least": self.at_least}
        if self.at_least == self.at_most:
            return {"none": True} if self.at_most == 0 else {"exactly": self.at_most}
        low = {} if self.at_least == 0 else {"at_least": self.at_least}
        return low | {"at_most": self.at_most}


class LinkValue(Linked):
    """What linked rows come to, compared."""

    function: Function
    #: A column of the linked table. None with ``count`` only: rows, whatever they hold.
    of: str | None
    comparison: Comparison
    value: Scalar | tuple[Scalar, ...]
    fold: Fold = Fold.NOTHING

    def as_data(self) -> dict[str, Anything]:
        """Write it as ``{link: …, sum: …, <comparison>: …}``."""
        of = True if self.of is None else self.of
        return {"link": self.link, str(self.function): of} | _comparison_data(self) | self._rows()


class Saved(Rule):
    """A filter of the dimension, by its name."""

    filter: str

    def as_data(self) -> dict[str, Anything]:
        """Write it as ``{filter: …}``."""
        return {"filter": self.filter}


class Group(Rule):
    """
    All of these or any of these, without those of *excepted*.

    With neither *all* nor *any*: everyone, without those of *excepted*.
    """

    all: tuple[AnyRule, ...] = ()
    any: tuple[AnyRule, ...] = ()
    #: Who is in one of them is out.
    excepted: tuple[AnyRule, ...] = ()

    def as_data(self) -> dict[str, Anything]:
        """Write it with ``all``, ``any`` and ``except``; everyone is ``{everyone: true}``."""
        lists = {"all": self.all, "any": self.any, "except": self.excepted}
        found: dict[str, Anything] = {
            name: [each.as_data() for each in rules] for name, rules in lists.items() if rules
        }
        return found or {"everyone": True}

    def __sub__(self, other: AnyRule) -> Group:
        return Group(all=self.all, any=self.any, excepted=(*self.excepted, other))

    def _parts(self, kind: str) -> tuple[AnyRule, ...]:
        """Give the parts of an *all* or an *any*, so that ``a & b & c`` is one group."""
        parts = {"all": self.all, "any": self.any}[kind]
        return (self,) if self.excepted or not parts else parts


AnyRule = Condition | LinkCount | LinkValue | Saved | Group

for _each in (LinkCount, LinkValue, Group):
    _each.model_rebuild()


def walk(rule: Rule) -> Iterator[Rule]:
    """Give *rule* and every rule in it, each before its parts; saved filters are not opened."""
    waiting = [rule]
    while waiting:
        each = waiting.pop()
        yield each
        if isinstance(each, Group):
            waiting.extend(reversed((*each.all, *each.any, *each.excepted)))
        elif isinstance(each, Linked) and each.where is not None:
            waiting.append(each.where)


def _comparison_data(rule: Condition | LinkValue) -> dict[str, Anything]:
    value = list(rule.value) if isinstance(rule.value, tuple) else rule.value
    fold = {} if rule.fold is Fold.NOTHING else {"fold": str(rule.fold)}
    return {str(rule.comparison): value} | fold
