"""Rules in words, for the person who reviews who they find. With values: not for logs."""

from __future__ import annotations

from typing import Final

from smsflow_provider.core.audience.rules.dimension import Dimension, Link, Rows
from smsflow_provider.core.audience.rules.plan import Fold, Function
from smsflow_provider.core.audience.rules.rule import (
    AnyRule,
    Comparison,
    Condition,
    Group,
    LinkCount,
    Linked,
    LinkValue,
    Saved,
    Scalar,
)

#: Characters of one sentence; what is longer ends in an ellipsis.
MOST_CHARACTERS: Final = 300
#: Values of a set that are written out.
MOST_VALUES: Final = 10

C = Comparison
_VERBS: Final = {
    C.EQUALS: "is",
    C.NOT_EQUALS: "is not",
    C.IN: "is one of",
    C.NOT_IN: "is none of",
    C.ABOVE: "is above",
    C.AT_LEAST: "is at least",
    C.BELOW: "is below",
    C.AT_MOST: "is at most",
    C.BETWEEN: "is between",
    C.STARTS_WITH: "starts with",
    C.ENDS_WITH: "ends with",
    C.CONTAINS: "contains",
    C.NOT_CONTAINS: "does not contain",
    C.MATCHES: "matches",
    C.NOT_MATCHES: "does not match",
    C.IS: "is",
    C.BEFORE: "is before",
    C.AFTER: "is after",
    C.ON: "is on",
    C.FROM: "is from",
    C.UNTIL: "is until",
    C.WITHIN_LAST: "is within the last",
    C.WITHIN_NEXT: "is within the next",
    C.ANNIVERSARY: "has its anniversary on",
}
_FOLDS: Final = {
    Fold.NOTHING: "",
    Fold.CASE: " (in any case)",
    Fold.ACCENTS: " (with or without accents)",
    Fold.BOTH: " (in any case, with or without accents)",
}


def words_of(rule: AnyRule, dimension: Dimension) -> str:
    """
    Say *rule* as a sentence without a capital, with the labels of the dimension.

    Names that the dimension does not have are said as they are.

    Example:
        >>> from smsflow_provider.core.audience.rules.dimension import read_dimension
        >>> from smsflow_provider.core.audience.rules.tree import read_rules
        >>> people = read_dimension({"table": "t", "key": "id", "phone": "tel"}, name="people")
        >>> rules = read_rules({"any": [{"column": "age", "below": 18}, {"filter": "vip"}]})
        >>> words_of(rules, people)
        'any of: age is below 18; filter vip'
    """
    text = _said(rule, dimension)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"


def _said(rule: AnyRule, rows: Rows) -> str:
    match rule:
        case Condition():
            return f"{_label(rule.column, rows)} {_compared(rule)}"
        case LinkCount():
            return f"{_how_many(rule)} {_link_label(rule, rows)}{_which(rule, rows)}"
        case LinkValue():
            return f"{_function(rule, rows)}{_which(rule, rows)} {_compared(rule)}"
        case Saved():
            return f"filter {rule.filter}"
        case Group():
            return _group(rule, rows)


def _group(rule: Group, rows: Rows) -> str:
    parts = rule.all or rule.any
    said = "everyone"
    if parts:
        listed = "; ".join(_inner(each, rows) for each in parts)
        said = listed if len(parts) == 1 else f"{'all' if rule.all else 'any'} of: {listed}"
    if rule.excepted:
        said += f", except: {'; '.join(_inner(each, rows) for each in rule.excepted)}"
    return said


def _inner(rule: AnyRule, rows: Rows) -> str:
    said = _said(rule, rows)
    return f"({said})" if isinstance(rule, Group) else said


def _compared(rule: Condition | LinkValue) -> str:
    if rule.comparison is C.IS_NULL:
        return "has a value" if rule.value is False else "has no value"
    return f"{_VERBS[rule.comparison]} {_value(rule)}{_FOLDS[rule.fold]}"


def _value(rule: Condition | LinkValue) -> str:
    if not isinstance(rule.value, tuple):
        return _scalar(rule.value)
    shown = [_scalar(each) for each in rule.value[:MOST_VALUES]]
    if rule.comparison is C.BETWEEN:
        return " and ".join(shown)
    more = len(rule.value) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def _scalar(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _label(path: str, rows: Rows) -> str:
    *links, name = path.split(".")
    labels, here = [], rows
    for each in links:
        link = here.links.get(each)
        if link is None:
            return path
        labels.append(link.label or each)
        here = link
    spec = here.columns.get(name)
    return " ".join([*labels, (spec.label if spec else None) or name])


def _link_label(rule: Linked, rows: Rows) -> str:
    link = rows.links.get(rule.link)
    return (link.label if link else None) or rule.link


def _how_many(rule: LinkCount) -> str:
    low, high = rule.at_least, rule.at_most
    if high is None:
        return "has" if low == 1 else f"has at least {low}"
    if low == high:
        return "has no" if low == 0 else f"has exactly {low}"
    return f"has at most {high}" if low == 0 else f"has {low} to {high}"


def _which(rule: Linked, rows: Rows) -> str:
    """Say which linked rows count."""
    link = rows.links.get(rule.link)
    parts = []
    if rule.within_last is not None:
        parts.append(f"within the last {rule.within_last}")
    if rule.within_next is not None:
        parts.append(f"within the next {rule.within_next}")
    if rule.where is not None:
        around = link if link is not None else _NOWHERE
        parts.append(f"where {_inner(rule.where, around)}")
    return f" {' '.join(parts)}" if parts else ""


def _function(rule: LinkValue, rows: Rows) -> str:
    link = rows.links.get(rule.link)
    title = _link_label(rule, rows)
    if rule.of is None:
        return f"number of {title}"
    what = _label(rule.of, link if link is not None else _NOWHERE)
    name = "number" if rule.function is Function.COUNT else str(rule.function)
    return f"{name} of {title} {what}"


_NOWHERE: Final = Link(table="-", kind="one", on={"-": "-"})
