"""Rules as SQL, asked of real databases: texts, moments and links that are made to mislead."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.audience.rules.plan import (
    Aggregate,
    Any,
    Between,
    Column,
    Compare,
    Equals,
    Fold,
    Function,
    Holds,
    KeyPart,
    Kind,
    Matches,
    OneOf,
    Output,
    Place,
    Plan,
    Step,
    Test,
)
from smsflow_provider.core.audience.rules.to_frame import select_frame
from smsflow_provider.core.audience.rules.to_sql import (
    repeated_links_sql,
    select_sql,
    steps_sql,
)
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from tests.core.audience.rules.engines import (
    Engine,
    duckdb_engine,
    postgres_engine,
    sqlite_engine,
)
from tests.core.audience.rules.oracle import Oracle
from tests.core.audience.rules.worlds import CARELESS, COLUMNS, REFERRED, STORE, World

#: What could end a literal or a statement somewhere, or be read as something else.
NASTY = "'\"`\\%_!*?[](){}:;$#@&-/\n\r\t\x01\x1a\x7f\u2028 .aAéÉß\u0301日😀"
TEXTS = st.text(st.sampled_from(NASTY), min_size=1, max_size=8) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8
)


@pytest.fixture(scope="module")
def engines(postgres: EmbeddedPostgres) -> Iterator[list[Engine]]:
    name = f"rules_{uuid.uuid4().hex[:12]}"
    made = [postgres_engine(postgres.create_database(name)), sqlite_engine(), duckdb_engine()]
    yield made
    for engine in made:
        engine.close()
    postgres.drop_database(name)


def loaded(engines: list[Engine], world: World) -> Iterator[Engine]:
    for engine in engines:
        engine.load(world)
        yield engine


def plan_of(test: Test, *, of: Column, fold: Fold = Fold.NOTHING) -> Plan:
    node = Compare(path="rules", column=of, test=test, fold=fold)
    key = Column(name="id", kind=Kind.TEXT)
    return Plan(
        table="crm.customers",
        key="id",
        outputs=(Output(name="recipient_id", column=key),),
        steps=(Step(words="a step", node=node),),
    )


def customer(**cells: object) -> tuple[object, ...]:
    return tuple(cells.get(name) for name in COLUMNS["crm.customers"])


def world_of(people: list[tuple[object, ...]], **tables: list[tuple[object, ...]]) -> World:
    rows: dict[str, list[tuple[object, ...]]] = {table: [] for table in COLUMNS}
    return World({**rows, "crm.customers": people, **tables})


def escaped(text: str) -> str:
    return "".join(f"\\{character}" if character in "*?\\" else character for character in text)


@settings(max_examples=40, deadline=None)
@given(text=TEXTS, mode=st.sampled_from(["on", "off"]))
def test_a_text_finds_the_row_that_holds_it_and_no_other(
    engines: list[Engine], text: str, mode: str
) -> None:
    """Whatever it is made of, and however the server reads backslashes."""
    others = {f"{text} ", f" {text}", text.swapcase(), text + text, "\\", "'"} - {text}
    people = [customer(id=f"{place:02}", city=one) for place, one in enumerate([text, *others])]
    world, city = world_of(people), Column(name="city", kind=Kind.TEXT)
    engines[0].run(f"SET standard_conforming_strings = {mode}")
    tests: list[Test] = [
        Equals(text),
        Matches(escaped(text)),
        *(Holds(text=text, place=place) for place in Place),
    ]
    for engine in loaded(engines, world):
        for test in tests:
            plan = plan_of(test, of=city)
            found = engine.run(select_sql(plan, dialect=engine.dialect))
            assert Oracle(world).people(plan) == found, (engine.dialect, test)
        assert [("00",)] == engine.run(
            select_sql(plan_of(Equals(text), of=city), dialect=engine.dialect)
        )
    engines[0].run("SET standard_conforming_strings = on")


@pytest.mark.parametrize(
    ("written", "is_found"),
    [
        ("2026-03-29 01:00:00", True),
        ("2026-03-29T01:00:00Z", True),
        ("2026-03-29 03:00:00.000000+02:00", True),
        ("2026-03-28T20:00:00.999999-05:00", True),
        ("2026-03-29 00:59:59.999999", False),
        ("2026-03-29 01:00:01", False),
        ("2026-03-29 01:00:00+02:00", False),
        ("29/03/2026 01:00", False),
        (1774746000, False),
    ],
)
def test_moments_of_sqlite_are_texts_with_any_zone(written: object, *, is_found: bool) -> None:
    engine = sqlite_engine()
    row = customer(id="a", seen=written)
    engine.load(world_of([row]))
    begin = datetime(2026, 3, 29, 1, tzinfo=UTC)
    second = Between(low=begin, high=begin + timedelta(seconds=1), has_high=False)
    sql = select_sql(plan_of(second, of=Column(name="seen", kind=Kind.MOMENT)), dialect="sqlite")

    assert is_found == bool(engine.run(sql))
    engine.close()


def test_nobody_is_found_while_a_link_to_one_row_leads_to_several(engines: list[Engine]) -> None:
    """Or a person would come twice, and who knows by which of the rows."""
    city = Column(hops=(STORE,), name="city", kind=Kind.TEXT)
    plan = plan_of(Equals("Paris"), of=city)
    store = (1, "Paris", None)
    people = [customer(id="a", store_id=1)]
    for engine in loaded(engines, world_of(people, stores=[store])):
        assert [("a",)] == engine.run(select_sql(plan, dialect=engine.dialect))
        assert [("store", 0)] == engine.run(str(repeated_links_sql(plan, dialect=engine.dialect)))
    for engine in loaded(engines, world_of(people, stores=[store, store, (2, "Lyon", None)])):
        assert [] == engine.run(select_sql(plan, dialect=engine.dialect))
        assert [(0, 0)] == engine.run(steps_sql(plan, dialect=engine.dialect))
        assert [("store", 1)] == engine.run(str(repeated_links_sql(plan, dialect=engine.dialect)))


def test_a_long_text_and_many_of_them_are_found(engines: list[Engine]) -> None:
    long = "\\\n'e" * 500
    several = OneOf((long, *(f"city {number}" for number in range(2000))))
    city = Column(name="city", kind=Kind.TEXT)
    world = world_of([customer(id="a", city=long), customer(id="b", city="city 7")])
    for engine in loaded(engines, world):
        for fold in (Fold.NOTHING, Fold.ACCENTS):
            plan = plan_of(several, of=city, fold=fold)
            found = engine.run(select_sql(plan, dialect=engine.dialect))
            assert [("a",), ("b",)] == found, engine.dialect


def test_a_limit_takes_the_first_people_by_key(engines: list[Engine]) -> None:
    world = world_of([customer(id=key, city="x") for key in ("b", "É", "a", "B")])
    plan = plan_of(Equals("x"), of=Column(name="city", kind=Kind.TEXT))
    for engine in loaded(engines, world):
        found = engine.run(select_sql(plan, dialect=engine.dialect, limit=3))
        assert [("B",), ("a",), ("b",)] == found


def test_rows_that_tie_for_the_last_are_told_apart_by_code_point(engines: list[Engine]) -> None:
    """The key is under a collation to which b comes before C; by code point it comes after."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        customer(id="1", referrer=None),
        customer(id="2", referrer="1", seen=at, city="small", **{CARELESS: "b"}),
        customer(id="3", referrer="1", seen=at, city="capital", **{CARELESS: "C"}),
    ]
    node = Aggregate(
        path="rules",
        link=REFERRED,
        function=Function.LAST,
        column=Column(name="city", kind=Kind.TEXT),
        order=Column(name="seen", kind=Kind.MOMENT),
        key=(KeyPart(name=CARELESS, kind=Kind.TEXT),),
        test=Equals("small"),
    )
    key = Output(name="recipient_id", column=Column(name="id", kind=Kind.TEXT))
    plan = Plan(table="crm.customers", key="id", outputs=(key,), steps=(Step(words="", node=node),))

    world = World({name: rows if name == "crm.customers" else [] for name in COLUMNS})
    for engine in loaded(engines, world):
        assert [("1",)] == engine.run(select_sql(plan, dialect=engine.dialect)), engine.dialect
    assert [("1",)] == select_frame(plan, world.frames()).rows()


def test_a_thousand_conditions_are_not_too_deep(engines: list[Engine]) -> None:
    city = Column(name="city", kind=Kind.TEXT)
    nodes = tuple(
        Compare(path="rules", column=city, test=Equals(f"v{number}")) for number in range(1_000)
    )
    key = Output(name="recipient_id", column=Column(name="id", kind=Kind.TEXT))
    some = Plan(
        table="crm.customers",
        key="id",
        outputs=(key,),
        steps=(Step(words="", node=Any(path="rules", nodes=nodes)),),
    )
    others = replace(
        some, steps=tuple(Step(words="", node=replace(one, is_negated=True)) for one in nodes)
    )
    rows = [customer(id="1", city="v999"), customer(id="2", city="w")]

    world = World({name: rows if name == "crm.customers" else [] for name in COLUMNS})
    for engine in loaded(engines, world):
        assert [("1",)] == engine.run(select_sql(some, dialect=engine.dialect)), engine.dialect
        assert [("2",)] == engine.run(select_sql(others, dialect=engine.dialect)), engine.dialect
