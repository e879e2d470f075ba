"""
Small worlds: random people, orders, stores and products, and random plans about them.

Values come from small pools that plans draw from too, so that limits are met: texts that differ
by case, accents or composition only, or hold what SQL could take for its own; moments at both
sides of a day's or a summer time's limit. Numbers are binary fractions, which add up exactly in
every engine. Texts of one column are compared without case by the databases' own collation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any as Anything

import polars as pl
from hypothesis import strategies as st

from smsflow_provider.core.audience.rules.fold import fold
from smsflow_provider.core.audience.rules.plan import (
    Aggregate,
    All,
    Anniversary,
    Any,
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
    KeyPart,
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

TEXTS = [
    *["", " ", "Paris", "paris", "PARIS", "Pàris", "Pa\u0300ris", "Paris ", "par", "is", "a", "A"],
    *["É", "é", "e\u0301", "Straße", "STRASSE", "Œuvre", "oeuvre", "İ", "ı", "i", "ΝΊΚΟΣ", "νικος"],
    *[
        "50%",
        "5_%",
        "_",
        "%",
        "a\\b",
        "\\",
        "it's",
        "''",
        '"',
        "a\nb",
        "a\r\nb",
        "\t",
        "日本",
        "😀",
    ],
    *["%s", ":a", "?", "$1", "{x}", "a*b", "[a]", "^a.$", "--", "/*", ";", "NULL", "\u00a0", "z"],
]
KEYS = ["a", "B", "b", "A", "é", "e", "É", "Z", "c10", "c2", "c-1", "_", "it's", "日"]
WHOLES = [-3, -1, 0, 1, 2, 17, 18, 25, 26, 2**31, -(2**53)]
NUMBERS = [Decimal(text) for text in ("-1.25", "0", "0.25", "0.5", "1", "2.5", "17", "18", "100")]
DAYS = [
    *[date(1900, 2, 28), date(1969, 12, 31), date(2000, 2, 29), date(2024, 2, 29)],
    *[date(2025, 2, 28), date(2026, 1, 1), date(2026, 3, 29), date(2026, 10, 25)],
]
_AT = [
    *[datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)],
    *[datetime(2026, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, 23, tzinfo=UTC)],
    *[datetime(1969, 12, 31, 23, 59, 59, 5, tzinfo=UTC), datetime(2024, 2, 29, 12, tzinfo=UTC)],
]
MOMENTS = [at + timedelta(microseconds=more) for at in _AT for more in (-1, 0, 1)]
LOCAL_MOMENTS = [moment.replace(tzinfo=None) for moment in MOMENTS]
_POOLS: Mapping[Kind, list[Anything]] = {
    Kind.TEXT: TEXTS,
    Kind.INTEGER: WHOLES,
    Kind.NUMBER: NUMBERS,
    Kind.BOOLEAN: [True, False],
    Kind.DATE: DAYS,
    Kind.MOMENT: MOMENTS,
    Kind.LOCAL_MOMENT: LOCAL_MOMENTS,
}
#: A column whose texts the databases take for the same in either case.
CARELESS = "first name"
#: A number that databases keep as floating point.
FLOATING = "weight"
COLUMNS: Mapping[str, Mapping[str, Kind]] = {
    "crm.customers": {
        "id": Kind.TEXT,
        "phone": Kind.TEXT,
        CARELESS: Kind.TEXT,
        "city": Kind.TEXT,
        "age": Kind.INTEGER,
        FLOATING: Kind.NUMBER,
        "is_vip": Kind.BOOLEAN,
        "born": Kind.DATE,
        "seen": Kind.MOMENT,
        "local": Kind.LOCAL_MOMENT,
        "store_id": Kind.INTEGER,
        "referrer": Kind.TEXT,
    },
    "stores": {"store_id": Kind.INTEGER, "city": Kind.TEXT, "opened": Kind.DATE},
    "crm.orders": {
        "order_id": Kind.INTEGER,
        "customer_id": Kind.TEXT,
        "product_id": Kind.INTEGER,
        "amount": Kind.NUMBER,
        "status": Kind.TEXT,
        "ordered": Kind.MOMENT,
        "day": Kind.DATE,
    },
    "order": {"product_id": Kind.INTEGER, 'The "Group"': Kind.TEXT, "price": Kind.NUMBER},
}
STORE = Hop(name="store", table="stores", on=(("store_id", "store_id"),))
PRODUCT = Hop(name="product", table="order", on=(("product_id", "product_id"),))
CUSTOMER = Hop(name="customer", table="crm.customers", on=(("customer_id", "id"),))
REFERRER = Hop(name="referrer", table="crm.customers", on=(("referrer", "id"),))
ORDERS = Hop(name="orders", table="crm.orders", on=(("id", "customer_id"),))
REFERRED = Hop(name="referred", table="crm.customers", on=(("id", "referrer"),))
TWINS = Hop(
    name="twins", table="crm.orders", on=(("product_id", "product_id"), ("status", "status"))
)
_ONE: Mapping[str, tuple[Hop, ...]] = {
    "crm.customers": (STORE, REFERRER),
    "crm.orders": (PRODUCT, CUSTOMER),
}
_MANY: Mapping[str, tuple[Hop, ...]] = {
    "crm.customers": (ORDERS, REFERRED),
    "crm.orders": (TWINS,),
}
_KEYS_OF = {"crm.customers": ("id",), "crm.orders": ("customer_id", "order_id")}

Row = tuple[Anything, ...]


@dataclass(frozen=True, slots=True)
class World:
    """Rows by table, in the order of `COLUMNS`."""

    rows: Mapping[str, list[Row]]

    def frames(self) -> dict[str, pl.DataFrame]:
        """Show the tables as frames, in types of their own choice."""
        return {
            table: pl.DataFrame(
                self.rows[table],
                schema={name: _type_of(name, kind) for name, kind in columns.items()},
                orient="row",
            )
            for table, columns in COLUMNS.items()
        }


def _type_of(name: str, kind: Kind) -> pl.DataType:
    types: Mapping[Kind, pl.DataType] = {
        Kind.TEXT: pl.String(),
        Kind.INTEGER: pl.Int64(),
        Kind.NUMBER: pl.Float64() if name == FLOATING else pl.Decimal(12, 2),
        Kind.BOOLEAN: pl.Boolean(),
        Kind.DATE: pl.Date(),
        Kind.MOMENT: pl.Datetime("us", "UTC"),
        Kind.LOCAL_MOMENT: pl.Datetime("us"),
    }
    return types[kind]


def _cell(table: str, name: str, kind: Kind) -> st.SearchStrategy[Anything]:
    if name in {"id", "order_id"} or (name, table) in {
        ("store_id", "stores"),
        ("product_id", "order"),
    }:
        return st.none()  # numbered afterwards: it is a key
    if name in {"store_id", "product_id"}:
        return st.sampled_from([1, 2, 3, None])
    if name in {"customer_id", "referrer"}:
        return st.sampled_from([*KEYS[:5], None])
    if name == FLOATING:
        return st.sampled_from([*map(float, NUMBERS), None])
    if name == "status":
        return st.sampled_from(["paid", "PAID", "päid", "", None])
    return st.sampled_from([*_POOLS[kind], None, None])


def _rows(table: str, *, size: int) -> st.SearchStrategy[list[Row]]:
    columns = COLUMNS[table]
    cells = st.tuples(*(_cell(table, name, kind) for name, kind in columns.items()))
    keys: list[Anything] = KEYS if table == "crm.customers" else list(range(1, size + 1))

    def numbered(rows: list[Row]) -> list[Row]:
        place = [*columns].index("id") if table == "crm.customers" else 0
        return [(*row[:place], keys[n], *row[place + 1 :]) for n, row in enumerate(rows)]

    return st.lists(cells, max_size=size).map(numbered)


def worlds() -> st.SearchStrategy[World]:
    """Make up tables; each may be empty."""
    sizes = {"crm.customers": 8, "stores": 3, "crm.orders": 10, "order": 3}
    return st.fixed_dictionaries(
        {table: _rows(table, size=size) for table, size in sizes.items()}
    ).map(World)


def columns_of(table: str, *, kinds: tuple[Kind, ...] = tuple(Kind)) -> list[Column]:
    """List what a node about *table* may name, over up to two links to one row."""
    found = [Column(name=name, kind=kind) for name, kind in COLUMNS[table].items() if kind in kinds]
    for hop in _ONE.get(table, ()):
        found += [
            Column(hops=(hop,), name=name, kind=kind)
            for name, kind in COLUMNS[hop.table].items()
            if kind in kinds
        ]
    if table == "crm.orders" and Kind.TEXT in kinds:
        found.append(Column(hops=(CUSTOMER, STORE), name="city", kind=Kind.TEXT))
    return found


def _values(kind: Kind, kept: Fold) -> st.SearchStrategy[Value]:
    if kind is Kind.TEXT:
        return st.sampled_from(TEXTS + KEYS[:4]).map(lambda text: fold(text, kept))
    if kind in {Kind.INTEGER, Kind.NUMBER}:
        return st.sampled_from([*WHOLES, *NUMBERS, Decimal("0.1"), 10**25])
    return st.sampled_from(_POOLS[kind])


def _ends(kind: Kind) -> st.SearchStrategy[Test]:
    ends = st.none() | _values(kind, Fold.NOTHING)
    return st.builds(
        Between, low=ends, high=ends, has_low=st.booleans(), has_high=st.booleans()
    ).filter(lambda test: test.low is not None or test.high is not None)


def _patterns(kept: Fold) -> st.SearchStrategy[str]:
    pieces = st.sampled_from(["*", "?", "\\*", "\\?", "\\\\", "a", "A", "é", "s", "%", "_", "Par"])
    made = st.lists(pieces, min_size=1, max_size=4).map("".join)
    edged = st.sampled_from(TEXTS).map(lambda text: f"*{text}" if "\\" not in text else "*\\\\*")
    return (made | edged).map(lambda pattern: fold(pattern, kept))


def tests_of(kind: Kind, kept: Fold) -> st.SearchStrategy[Test]:
    """Make up a test that suits a kind."""
    values = _values(kind, kept)
    several = st.lists(values, min_size=1, max_size=4, unique=True).map(
        lambda found: OneOf(tuple(found))
    )
    common: st.SearchStrategy[Test] = st.builds(Equals, values) | st.just(IsNull())
    if kind is Kind.BOOLEAN:
        return common
    if kind is Kind.TEXT:
        texts = st.sampled_from([text for text in TEXTS if fold(text, kept)])
        held = texts.map(lambda text: fold(text, kept))
        holds = st.builds(Holds, text=held, place=st.sampled_from(Place))
        return common | several | holds | st.builds(Matches, _patterns(kept))
    days = st.lists(st.sampled_from([(2, 28), (2, 29), (1, 1), (12, 31)]), min_size=1, unique=True)
    wide = common | several | _ends(kind) | _ends(kind)
    if kind in {Kind.DATE, Kind.LOCAL_MOMENT}:
        return wide | days.map(lambda found: Anniversary(tuple(sorted(found))))
    return wide


@st.composite
def _compares(draw: Callable[..., Anything], table: str) -> Compare:
    column = draw(st.sampled_from(columns_of(table)))
    kept = draw(st.sampled_from(Fold)) if column.kind is Kind.TEXT else Fold.NOTHING
    test = draw(tests_of(column.kind, kept))
    is_negated = draw(st.booleans())
    return Compare(path="rules", column=column, test=test, is_negated=is_negated, fold=kept)


@st.composite
def _has(draw: Callable[..., Anything], table: str, depth: int) -> Has:
    link = draw(st.sampled_from(_MANY[table]))
    where = draw(st.none() | nodes(link.table, depth=depth - 1))
    low, more = draw(st.sampled_from([(1, None), (0, 0), (0, None), (2, None), (1, 1), (0, 2)]))
    return Has(path="rules", link=link, where=where, at_least=low, at_most=more)


_NUMERIC = (Kind.INTEGER, Kind.NUMBER)
_ORDERED = (*_NUMERIC, Kind.DATE, Kind.MOMENT, Kind.LOCAL_MOMENT)


@st.composite
def _aggregates(draw: Callable[..., Anything], table: str, depth: int) -> Aggregate:
    link = draw(st.sampled_from(_MANY[table]))
    function = draw(st.sampled_from(Function))
    kinds = {
        Function.SUM: _NUMERIC,
        Function.AVERAGE: _NUMERIC,
        Function.LAST: tuple(Kind),
    }.get(function, _ORDERED)
    column = draw(st.sampled_from(columns_of(link.table, kinds=kinds)))
    column = None if function is Function.COUNT else column
    kind = Kind.INTEGER if column is None else column.kind
    kind = Kind.NUMBER if function is Function.AVERAGE else kind
    kept = draw(st.sampled_from(Fold)) if kind is Kind.TEXT else Fold.NOTHING
    tests = tests_of(kind, kept)
    tests = tests.filter(_is_full) if function in {Function.COUNT, Function.SUM} else tests
    is_last = function is Function.LAST
    dated = columns_of(link.table, kinds=(Kind.DATE, Kind.MOMENT, Kind.LOCAL_MOMENT))
    return Aggregate(
        path="rules",
        link=link,
        function=function,
        column=column,
        order=draw(st.sampled_from(dated)) if is_last else None,
        key=_key_of(link.table) if is_last else (),
        where=draw(st.none() | nodes(link.table, depth=depth - 1)),
        test=draw(tests),
        is_negated=draw(st.booleans()),
        fold=kept,
    )


def _key_of(table: str) -> tuple[KeyPart, ...]:
    return tuple(KeyPart(name=name, kind=COLUMNS[table][name]) for name in _KEYS_OF[table])


def _is_full(test: Test) -> bool:
    """Counts and sums are never empty, and never asked whether they are."""
    return not isinstance(test, IsNull)


def nodes(table: str, *, depth: int = 3) -> st.SearchStrategy[Node]:
    """Make up a node about *table*, of all sorts, so many levels deep at most."""
    leaves: st.SearchStrategy[Node] = _compares(table)
    if depth <= 0:
        return leaves
    below = st.deferred(lambda: nodes(table, depth=depth - 1))
    several = st.lists(below, max_size=3).map(tuple)
    groups = (
        st.builds(All, path=st.just("rules"), nodes=several)
        | st.builds(Any, path=st.just("rules"), nodes=several)
        | st.builds(Except, path=st.just("rules"), node=below)
    )
    if table not in _MANY:
        return leaves | groups
    linked: st.SearchStrategy[Node] = _has(table, depth) | _aggregates(table, depth)
    return leaves | groups | linked | linked


def plans() -> st.SearchStrategy[Plan]:
    """Make up plans about the customers."""
    texts = st.lists(st.sampled_from(columns_of("crm.customers", kinds=(Kind.TEXT,))), max_size=2)
    steps = st.lists(nodes("crm.customers"), max_size=3)
    return st.builds(_plan, texts, steps)


def _plan(texts: list[Column], found: list[Node]) -> Plan:
    named = [("recipient_id", "id"), ("phone", "phone")]
    fixed = [Output(name=name, column=Column(name=of, kind=Kind.TEXT)) for name, of in named]
    more = [Output(name=f"text_{place}", column=text) for place, text in enumerate(texts)]
    return Plan(
        table="crm.customers",
        key="id",
        outputs=(*fixed, *more),
        steps=tuple(Step(words=f"step {place}", node=node) for place, node in enumerate(found)),
    )
