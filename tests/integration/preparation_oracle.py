"""
What preparing an audience must give, row by row, slowly and with nothing of the quick way.

Each row goes through the functions for one value: ``to_e164``, ``Renderer.render_row``,
``with_mention``, ``transliterate``, ``measure``. No columns, no chunks, no second process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from smsflow_provider.core.content.encoding import is_cut_inside, measure
from smsflow_provider.core.content.opt_out_mention import has_mention, with_mention
from smsflow_provider.core.content.render import Failed, Missing, Renderer
from smsflow_provider.core.content.settings import MissingPolicy, OptOutPolicy
from smsflow_provider.core.content.template import Template
from smsflow_provider.core.content.transliteration import transliterate
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.model import MessageClass
from smsflow_provider.core.preparation.number import Number, to_e164
from smsflow_provider.core.preparation.number_value import NumberProblem
from smsflow_provider.core.preparation.population import Population, Winner
from smsflow_provider.core.store.scopes import sender_scope

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One audience, and everything that says what becomes of it."""

    rows: Sequence[Row] = field(repr=False)
    template: Template
    dialect: Dialect
    region: str | None
    population: Population
    #: By scope.
    opt_outs: Mapping[str, frozenset[int]]
    quarantined: frozenset[int]
    allowed: frozenset[int] | None
    #: By name.
    audiences: Mapping[str, frozenset[int]]
    #: The one filter there is, as Python.
    is_filtered: Callable[[Row], bool]
    #: What the sender expression gives.
    own_sender: Callable[[Row], str | None]


@dataclass(kw_only=True)
class _Person:
    row_number: int
    row: Row
    number: Number
    sender: str

    @property
    def phone(self) -> int | None:
        return None if self.number.e164 is None else int(self.number.e164)


@dataclass(kw_only=True)
class Expected:
    """What must stand in the store."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    exclusions: list[dict[str, Any]] = field(default_factory=list)
    #: Rows whose text cannot be made, by what is wrong: the preparation fails.
    missing: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    #: Units, and whether a character is cut, by position.
    units: dict[int, int] = field(default_factory=dict)
    cut: int = 0
    without_mention: int = 0

    def leave_out(
        self, person: _Person, reason: str, detail: str = "", winner: str | None = None
    ) -> None:
        """Keep an exclusion."""
        self.exclusions.append(
            {
                "row_number": person.row_number,
                "recipient_id": person.row["recipient_id"],
                "phone": person.phone,
                "reason": reason,
                "detail": detail,
                "winner_id": winner,
            }
        )


def expect(case: Case) -> Expected:
    """Say what must come of *case*."""
    expected = Expected()
    people = [_person(case, number, row) for number, row in enumerate(case.rows, start=1)]
    for reason in (_by_number, _by_list, _duplicates, _by_rule, _by_limits):
        people = reason(case, people, expected)
    renderer = Renderer(case.template)
    for person in people:
        _text(case, person, renderer, expected)
    expected.exclusions.sort(key=lambda one: int(one["row_number"]))
    return expected


def _person(case: Case, row_number: int, row: Row) -> _Person:
    number = to_e164(row["phone"], region=case.region)
    sender = (case.own_sender(row) or "").strip() or case.template.settings.sender_for(
        number.region
    )
    return _Person(row_number=row_number, row=row, number=number, sender=sender)


def _sift(
    people: Iterable[_Person], expected: Expected, tell: Callable[[_Person], tuple[str, str] | None]
) -> list[_Person]:
    left = []
    for person in people:
        found = tell(person)
        if found is None:
            left.append(person)
        else:
            expected.leave_out(person, *found)
    return left


def _by_number(case: Case, people: list[_Person], expected: Expected) -> list[_Person]:
    def tell(person: _Person) -> tuple[str, str] | None:
        number, rule = person.number, case.population.numbers
        if number.problem is NumberProblem.NO_ADDRESS:
            return "no_address", ""
        if number.problem is not None:
            return "invalid_number", number.problem.value
        if number.kind in rule.refuse:
            return "invalid_number", f"kind {number.kind.value}"
        if rule.countries and number.region not in rule.countries:
            return "invalid_number", f"country {number.region}" if number.region else "no country"
        return None

    return _sift(people, expected, tell)


def _by_list(case: Case, people: list[_Person], expected: Expected) -> list[_Person]:
    def tell(person: _Person) -> tuple[str, str] | None:
        for scope in ["", *([sender_scope(person.sender)] if person.sender else [])]:
            if person.phone in case.opt_outs.get(scope, ()):
                return "opted_out", scope
        return ("quarantined", "") if person.phone in case.quarantined else None

    return _sift(people, expected, tell)


def _duplicates(case: Case, people: list[_Person], expected: Expected) -> list[_Person]:
    rule = case.population.duplicates
    best: dict[int | None, _Person] = {}
    for person in people:
        other = best.setdefault(person.phone, person)
        if rule.keep is not Winner.FIRST and _rank(person, rule.by) > _rank(other, rule.by):
            best[person.phone] = person
    left = []
    for person in people:
        winner = best[person.phone]
        if winner is person:
            left.append(person)
        else:
            detail = f"same number as row {winner.row_number}"
            expected.leave_out(person, "duplicate", detail, winner.row["recipient_id"])
    return left


def _rank(person: _Person, by: str | None) -> tuple[bool, Any]:
    value = None if by is None else person.row[by]
    return value is not None, 0 if value is None else value


def _by_rule(case: Case, people: list[_Person], expected: Expected) -> list[_Person]:
    def tell(person: _Person) -> tuple[str, str] | None:
        if case.is_filtered(person.row):
            return "filtered", "few_points"
        if case.allowed is not None and person.phone not in case.allowed:
            return "filtered", "not on the allow-list of this environment"
        for name, numbers in case.audiences.items():
            if person.phone in numbers:
                return "excluded_audience", name
        return None

    return _sift(people, expected, tell)


def _by_limits(case: Case, people: list[_Person], expected: Expected) -> list[_Person]:
    group, limit = case.population.control_group, case.population.size_limit
    held: set[int] = set()
    if group is not None:
        # With a column only: who is drawn by lot cannot be told from outside.
        held = _highest(people, group.by, most=min(group.count or 0, len(people)))
    people = _sift(
        people,
        expected,
        lambda person: ("control_group", "") if person.row_number in held else None,
    )
    if limit is None:
        return people
    kept = _highest(people, limit.by, most=limit.count)
    return _sift(
        people, expected, lambda person: None if person.row_number in kept else ("size_limit", "")
    )


def _highest(people: list[_Person], by: str | None, *, most: int) -> set[int]:
    ranked = sorted(people, key=lambda person: _rank(person, by), reverse=True)
    return {person.row_number for person in ranked[:most]}


def _text(case: Case, person: _Person, renderer: Renderer, expected: Expected) -> None:
    settings = case.template.settings
    rendered = renderer.render_chunk({name: [value] for name, value in person.row.items()}, count=1)
    match rendered[0]:
        case Missing(field=name) if settings.missing is MissingPolicy.EXCLUDE:
            expected.leave_out(person, "missing_field", name)
        case Missing(field=name):
            expected.missing[name] += 1
        case Failed(reason=reason):
            expected.failures[reason] += 1
        case str(text):
            _message(case, person, text, expected)


def _message(case: Case, person: _Person, text: str, expected: Expected) -> None:
    settings = case.template.settings
    text, says_it = _mentioned(case.template, person, text)
    body = transliterate(text, settings.transliteration)
    if not body.strip():
        expected.failures["the text is empty"] += 1
        return
    split = case.dialect.splitting[measure(body).encoding].value
    size = measure(body, split=split)
    if size.parts > settings.max_parts:
        expected.leave_out(person, "too_long", f"{size.parts} parts")
        return
    position = len(expected.messages) + 1
    expected.without_mention += not says_it
    expected.units[position] = size.units
    expected.cut += is_cut_inside(body, split=split)
    number, column = person.number, settings.language
    language = case.template.language_of(person.row.get(column)) if column else ""
    expected.messages.append(
        {
            "position": position,
            "phone": person.phone,
            "recipient_id": person.row["recipient_id"],
            "sender": person.sender,
            "body": body,
            "encoding": size.encoding.value,
            "parts": size.parts,
            "region": number.region or "",
            "kind": number.kind.value if number.kind else "",
            "language": language,
        }
    )


def _mentioned(template: Template, person: _Person, text: str) -> tuple[str, bool]:
    settings = template.settings
    if (
        settings.message_class is not MessageClass.MARKETING
        or settings.opt_out_policy is OptOutPolicy.NONE
    ):
        return text, True
    if settings.opt_out_policy is OptOutPolicy.REQUIRE:
        return text, has_mention(text)
    mention = settings.mention_for(person.number.region) or ""
    return with_mention(text, mention), bool(mention) or has_mention(text)
