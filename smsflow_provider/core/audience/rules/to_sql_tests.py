"""Tests of rules as conditions of SQL. Each is unknown of an empty value, or false of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from sqlglot import exp

from smsflow_provider.core.audience.rules.dialects import Dialect
from smsflow_provider.core.audience.rules.plan import (
    Anniversary,
    Between,
    Equals,
    Fold,
    Holds,
    IsNull,
    Kind,
    Matches,
    OneOf,
    Test,
    Value,
)
from smsflow_provider.core.audience.rules.to_sql_statement import is_not_null, is_null
from smsflow_provider.core.audience.rules.to_sql_text import (
    exact,
    fold_text,
    holds_text,
    is_text,
    matches_text,
)
from smsflow_provider.core.audience.rules.to_sql_values import comparable, is_day, write_value


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is compared."""

    value: exp.Expr
    kind: Kind
    dialect: Dialect
    fold: Fold = Fold.NOTHING
    #: Of an average: how many values. Then *value* is their sum, and what it is compared with is
    #: multiplied, because databases round averages, each in its way.
    count: exp.Expr | None = None
    #: *value* is in the form in which it is compared, but for the fold.
    is_ready: bool = False

    def written(self, value: Value) -> exp.Expr:
        """Write a value that this is compared with."""
        literal = write_value(value, kind=self.kind, dialect=self.dialect)
        if self.count is None:
            return literal
        return exp.Mul(this=literal, expression=self.count.copy())


def passes(subject: Subject, test: Test, *, is_negated: bool, is_opposite: bool) -> exp.Expr:
    """
    Write a test as a condition, true or (as good as) false where conditions are joined by AND, OR.

    Args:
        subject: What is compared.
        test: What it must pass.
        is_negated: It must have a value and not pass.
        is_opposite: The condition is true exactly where the one without this is not.
    """
    normal = replace(subject, value=_normal(subject, test), is_ready=True)
    # A text is empty before and after it is made comparable; the shorter is told.
    asked = subject if subject.kind is Kind.TEXT else normal
    empty = is_null(asked.value)
    if isinstance(test, IsNull):
        return empty if is_negated == is_opposite else _not(empty)
    outcome = _outcome(normal, test)
    found = outcome if is_negated == is_opposite else _not(outcome)
    return exp.or_(found, empty, copy=False) if is_opposite else found


def passes_by_itself(value: Value | None, test: Test, *, is_negated: bool) -> bool:
    """Tell whether a value that is known, or an empty one, passes a test. Not for texts."""
    if isinstance(test, IsNull):
        return (value is None) != is_negated
    if value is None:
        return False
    match test:
        case Equals(value=other):
            outcome = value == other
        case OneOf(values=values):
            outcome = value in values
        case Between():
            outcome = _lies_between(value, test)
        case _:
            raise AssertionError(test)
    return outcome != is_negated


def _lies_between(value: Value, test: Between) -> bool:
    number, low, high = (cast("Any", one) for one in (value, test.low, test.high))
    above = low is None or number > low or (test.has_low and number == low)
    below = high is None or number < high or (test.has_high and number == high)
    return bool(above and below)


def _normal(subject: Subject, test: Test) -> exp.Expr:
    value, dialect = subject.value.copy(), subject.dialect
    is_text = subject.kind is Kind.TEXT
    if not subject.is_ready:
        make = exact if is_text else partial(comparable, kind=subject.kind)
        value = make(value, dialect=dialect)
    return (
        fold_text(value, subject.fold, against=_texts_of(test), dialect=dialect)
        if is_text
        else value
    )


def _texts_of(test: Test) -> tuple[str, ...]:
    match test:
        case Equals(value=value):
            return (str(value),)
        case OneOf(values=values):
            return tuple(map(str, values))
        case Holds(text=text):
            return (text,)
        case Matches(pattern=pattern):
            return (pattern,)
    return ()


def _outcome(subject: Subject, test: Test) -> exp.Expr:
    value, dialect = subject.value, subject.dialect
    match test:
        case Equals(value=other):
            return _is_one_of(subject, (other,))
        case OneOf(values=values):
            return _is_one_of(subject, values)
        case Between():
            return _between(subject, test)
        case Holds(text=text, place=place):
            return holds_text(value, text, place=place, dialect=dialect)
        case Matches():
            return matches_text(value, test, dialect=dialect)
        case Anniversary(days=days):
            return is_day(value, days, dialect=dialect)
    raise AssertionError(test)


def _is_one_of(subject: Subject, values: tuple[Value, ...]) -> exp.Expr:
    if subject.kind is Kind.TEXT:
        return is_text(subject.value, tuple(map(str, values)), dialect=subject.dialect)
    written = [subject.written(value) for value in values]
    if len(written) == 1:
        return exp.EQ(this=subject.value, expression=written[0])
    return exp.In(this=subject.value, expressions=written)


def _between(subject: Subject, test: Between) -> exp.Expr:
    low = None if test.low is None else subject.written(test.low)
    high = None if test.high is None else subject.written(test.high)
    if low is not None and high is not None and test.has_low and test.has_high:
        return exp.Between(this=subject.value, low=low, high=high)
    above, below = exp.GTE if test.has_low else exp.GT, exp.LTE if test.has_high else exp.LT
    ends = [(above, low), (below, high)]
    found = [kind(this=subject.value.copy(), expression=end) for kind, end in ends if end]
    return exp.and_(*found, copy=False) if found else is_not_null(subject.value)


_OPPOSITES: dict[type[exp.Expr], type[exp.Binary]] = {
    exp.EQ: exp.NEQ,
    exp.GT: exp.LTE,
    exp.GTE: exp.LT,
    exp.LT: exp.GTE,
    exp.LTE: exp.GT,
}


def _not(condition: exp.Expr) -> exp.Expr:
    opposite = _OPPOSITES.get(type(condition))
    if opposite:
        return opposite(this=condition.this, expression=condition.expression)
    return exp.not_(condition, copy=False)
