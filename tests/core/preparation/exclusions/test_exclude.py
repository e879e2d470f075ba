"""Whole columns and row by row: the same people are left out, for the same reasons."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.preparation.exclusions.exclude import exclude
from smsflow_provider.core.preparation.exclusions.pressure import Pressure
from smsflow_provider.core.preparation.exclusions.rules import ExclusionRules, Lists
from smsflow_provider.core.preparation.number_value import NumberKind, NumberProblem
from smsflow_provider.core.preparation.population import (
    Duplicates,
    Numbers,
    Population,
    Share,
    SizeLimit,
    Winner,
)
from tests.core.preparation.exclusions.people import (
    Person,
    SlowExclusions,
    counted,
    make_candidates,
    make_contacts,
    make_lists,
    make_numbers,
    nobody,
    verdicts_of,
)

PHONES = [33600000000 + place for place in range(1, 41)]
VALUES = [None, -1.0, -0.0, 0.0, 0.5, 7.0, float("nan"), float("inf")]
SCOPES = ["", "programme:loyalty", "sender:ACME", "sender:LOYALTY", "sender:36111"]


def draw_person(lot: Random) -> Person:
    """Draw a row; most of them come far."""
    if lot.random() < 0.1:
        return nobody(lot.choice(list(NumberProblem)))
    return Person(
        phone=lot.choice(PHONES),
        kind=NumberKind.MOBILE if lot.random() < 0.8 else lot.choice(list(NumberKind)),
        region=lot.choice(["FR", "FR", "FR", "FR", "BE", "DE", None]),
        sender=lot.choice([None, "", "ACME", "Acme", "Loyalty", "+36111"]),
        filter=lot.choice([None, None, None, None, 0, 1, 2, 3]),
        duplicate_by=lot.choice(VALUES),
        control_by=lot.choice(VALUES),
        limit_by=lot.choice(VALUES),
        most=lot.choice([None, None, 0, 1, 2, 3]),
    )


def draw_lists(lot: Random) -> Lists:
    """Draw lists, each with a few of the numbers."""

    def some(most: int = 3) -> pl.Series:
        return make_numbers(*lot.sample(PHONES, lot.randint(0, most)))

    def contacts() -> pl.DataFrame:
        return make_contacts({phone: lot.randint(1, 4) for phone in lot.sample(PHONES, 15)})

    return Lists(
        opt_outs={scope: some(8 if scope else 3) for scope in SCOPES},
        quarantined=some(),
        audiences={"vips": some(6), "staff": some(6)},
        allowed=lot.choice([None, None, make_numbers(*PHONES[4:])]),
        contacts={"weekly": contacts(), "monthly": contacts()},
    )


shares = st.one_of(
    st.none(),
    st.builds(Share, percent=st.sampled_from([0.1, 10, 12.5, 33.3, 50, 100])),
    st.builds(Share, count=st.integers(1, 8), by=st.none() | st.just("points")),
)
populations = st.builds(
    Population,
    numbers=st.builds(
        Numbers,
        refuse=st.frozensets(st.sampled_from([*NumberKind][1:]), max_size=4),
        countries=st.sampled_from([frozenset(), frozenset({"FR"}), frozenset({"FR", "BE"})]),
    ),
    duplicates=st.one_of(
        st.just(Duplicates()),
        st.sampled_from([Winner.FRESHEST, Winner.HIGHEST]).map(
            lambda keep: Duplicates(keep=keep, by="points")
        ),
    ),
    audiences=st.sampled_from([(), ("vips",), ("vips", "staff")]),
    control_group=shares,
    size_limit=st.none()
    | st.builds(SizeLimit, count=st.integers(0, 12), by=st.none() | st.just("points")),
)
pressures = st.builds(
    Pressure,
    name=st.sampled_from(["weekly", "monthly"]),
    days=st.just(7),
    most=st.integers(0, 4),
    most_column=st.sampled_from(["", "most"]),
)
rule_sets = st.builds(
    ExclusionRules,
    population=populations,
    filters=st.sampled_from([(), ("vip", "asleep", "moved")]),
    scopes=st.sampled_from([(), ("",), ("", "programme:loyalty")]),
    pressures=st.lists(pressures, max_size=2, unique_by=lambda one: one.name).map(tuple),
    draw=st.sampled_from(["shop.sale", "shop.news"]),
)


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(0, 80),
    frame_rows=st.integers(1, 80),
    rules=rule_sets,
)
def test_columns_say_what_pencil_and_paper_say(
    seed: int, count: int, frame_rows: int, rules: ExclusionRules
) -> None:
    lot = Random(seed)
    people, lists = [draw_person(lot) for _ in range(count)], draw_lists(lot)
    slow = SlowExclusions(people=people, rules=rules, lists=lists)
    candidates = make_candidates(people, frame_rows=frame_rows)

    exclude(candidates, rules, lists)

    assert slow.run() == verdicts_of(candidates)
    assert dict(counted(slow.verdicts)) == candidates.counts()
    assert Counter(one for one in slow.verdicts if one) == candidates.details()
    assert [one is None for one in slow.verdicts] == candidates.still_in().to_list()
    winners = {loser + 1: winner + 1 for loser, winner in slow.winners.items()}
    assert winners == dict(candidates.winner_rows().iter_rows())


def test_the_drawn_audiences_come_to_every_reason() -> None:
    """Otherwise the test above would say little of the last of them."""
    population = Population(
        audiences=("vips", "staff"),
        control_group=Share(percent=10, by="points"),
        size_limit=SizeLimit(count=5, by="points"),
    )
    rules = ExclusionRules(
        population=population,
        filters=("vip", "asleep", "moved"),
        pressures=(Pressure(name="weekly", days=7, most=3, most_column="most"),),
    )
    found: Counter[Exclusion] = Counter()
    for seed in range(20):
        lot = Random(seed)
        people = [draw_person(lot) for _ in range(80)]
        slow = SlowExclusions(people=people, rules=rules, lists=draw_lists(lot))
        found.update(verdict[0] for verdict in slow.run() if verdict)

    assert [reason for reason, _ in EVERY_REASON] == [one for one in Exclusion if found[one] > 10]


ONE = 33600000001
#: Everything that could be said against one row, from the first reason to the last.
EVERY_REASON: list[tuple[Exclusion, str]] = [
    (Exclusion.NO_ADDRESS, ""),
    (Exclusion.INVALID_NUMBER, "kind premium"),
    (Exclusion.OPTED_OUT, ""),
    (Exclusion.QUARANTINED, ""),
    (Exclusion.DUPLICATE, ""),
    (Exclusion.FILTERED, "vip"),
    (Exclusion.EXCLUDED_AUDIENCE, "staff"),
    (Exclusion.CONTROL_GROUP, ""),
    (Exclusion.PRESSURE, "weekly"),
    (Exclusion.SIZE_LIMIT, ""),
]


def against_one(since: Exclusion) -> tuple[list[Person], ExclusionRules, Lists]:
    """Hold against the second of two rows every reason from *since* on, and none before."""
    reasons = [reason for reason, _ in EVERY_REASON]
    held = set(reasons[reasons.index(since) :])
    phone = ONE if Exclusion.DUPLICATE in held else ONE + 1
    kind = NumberKind.PREMIUM if Exclusion.INVALID_NUMBER in held else NumberKind.MOBILE
    person = Person(phone=phone, kind=kind, filter=1)
    if Exclusion.NO_ADDRESS in held:
        person = nobody()
    on = make_numbers(phone)
    population: dict[str, Any] = {
        "audiences": ("staff",) if Exclusion.EXCLUDED_AUDIENCE in held else (),
        "control_group": Share(count=2) if Exclusion.CONTROL_GROUP in held else None,
        "size_limit": SizeLimit(count=0) if Exclusion.SIZE_LIMIT in held else None,
    }
    rules = ExclusionRules(
        population=Population(**population),
        filters=("vip",) if Exclusion.FILTERED in held else (),
        pressures=(Pressure(name="weekly", days=7, most=0),) if Exclusion.PRESSURE in held else (),
    )
    lists = make_lists(
        opt_outs={"": on if Exclusion.OPTED_OUT in held else make_numbers()},
        quarantined=on if Exclusion.QUARANTINED in held else make_numbers(),
        audiences={"staff": on},
        contacts={"weekly": make_contacts({})},
    )
    return [Person(phone=ONE), person], rules, lists


@pytest.mark.parametrize(("reason", "detail"), EVERY_REASON, ids=str)
def test_of_several_reasons_the_first_wins(reason: Exclusion, detail: str) -> None:
    people, rules, lists = against_one(reason)
    candidates = make_candidates(people)

    exclude(candidates, rules, lists)

    assert (reason, detail) == verdicts_of(candidates)[1]


def test_every_reason_that_needs_no_text_is_tried_in_the_order_of_the_law() -> None:
    people, rules, lists = against_one(Exclusion.NO_ADDRESS)
    told: list[Exclusion] = []

    exclude(make_candidates(people), rules, lists, on_reason=told.append)

    with_texts = [Exclusion.MISSING_FIELD, Exclusion.TOO_LONG]
    assert list(Exclusion) == [*told, *with_texts]
    assert [reason for reason, _ in EVERY_REASON] == told


def test_nobody_at_all_can_be_excluded() -> None:
    _, rules, lists = against_one(Exclusion.NO_ADDRESS)
    candidates = make_candidates([])

    exclude(candidates, rules, lists)

    assert {} == candidates.counts()
    assert 0 == len(candidates)


def test_a_halted_exclusion_says_nothing_more() -> None:
    """A preparation that is stopped ends at the next reason."""

    class StoppedError(Exception):
        pass

    def stop(reason: Exclusion) -> None:
        if reason is Exclusion.OPTED_OUT:
            raise StoppedError

    people, rules, lists = against_one(Exclusion.QUARANTINED)
    with pytest.raises(StoppedError):
        exclude(make_candidates(people), rules, lists, on_reason=stop)


@pytest.mark.parametrize(
    ("rules", "missing"),
    [
        (ExclusionRules(scopes=("", "programme:x")), "opt-outs of the scope 'programme:x'"),
        (
            ExclusionRules(population=Population(audiences=("staff", "gone"))),
            "audience 'gone'",
        ),
        (
            ExclusionRules(pressures=(Pressure(name="daily", days=1, most=1),)),
            "contacts of the pressure rule 'daily'",
        ),
        (
            ExclusionRules(pressures=(Pressure(name="weekly", days=1, most=1, most_column="x"),)),
            "rule column 'x'",
        ),
    ],
)
def test_a_list_that_was_not_loaded_is_no_empty_list(rules: ExclusionRules, missing: str) -> None:
    """A list forgotten on the way would text everybody on it."""
    lists = make_lists(audiences={"staff": make_numbers()}, contacts={"weekly": make_contacts({})})

    with pytest.raises(ValueError, match=missing):
        exclude(make_candidates([Person()]), rules, lists)


def test_the_list_of_a_sender_that_was_not_loaded_is_missed_too() -> None:
    with pytest.raises(ValueError, match="'sender:ACME'"):
        exclude(make_candidates([Person(sender="Acme")]), ExclusionRules(), make_lists())
