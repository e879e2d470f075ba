from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings

from smsflow_provider.core.audience.rules.plan import (
    Aggregate,
    Anniversary,
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
    Kind,
    Matches,
    Node,
    OneOf,
    Output,
    Place,
    Plan,
    Step,
    Test,
    Value,
)
from smsflow_provider.core.audience.rules.to_frame import count_steps, select_frame
from smsflow_provider.core.audience.rules.to_frame_tests import passes
from smsflow_provider.core.audience.rules.to_frame_types import cells_of
from smsflow_provider.core.errors import AudienceError
from tests.core.audience.rules.oracle import Oracle
from tests.core.audience.rules.worlds import World, plans, worlds

STORE = Hop(name="store", table="stores", on=(("store_id", "store_id"),))
ORDERS = Hop(name="orders", table="orders", on=(("id", "customer_id"),))
NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


def plan_of(*nodes: Node, also: tuple[Output, ...] = ()) -> Plan:
    number = Output(name="recipient_id", column=Column(name="id", kind=Kind.TEXT))
    steps = tuple(Step(words="", node=node) for node in nodes)
    return Plan(table="people", key="id", outputs=(number, *also), steps=steps)


def compare(kind: Kind, test: Test, *, name: str = "x", fold: Fold = Fold.NOTHING) -> Compare:
    column = Column(name=name, kind=kind)
    return Compare(path="rules", column=column, test=test, fold=fold)


def found(values: Any, node: Node) -> list[int]:
    """Who of 1, 2, 3, … has a value that passes."""
    frame = pl.DataFrame({"x": values}).with_row_index("id", offset=1)
    return [number for (number,) in select_frame(plan_of(node), {"people": frame}).rows()]


def problems(tables: dict[str, Any], *nodes: Node, also: tuple[Output, ...] = ()) -> list[str]:
    with pytest.raises(AudienceError) as caught:
        select_frame(plan_of(*nodes, also=also), tables)
    told: list[str] = caught.value.facts["problems"]  # type: ignore[assignment]
    return told


@settings(max_examples=40, deadline=None)
@given(world=worlds(), plan=plans())
def test_frames_find_who_the_plan_means(world: World, plan: Plan) -> None:
    oracle, tables = Oracle(world), world.frames()

    assert oracle.people(plan) == select_frame(plan, tables).rows()
    assert oracle.counts(plan) == count_steps(plan, tables)


@settings(max_examples=10, deadline=None)
@given(world=worlds(), plan=plans())
def test_frames_of_pandas_find_the_same(world: World, plan: Plan) -> None:
    tables = {table: frame.to_pandas() for table, frame in world.frames().items()}

    assert Oracle(world).people(plan) == select_frame(plan, tables).rows()


@pytest.mark.parametrize(
    ("values", "kind", "test", "expected"),
    [
        (pl.Series(["a", "b", None], dtype=pl.Categorical()), Kind.TEXT, Equals("a"), [1]),
        (pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"])), Kind.TEXT, OneOf(("b", "c")), [2]),
        (pl.Series([1, 200], dtype=pl.UInt8), Kind.INTEGER, Between(low=-1, high=10**30), [1, 2]),
        (pl.Series([2**64 - 1, 5], dtype=pl.UInt64), Kind.INTEGER, Equals(2**64 - 1), [1]),
        (pl.Series([1, 2], dtype=pl.Int32), Kind.INTEGER, Equals(Decimal("1.5")), []),
        (pl.Series([1, 2, 3]), Kind.NUMBER, Between(low=Decimal("1.5"), has_low=False), [2, 3]),
        (pl.Series([1.0, np.nan, None]), Kind.INTEGER, Between(low=-5), [1]),
        (pl.Series([0.1, 0.2]), Kind.NUMBER, Equals(Decimal("0.1")), [1]),
        (
            pl.Series([Decimal("1.10"), Decimal("1.11")], dtype=pl.Decimal(10, 2)),
            Kind.NUMBER,
            Between(high=Decimal("1.105")),
            [1],
        ),
        (pl.Series([Decimal("1.10")]), Kind.NUMBER, OneOf((Decimal("1.1000"),)), [1]),
        (pl.Series([datetime(2026, 3, 1, 23), None]), Kind.DATE, Equals(date(2026, 3, 1)), [1]),  # noqa: DTZ001
        (pl.Series([date(2024, 2, 29)]), Kind.DATE, Anniversary(((2, 28), (2, 29))), [1]),
        (
            pl.Series([NOON.astimezone(ZoneInfo("Asia/Kolkata"))]).cast(
                pl.Datetime("ns", "Asia/Kolkata")
            ),
            Kind.MOMENT,
            Equals(NOON.astimezone(ZoneInfo("Europe/Paris"))),
            [1],
        ),
        (pl.Series([date(2026, 3, 29)]), Kind.LOCAL_MOMENT, Equals(datetime(2026, 3, 29)), [1]),  # noqa: DTZ001
        (pl.Series([True, False, None]), Kind.BOOLEAN, Equals(value=False), [2]),
        (pl.Series([None, None]), Kind.MOMENT, IsNull(), [1, 2]),
        (pl.Series([None, None]), Kind.BOOLEAN, Equals(value=True), []),
    ],
)
def test_columns_of_wider_types_are_read_by_what_they_hold(
    values: pl.Series, kind: Kind, test: Test, expected: list[int]
) -> None:
    assert expected == found(values, compare(kind, test))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", [1, 2, 3, 4, 5, 6]),
        ("a*", [1, 2, 6]),
        ("a?b", [2, 6]),
        ("a.b", []),
        ("a\\?b", [6]),
        ("\\\\", [3]),
        ("\\", [3]),
        ("?", [1, 3, 4]),
        ("", [5]),
    ],
)
def test_patterns_are_over_whole_texts_and_nothing_else_is_special(
    pattern: str, expected: list[int]
) -> None:
    texts = ["a", "a\nb", "\\", "😀", "", "a?b"]

    assert expected == found(texts, compare(Kind.TEXT, Matches(pattern)))


def test_texts_are_folded_before_they_are_compared() -> None:
    texts = ["Œuvre", "OEUVRES", "oe", "e\u0301", None]

    held = compare(Kind.TEXT, Holds(text="oeu", place=Place.START), fold=Fold.BOTH)
    assert [1, 2] == found(texts, held)
    assert [4] == found(texts, compare(Kind.TEXT, Equals("e"), fold=Fold.ACCENTS))
    assert [2, 3, 4, 5] == found(
        texts, Except(path="rules", node=compare(Kind.TEXT, Equals("œuvre"), fold=Fold.CASE))
    )


def test_everything_that_is_missing_or_of_another_type_is_told_at_once() -> None:
    tables = {
        "people": pl.DataFrame({"id": [1], "citty": ["a"], "age": ["7"], "seen": [NOON]}),
        "order": pl.DataFrame({"customer_id": [1]}),
    }
    local = compare(Kind.LOCAL_MOMENT, IsNull(), name="seen")
    told = problems(
        tables,
        compare(Kind.TEXT, Equals("a"), name="city"),
        compare(Kind.INTEGER, Equals(7), name="age"),
        local,
        Has(path="rules", link=ORDERS),
    )

    assert [
        "people.city: there is no such column (did you mean 'citty'?)",
        "orders: no frame was given for this table (did you mean 'order'?)",
        "people.age: the rules take it for integer, the frame holds text",
        "people.seen: the rules take it for local_moment, the frame holds moment with a zone",
    ] == told


def test_columns_that_can_never_meet_are_told() -> None:
    tables = {
        "people": pl.DataFrame({"id": [1]}),
        "orders": pl.DataFrame({"customer_id": ["1"]}),
    }

    assert ["people.id holds number and orders.customer_id text: they never meet"] == problems(
        tables, Has(path="rules", link=ORDERS)
    )


def test_a_person_or_a_row_that_a_link_leads_to_is_there_once() -> None:
    city = Output(name="city", column=Column(hops=(STORE,), name="city", kind=Kind.TEXT))
    stores = pl.DataFrame({"store_id": [1, 1, None, None], "city": list("abcd")})
    people = pl.DataFrame({"id": [7, 7, None], "store_id": [1, None, 1]})

    assert [
        "people.id: it identifies a person and is empty in some rows",
        "people.id: it identifies a person and is the same in several rows",
        "stores: link 'store' leads to several rows for one",
    ] == problems({"people": people, "stores": stores}, also=(city,))


def test_frames_of_pandas_are_read_by_the_columns_that_the_plan_names() -> None:
    people = pd.DataFrame(
        {
            "id": ["b", "a", "c", "d"],
            "store_id": [1, np.nan, 2, 1],
            "name": ["Zoé", None, np.nan, pd.NA],
            "born": pd.to_datetime(["2000-02-29", None, "2000-03-01", "2000-02-29"]),
            "unreadable": [b"1", b"2", b"3", b"4"],
        }
    ).set_index("id")
    orders = pd.DataFrame({"customer_id": ["b", "b", "c", None], "amount": [1.5, 2, np.nan, 4]})
    stores = pd.DataFrame({"store_id": [1, 2], "city": pd.Categorical(["Paris", "Lyon"])})
    city = Output(name="city", column=Column(hops=(STORE,), name="city", kind=Kind.TEXT))
    total = Aggregate(
        path="rules",
        link=ORDERS,
        function=Function.SUM,
        column=Column(name="amount", kind=Kind.NUMBER),
        test=Between(low=0),
    )
    plan = plan_of(total, compare(Kind.DATE, Anniversary(((2, 29),)), name="born"), also=(city,))
    tables = {"people": people, "orders": orders, "stores": stores}

    assert [("b", "Paris"), ("d", "Paris")] == select_frame(plan, tables).rows()
    assert (4, 4, 2) == count_steps(plan, tables)
    assert (0, 0, 0) == count_steps(plan, {**tables, "people": people[:0]})


def test_columns_of_pandas_with_one_name_are_refused() -> None:
    people = pd.DataFrame([[1, "a", "b"]], columns=["id", "x", "x"])

    assert ["people: several columns have one name"] == problems(
        {"people": people}, compare(Kind.TEXT, Equals("a"))
    )


def test_lazy_frames_are_read_by_the_columns_that_the_plan_names(tmp_path: Any) -> None:
    path = tmp_path / "people.parquet"
    pl.DataFrame({"id": [2, 1], "x": ["a", "a"], "y": [0, 0]}).write_parquet(path)
    plan = plan_of(compare(Kind.TEXT, Equals("a")))

    assert [(1,), (2,)] == select_frame(plan, {"people": pl.scan_parquet(path)}).rows()


def test_outputs_keep_the_types_of_the_frame() -> None:
    x = Output(name="x", column=Column(name="x", kind=Kind.TEXT))
    people = pl.DataFrame({"id": [1], "x": pl.Series(["a"], dtype=pl.Categorical())})

    schema = select_frame(plan_of(also=(x,)), {"people": people}).schema
    assert {"recipient_id": pl.Int64(), "x": pl.Categorical()} == dict(schema)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (pl.Series([1, 2], dtype=pl.Int32), pl.Series([2.0, 2.5, None]), [2]),
        (pl.Series([1.5, 2.0]), pl.Series([2, 3], dtype=pl.UInt64), [2]),
        (pl.Series([1, 2]), pl.Series([Decimal("2.00"), Decimal("2.50")]), [2]),
        (pl.Series(["a", "b"], dtype=pl.Categorical()), pl.Series(["b"]), [2]),
        (pl.Series([date(2026, 1, 1), None]), pl.Series([datetime(2026, 1, 1)]), [1]),  # noqa: DTZ001
        (pl.Series([None, None]), pl.Series([1, None]), []),
        (
            pl.Series([NOON, None]).cast(pl.Datetime("ms", "Asia/Tokyo")),
            pl.Series([NOON]),
            [1],
        ),
    ],
)
def test_links_meet_by_value_whatever_the_types(
    ours: pl.Series, theirs: pl.Series, expected: list[int]
) -> None:
    link = Hop(name="orders", table="orders", on=(("x", "y"),))
    people = pl.DataFrame({"id": [1, 2], "x": ours})
    tables = {"people": people, "orders": pl.DataFrame({"y": theirs})}

    rows = select_frame(plan_of(Has(path="rules", link=link)), tables).rows()
    assert expected == [number for (number,) in rows]


def test_errors_hold_no_value_of_a_row() -> None:
    people = pl.DataFrame({"id": ["+33612345678"] * 2, "x": ["0612345678"] * 2})

    told = problems({"people": people})
    assert "612345678" not in "".join(told)


@pytest.mark.parametrize("kind", [Kind.INTEGER, Kind.NUMBER, Kind.DATE, Kind.MOMENT, Kind.TEXT])
def test_a_set_may_be_long(kind: Kind) -> None:
    """Comparisons joined one by one took minutes from a thousand on."""
    start = datetime(2000, 1, 1, tzinfo=UTC)
    sets: dict[Kind, list[Value]] = {
        Kind.INTEGER: list(range(10_000)),
        Kind.NUMBER: [Decimal(number) / 4 for number in range(10_000)],
        Kind.DATE: [(start + timedelta(days=number)).date() for number in range(10_000)],
        Kind.MOMENT: [start + timedelta(days=number) for number in range(10_000)],
        Kind.TEXT: [f"v{number}" for number in range(10_000)],
    }
    cells = pl.Series([sets[kind][9_999], None])
    test = OneOf(tuple(sets[kind]))

    assert [True, False] == truths(cells, test, kind=kind)
    assert [False, False] == truths(cells, test, kind=kind, is_negated=True)


def test_a_number_too_large_for_the_set_is_none_of_it() -> None:
    cells = pl.Series([2**127 + 5, 7], dtype=pl.UInt128)

    assert [True, False] == truths(cells, OneOf((7, 8)), kind=Kind.INTEGER, is_negated=True)


def truths(cells: pl.Series, test: Test, *, kind: Kind, is_negated: bool = False) -> list[bool]:
    found = passes(
        cells_of(pl.col("cell"), cells.dtype, kind=kind),
        test,
        is_negated=is_negated,
        fold=Fold.NOTHING,
    )
    return pl.DataFrame({"cell": cells}).select(truth=found).get_column("truth").to_list()
