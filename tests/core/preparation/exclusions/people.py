"""Small audiences for tests, and the exclusions told row by row: slow, and plain to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import blake2b
from math import isnan
from typing import Any

import polars as pl

from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.preparation.candidates import KINDS, PROBLEMS, Candidates
from smsflow_provider.core.preparation.exclusions.pressure import Pressure
from smsflow_provider.core.preparation.exclusions.rules import ExclusionRules, Lists
from smsflow_provider.core.preparation.number_value import NumberKind, NumberProblem
from smsflow_provider.core.preparation.population import Share, SizeLimit, Winner
from smsflow_provider.core.store.scopes import sender_scope

Verdict = tuple[Exclusion, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One row of an audience, as the rules see it."""

    phone: int | None = 33600000001
    problem: NumberProblem | None = None
    kind: NumberKind | None = NumberKind.MOBILE
    region: str | None = "FR"
    sender: str | None = None
    #: Number of the first filter that holds.
    filter: int | None = None
    duplicate_by: float | None = None
    control_by: float | None = None
    limit_by: float | None = None
    #: A threshold of the person's own.
    most: int | None = None


def nobody(problem: NumberProblem = NumberProblem.NO_ADDRESS) -> Person:
    """Make a row whose phone could not be read."""
    return Person(phone=None, problem=problem, kind=None, region=None)


def make_candidates(people: Sequence[Person], *, frame_rows: int = 1000) -> Candidates:
    """Gather *people*, frame by frame."""
    frames = (
        _frames_of(people[start : start + frame_rows])
        for start in range(0, len(people), frame_rows)
    )
    return Candidates.gather(frames, count=len(people))


def _frames_of(people: Sequence[Person]) -> tuple[pl.DataFrame, pl.DataFrame]:
    numbers = pl.DataFrame(
        {
            "phone": pl.Series([one.phone for one in people], dtype=pl.UInt64),
            "problem": pl.Series([one.problem for one in people], dtype=PROBLEMS),
            "region": pl.Series([one.region for one in people], dtype=pl.String),
            "kind": pl.Series([one.kind for one in people], dtype=KINDS),
        }
    )
    kinds: Mapping[str, Any] = {
        "sender": pl.Categorical,
        "filter": pl.UInt16,
        "duplicate_by": pl.Float64,
        "control_by": pl.Float64,
        "limit_by": pl.Float64,
        "most": pl.Int16,
    }
    values = {
        name: pl.Series([getattr(one, name) for one in people], dtype=kind)
        for name, kind in kinds.items()
    }
    return numbers, pl.DataFrame(values)


def make_numbers(*phones: int) -> pl.Series:
    """Make a list of numbers."""
    return pl.Series("phone", sorted(phones), dtype=pl.UInt64)


def make_contacts(counts: Mapping[int, int]) -> pl.DataFrame:
    """Make contacts: texts by number."""
    schema = {"phone": pl.UInt64, "count": pl.Int32}
    return pl.DataFrame(list(counts.items()), schema=schema, orient="row")


def make_lists(**given: Any) -> Lists:
    """Make lists that are empty unless given."""
    lists = {"opt_outs": {"": make_numbers()}, "quarantined": make_numbers(), **given}
    return Lists(**lists)


def verdicts_of(candidates: Candidates) -> list[Verdict]:
    """Tell reason and detail of each row, or None for those still in."""
    rows = candidates.slice(0, len(candidates)).iter_rows(named=True)
    return [(Exclusion(row["reason"]), row["detail"]) if row["reason"] else None for row in rows]


@dataclass(kw_only=True)
class SlowExclusions:
    """The exclusions as a person would do them with pencil and paper."""

    people: Sequence[Person]
    rules: ExclusionRules
    lists: Lists
    verdicts: list[Verdict] = field(default_factory=list)
    #: Loser to winner, by place.
    winners: dict[int, int] = field(default_factory=dict)

    def run(self) -> list[Verdict]:
        """Decide about everybody."""
        self.verdicts = [self._of_number(one) for one in self.people]
        self._duplicates()
        for place in self._waiting():
            self.verdicts[place] = self._of_person(self.people[place])
        self._control_group()
        for rule in self.rules.pressures:
            self._pressure(rule)
        self._size_limit()
        return self.verdicts

    def _waiting(self) -> list[int]:
        return [place for place, verdict in enumerate(self.verdicts) if verdict is None]

    def _of_number(self, one: Person) -> Verdict:
        if one.problem is NumberProblem.NO_ADDRESS:
            return Exclusion.NO_ADDRESS, ""
        wrong = self._wrong_with(one)
        if wrong is not None:
            return Exclusion.INVALID_NUMBER, wrong
        own = [sender_scope(one.sender)] if one.sender else []
        for scope in [*self.rules.scopes, *own]:
            if one.phone in self.lists.opt_outs[scope].to_list():
                return Exclusion.OPTED_OUT, scope
        if one.phone in self.lists.quarantined.to_list():
            return Exclusion.QUARANTINED, ""
        return None

    def _wrong_with(self, one: Person) -> str | None:
        numbers = self.rules.population.numbers
        if one.phone is None:
            return one.problem.value if one.problem else ""
        if one.kind in numbers.refuse:
            return f"kind {one.kind.value}"
        if numbers.countries and (one.region or "") not in numbers.countries:
            return f"country {one.region}" if one.region else "no country"
        return None

    def _duplicates(self) -> None:
        rule = self.rules.population.duplicates
        groups: dict[int | None, list[int]] = {}
        for place in self._waiting():
            groups.setdefault(self.people[place].phone, []).append(place)
        for places in groups.values():
            winner = places[0]
            if rule.keep is not Winner.FIRST:
                (winner,) = self._highest(places, "duplicate_by", count=1)
            for loser in set(places) - {winner}:
                self.verdicts[loser] = Exclusion.DUPLICATE, ""
                self.winners[loser] = winner

    def _highest(self, places: Sequence[int], name: str, *, count: int) -> list[int]:
        def key(place: int) -> tuple[bool, float]:
            value = getattr(self.people[place], name)
            has_none = value is None or isnan(value)
            return has_none, 0.0 if has_none else -value

        return sorted(places, key=key)[:count]

    def _of_person(self, one: Person) -> Verdict:
        if self.rules.filters and one.filter:
            return Exclusion.FILTERED, self.rules.filters[one.filter - 1]
        if self.lists.allowed is not None and one.phone not in self.lists.allowed.to_list():
            return Exclusion.FILTERED, "not on the allow-list of this environment"
        for name in self.rules.population.audiences:
            if one.phone in self.lists.audiences[name].to_list():
                return Exclusion.EXCLUDED_AUDIENCE, name
        return None

    def _control_group(self) -> None:
        share = self.rules.population.control_group
        if share is None:
            return
        places = self._waiting()
        count = _size_of(share, len(places))
        if share.by is None:
            held = sorted(places, key=lambda place: _lot(self.people[place], self.rules.draw))
        else:
            held = self._highest(places, "control_by", count=count)
        for place in held[:count]:
            self.verdicts[place] = Exclusion.CONTROL_GROUP, ""

    def _pressure(self, rule: Pressure) -> None:
        counts = dict(self.lists.contacts[rule.name].iter_rows())
        for place in self._waiting():
            one = self.people[place]
            most = rule.most
            if rule.most_column and one.most is not None:
                most = one.most
            if not counts.get(one.phone, 0) < most:
                self.verdicts[place] = Exclusion.PRESSURE, rule.name

    def _size_limit(self) -> None:
        limit = self.rules.population.size_limit
        if limit is not None:
            for place in set(self._waiting()) - set(self._within(limit)):
                self.verdicts[place] = Exclusion.SIZE_LIMIT, ""

    def _within(self, limit: SizeLimit) -> list[int]:
        if limit.by is None:
            return self._waiting()[: limit.count]
        return self._highest(self._waiting(), "limit_by", count=limit.count)


def _size_of(share: Share, of: int) -> int:
    if share.count is not None:
        return share.count
    exact = of * Fraction(str(share.percent)) / 100
    return int(exact + Fraction(1, 2))


def _lot(one: Person, draw: str) -> int:
    """Compute SplitMix64's finaliser in integers without an end."""
    most = 2**64 - 1
    salt = int.from_bytes(blake2b(draw.encode(), digest_size=8).digest(), "big")
    bits = ((one.phone or 0) + salt) & most
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & most
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & most
    return bits ^ (bits >> 31)


def counted(verdicts: Sequence[Verdict]) -> Iterator[tuple[Exclusion, int]]:
    """Count verdicts by reason, in the order of reasons."""
    counts = Counter(verdict[0] for verdict in verdicts if verdict)
    return ((reason, counts[reason]) for reason in Exclusion if counts[reason])
