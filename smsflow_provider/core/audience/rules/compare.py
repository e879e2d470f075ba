"""A comparison as people write it becomes a test of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from smsflow_provider.core.audience.rules import values
from smsflow_provider.core.audience.rules.fold import fold as folded
from smsflow_provider.core.audience.rules.moments import (
    Clock,
    UnfitError,
    compared,
    days_of_year,
    within,
)
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
    Place,
    Test,
    Value,
)
from smsflow_provider.core.audience.rules.rule import Comparison, Condition, LinkValue, Scalar
from smsflow_provider.core.document.problem import near, near_or_all

C = Comparison
_NEGATED: Final = frozenset({C.NOT_EQUALS, C.NOT_IN, C.NOT_CONTAINS, C.NOT_MATCHES})
_PLACES: Final = {
    C.STARTS_WITH: Place.START,
    C.ENDS_WITH: Place.END,
    C.CONTAINS: Place.ANYWHERE,
    C.NOT_CONTAINS: Place.ANYWHERE,
}
#: Allowed values that are listed where none is near.
_MOST_SHOWN: Final = 20
#: What a template makes of a parameter that is there and has no value.
_NONE: Final = "None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What a comparison asks of a value."""

    test: Test
    is_negated: bool
    fold: Fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is compared."""

    kind: Kind
    #: Values it may have. Empty: any.
    allowed: Sequence[Scalar] = ()


def compare(
    rule: Condition | LinkValue, subject: Subject, *, clock: Clock
) -> tuple[Compared | None, list[values.Wrong]]:
    """
    Make the test of *rule*'s comparison.

    Returns:
        The test and no problem, or None and all problems: where in the rule, what, and a hint.
    """
    problem = _problem_of_shape(rule, subject)
    if problem is not None:
        return None, [problem]
    try:
        test, wrong = _test(rule, subject, clock)
    except UnfitError as error:
        return None, [(f".{rule.comparison}", error.text, error.hint)]
    if test is None or wrong:
        return None, [(f".{rule.comparison}{at}", text, hint) for at, text, hint in wrong]
    is_negated = rule.comparison in _NEGATED or (_is_null(rule) and rule.value is False)
    return Compared(test=test, is_negated=is_negated, fold=rule.fold), []


def is_never_below_zero(test: Test) -> bool:
    """Whether every number from 0 on passes: of a count, everyone."""
    if not isinstance(test, Between) or test.high is not None:
        return False
    low = test.low
    return not isinstance(low, int | Decimal) or low < 0 or (low == 0 and test.has_low)


def _is_null(rule: Condition | LinkValue) -> bool:
    return rule.comparison is C.IS_NULL


def _problem_of_shape(rule: Condition | LinkValue, subject: Subject) -> values.Wrong | None:
    """Say why *rule* cannot be about *subject* at all."""
    comparison, kind = rule.comparison, subject.kind
    if comparison not in values.FITTING[kind]:
        names = ", ".join(each for each in Comparison if each in values.FITTING[kind])
        what = f"does not go with a column of kind {kind}"
        is_flag = kind is Kind.BOOLEAN and isinstance(rule.value, bool)
        hint = f"is: {str(rule.value).lower()}" if is_flag else names
        return f".{comparison}", what, f"write {hint}"
    if rule.fold is not Fold.NOTHING and (kind is not Kind.TEXT or _is_null(rule)):
        return ".fold", "is for comparisons of texts", "leave it out"
    if values.is_template(rule.value):
        return f".{comparison}", values.STILL_TEMPLATE, values.TEMPLATE_HINT
    return None


def _test(
    rule: Condition | LinkValue, subject: Subject, clock: Clock
) -> tuple[Test | None, list[values.Wrong]]:
    comparison, value, kind = rule.comparison, rule.value, subject.kind
    if comparison in values.EQUALITY:
        return _equality(rule, subject, clock)
    if comparison is C.BETWEEN:
        return _between(value, kind, clock)
    if comparison is C.ANNIVERSARY:
        return _anniversary(value, clock)
    return _single(rule, kind, clock), []


def _single(rule: Condition | LinkValue, kind: Kind, clock: Clock) -> Test:
    """Make the test of a comparison with one value."""
    comparison = rule.comparison
    value = _alone(rule.value)
    if comparison is C.IS_NULL:
        return IsNull()
    if comparison is C.IS:
        return Equals(values.read_flag(value))
    if comparison in values.SIZES:
        return _size(comparison, values.final(value, kind=kind, clock=clock))
    text = _text(value)
    if comparison in values.WHENS:
        return compared(comparison, text, kind=kind, clock=clock)
    if comparison in values.SPANS:
        return within(text, is_last=comparison is C.WITHIN_LAST, kind=kind, clock=clock)
    return _piece(comparison, folded(text, rule.fold))


def _alone(value: Scalar | tuple[Scalar, ...]) -> Scalar:
    if isinstance(value, tuple):
        raise UnfitError("takes one value")
    return value


def _text(value: Scalar) -> str:
    if not isinstance(value, str):
        raise UnfitError("is not a text", "put it in quotes")
    return value


def _finals(
    value: Scalar | tuple[Scalar, ...], kind: Kind, clock: Clock
) -> tuple[list[Value], list[values.Wrong]]:
    """Make each value final; of those that cannot be, say where they are."""
    found: list[Value] = []
    wrong: list[values.Wrong] = []
    for at, each in enumerate(value if isinstance(value, tuple) else (value,)):
        try:
            found.append(values.final(each, kind=kind, clock=clock))
        except UnfitError as error:
            place = f"[{at}]" if isinstance(value, tuple) else ""
            wrong.append((place, error.text, error.hint))
    return found, wrong


def _equality(
    rule: Condition | LinkValue, subject: Subject, clock: Clock
) -> tuple[Test | None, list[values.Wrong]]:
    found, wrong = _finals(rule.value, subject.kind, clock)
    if wrong:
        return None, wrong
    finals = [folded(each, rule.fold) if isinstance(each, str) else each for each in found]
    _check_filled(finals, subject, rule)
    wrong = _not_allowed(finals, subject, rule)
    if rule.comparison in {C.EQUALS, C.NOT_EQUALS}:
        return Equals(finals[0]), wrong
    return OneOf(tuple(dict.fromkeys(finals))), wrong


def _check_filled(finals: Sequence[Value], subject: Subject, rule: Condition | LinkValue) -> None:
    """
    Refuse what a parameter without a value leaves behind, where it would find nearly everybody.

    That is also *equals* an empty text: under *except* it would take nobody out.

    Raises:
        UnfitError: The text None, which such a parameter becomes; or an empty text.
    """
    if any(each == _NONE for each in finals) and _NONE not in subject.allowed:
        hint = "a parameter without a value reads so; list it in the column's values if it is one"
        raise UnfitError("is the text None", hint)
    if rule.comparison in _NEGATED and not any(each != "" for each in finals):
        hint = 'write matches: "?*" for any text that is not empty'
        raise UnfitError("is true of every text: nothing is left to compare with", hint)
    if rule.comparison is C.EQUALS and finals[0] == "":
        raise UnfitError("is an empty text", 'write in: [""] if no other is meant')


def _not_allowed(
    finals: Sequence[Value], subject: Subject, rule: Condition | LinkValue
) -> list[values.Wrong]:
    """Say which values the dimension does not list; never what they are."""
    if not subject.allowed:
        return []
    known = {folded(each, rule.fold) if isinstance(each, str) else each for each in subject.allowed}
    shown = [str(each) for each in subject.allowed[:_MOST_SHOWN]]
    all_names = [str(each) for each in subject.allowed]
    is_list = isinstance(rule.value, tuple)
    return [
        (
            f"[{at}]" if is_list else "",
            "is not one of the column's values",
            near(each, all_names) or near_or_all("", shown),
        )
        for at, each in enumerate(finals)
        if each not in known
    ]


def _between(
    value: Scalar | tuple[Scalar, ...], kind: Kind, clock: Clock
) -> tuple[Test | None, list[values.Wrong]]:
    if not isinstance(value, tuple) or len(value) != 2:
        raise UnfitError("takes two values, the lowest and the highest", "write [18, 25]")
    if kind in {Kind.INTEGER, Kind.NUMBER}:
        (low, high), wrong = _pair(*_finals(value, kind, clock))
        test = Between(low=low, high=high)
    else:
        test, wrong = _between_days(value, kind, clock)
    if wrong:
        return None, wrong
    if _is_reversed(test):
        raise UnfitError("has its ends the wrong way round", "the lowest first")
    return test, []


def _pair(
    found: list[Value], wrong: list[values.Wrong]
) -> tuple[tuple[Value | None, Value | None], list[values.Wrong]]:
    return ((None, None) if wrong else (found[0], found[1])), wrong


def _between_days(
    value: tuple[Scalar, ...], kind: Kind, clock: Clock
) -> tuple[Between, list[values.Wrong]]:
    wrong: list[values.Wrong] = []
    ends: list[Between] = []
    for at, comparison in enumerate((C.FROM, C.UNTIL)):
        try:
            if values.is_template(value[at]):
                raise UnfitError(values.STILL_TEMPLATE, values.TEMPLATE_HINT)
            ends.append(compared(comparison, _text(value[at]), kind=kind, clock=clock))
        except UnfitError as error:
            wrong.append((f"[{at}]", error.text, error.hint))
    if wrong:
        return Between(), wrong
    low, high = ends
    return Between(low=low.low, high=high.high, has_high=high.has_high), []


def _is_reversed(test: Between) -> bool:
    low, high = test.low, test.high
    if isinstance(low, datetime) and isinstance(high, datetime):
        return low > high if test.has_high else low >= high
    if isinstance(low, date) and isinstance(high, date):
        return low > high
    if isinstance(low, int | Decimal) and isinstance(high, int | Decimal):
        return low > high
    return False


def _anniversary(
    value: Scalar | tuple[Scalar, ...], clock: Clock
) -> tuple[Test | None, list[values.Wrong]]:
    days, wrong = _finals(value, Kind.DATE, clock)
    if wrong:
        return None, wrong
    return Anniversary(days_of_year([day for day in days if isinstance(day, date)])), []


def _size(comparison: Comparison, value: Value) -> Between:
    match comparison:
        case C.ABOVE:
            return Between(low=value, has_low=False)
        case C.AT_LEAST:
            return Between(low=value)
        case C.BELOW:
            return Between(high=value, has_high=False)
        case _:
            return Between(high=value)


def _piece(comparison: Comparison, text: str) -> Test:
    if not text:
        raise UnfitError("is empty when accents do not count")
    if _NONE in {text, text.strip("*")}:
        raise UnfitError("is the text None", "a parameter without a value reads so")
    if comparison in _PLACES:
        return Holds(text=text, place=_PLACES[comparison])
    values.check_pattern(text)
    return Matches(text)
