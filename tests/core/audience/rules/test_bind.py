"""Rules and a dimension become a plan, or problems."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.audience.rules import plan
from smsflow_provider.core.audience.rules.bind import bind
from smsflow_provider.core.audience.rules.dimension import Dimension, read_dimension
from smsflow_provider.core.audience.rules.fold import fold
from smsflow_provider.core.audience.rules.plan import Fold, Function, Kind, Plan
from smsflow_provider.core.audience.rules.rule import Comparison
from smsflow_provider.core.audience.rules.tree import read_rules
from smsflow_provider.core.audience.rules.values import FITTING
from smsflow_provider.core.errors import AudienceError

NOW = datetime(2026, 3, 30, 23, tzinfo=UTC)
COLUMNS: dict[str, Any] = {
    "city": {"type": "text", "label": "City", "values": ["Paris", "Lyon"]},
    "name": {"type": "text", "column": "NAME"},
    "age": "integer",
    "score": "number",
    "vip": "boolean",
    "born": "date",
    "seen": "moment",
    "called": "local_moment",
}
PRODUCT = {
    "table": "products",
    "kind": "one",
    "on": {"product_id": "id"},
    "columns": {"kind": "text"},
}
LINES = {"table": "lines", "kind": "many", "on": {"id": "order_id"}, "columns": {"price": "number"}}
ORDERS: dict[str, Any] = {
    "table": "shop.orders",
    "kind": "many",
    "on": {"id": "person_id"},
    "key": ["shop", "number"],
    "date": "ordered_on",
    "columns": {"amount": "number", "pieces": "integer", "status": "text", "ordered_on": "date"},
    "links": {"product": PRODUCT, "lines": LINES},
}
STORE = {
    "table": "stores",
    "kind": "one",
    "on": {"store_id": "id"},
    "columns": {"region": "text"},
}
DATA: dict[str, Any] = {
    "label": "People",
    "table": "crm.people",
    "key": "id",
    "phone": "tel",
    "language": "lang",
    "consent": ["vip", "sms_consent"],
    "zone": "Europe/Paris",
    "columns": COLUMNS,
    "links": {
        "store": STORE,
        "orders": ORDERS,
        "calls": {"table": "calls", "kind": "many", "on": {"id": "person_id"}},
    },
    "filters": {"adults": {"column": "age", "at_least": 18}, "all_adults": [{"filter": "adults"}]},
}
PLAIN: dict[str, Any] = {"table": "people", "key": "id", "phone": "tel"}


PEOPLE = read_dimension(DATA, name="people")


@pytest.fixture
def people() -> Dimension:
    """People with a store, orders and calls."""
    return PEOPLE


def bound(people: Dimension, rules: object, **more: Any) -> Plan:
    return bind(read_rules(rules), dimension=people, now=NOW, **more)


def node(people: Dimension, rule: object) -> Any:
    """The one node of a rule."""
    (found,) = bound(people, rule, regardless_of_consent=True).nodes()
    return found


def told(people: Dimension, rules: object, **more: Any) -> list[str]:
    with pytest.raises(AudienceError) as caught:
        bound(people, rules, **more)
    problems = caught.value.facts["problems"]
    assert isinstance(problems, list)
    return problems


def test_a_plan_has_the_table_the_key_and_what_the_audience_carries(people: Dimension) -> None:
    found = bound(people, {"everyone": True}, columns=["name", "store.region"])
    store = plan.Hop(name="store", table="stores", on=(("store_id", "id"),))

    assert ("crm.people", "id") == (found.table, found.key)
    assert [
        ("recipient_id", plan.Column(name="id", kind=Kind.TEXT)),
        ("phone", plan.Column(name="tel", kind=Kind.TEXT)),
        ("language", plan.Column(name="lang", kind=Kind.TEXT)),
        ("name", plan.Column(name="NAME", kind=Kind.TEXT)),
        ("store_region", plan.Column(hops=(store,), name="region", kind=Kind.TEXT)),
    ] == [(each.name, each.column) for each in found.outputs]


def test_a_column_of_the_key_has_the_kind_it_is_declared_with() -> None:
    columns = {"number": {"type": "integer", "column": "id"}}
    people = read_dimension(PLAIN | {"columns": columns}, name="people")

    assert Kind.INTEGER is bound(people, {"everyone": True}).outputs[0].column.kind


def test_consent_comes_first_unless_it_does_not_matter(people: Dimension) -> None:
    rules = [{"column": "age", "above": 1}]

    assert ["vip is true", "sms_consent is true", "age is above 1"] == [
        step.words for step in bound(people, rules).steps
    ]
    assert ["age is above 1"] == [
        step.words for step in bound(people, rules, regardless_of_consent=True).steps
    ]
    assert ["vip is true", "sms_consent is true"] == [
        step.words for step in bound(people, {"everyone": True}).steps
    ]


def test_the_outermost_conditions_are_the_steps(people: Dimension) -> None:
    rules = {
        "any": [{"filter": "adults"}, {"column": "vip", "is": True}],
        "except": [{"column": "city", "equals": "Paris"}, {"link": "calls", "any": True}],
    }

    steps = bound(people, rules, regardless_of_consent=True).steps

    assert [
        "any of: filter adults; vip is true",
        "not: City is Paris",
        "not: has calls",
    ] == [step.words for step in steps]
    assert [plan.Any, plan.Except, plan.Except] == [type(step.node) for step in steps]
    assert ["rules", "rules.except[0]", "rules.except[1]"] == [step.node.path for step in steps]


@pytest.mark.parametrize(
    ("rule", "test", "is_negated"),
    [
        ({"column": "name", "equals": "A"}, plan.Equals("A"), False),
        ({"column": "name", "not_equals": "A"}, plan.Equals("A"), True),
        ({"column": "name", "in": ["B", "A", "B"]}, plan.OneOf(("B", "A")), False),
        ({"column": "name", "not_in": ["A"]}, plan.OneOf(("A",)), True),
        (
            {"column": "name", "not_contains": "A"},
            plan.Holds(text="A", place=plan.Place.ANYWHERE),
            True,
        ),
        (
            {"column": "name", "starts_with": "A"},
            plan.Holds(text="A", place=plan.Place.START),
            False,
        ),
        ({"column": "name", "ends_with": "A"}, plan.Holds(text="A", place=plan.Place.END), False),
        ({"column": "name", "not_matches": "A*"}, plan.Matches("A*"), True),
        ({"column": "name", "is_null": True}, plan.IsNull(), False),
        ({"column": "name", "is_null": False}, plan.IsNull(), True),
        ({"column": "vip", "is": False}, plan.Equals(value=False), False),
        ({"column": "age", "above": "18"}, plan.Between(low=18, has_low=False), False),
        ({"column": "age", "at_least": 18.0}, plan.Between(low=18), False),
        ({"column": "age", "below": -1}, plan.Between(high=-1, has_high=False), False),
        ({"column": "score", "at_most": 0.1}, plan.Between(high=Decimal("0.1")), False),
        ({"column": "score", "between": [1, 2]}, plan.Between(low=1, high=2), False),
        ({"column": "age", "in": [1, 1.0, "1"]}, plan.OneOf((1,)), False),
        (
            {"column": "born", "in": ["today", "2026-03-31", "2026-01-01"]},
            plan.OneOf((date(2026, 3, 31), date(2026, 1, 1))),
            False,
        ),
        (
            {"column": "born", "between": ["30 days ago", "today"]},
            plan.Between(low=date(2026, 3, 1), high=date(2026, 3, 31)),
            False,
        ),
        (
            {"column": "seen", "between": ["2026-03-31", "2026-03-31"]},
            plan.Between(
                low=datetime(2026, 3, 30, 22, tzinfo=UTC),
                high=datetime(2026, 3, 31, 22, tzinfo=UTC),
                has_high=False,
            ),
            False,
        ),
        (
            {"column": "born", "anniversary": ["today", "tomorrow"]},
            plan.Anniversary(((3, 31), (4, 1))),
            False,
        ),
    ],
)
def test_every_comparison_becomes_its_test(
    people: Dimension, rule: object, test: plan.Test, *, is_negated: bool
) -> None:
    found = node(people, rule)

    assert (test, is_negated) == (found.test, found.is_negated)
    values = (*getattr(test, "values", ()), getattr(test, "value", None))
    found_values = (*getattr(found.test, "values", ()), getattr(found.test, "value", None))
    assert [type(each) for each in values] == [type(each) for each in found_values]


def test_the_texts_of_a_fold_are_folded(people: Dimension) -> None:
    found = node(people, {"column": "name", "in": ["Élodie", "ELODIE"], "fold": "both"})

    assert Fold.BOTH is found.fold
    assert plan.OneOf((fold("Élodie", Fold.BOTH),)) == found.test


def test_a_value_in_another_case_is_known_where_case_does_not_count(people: Dimension) -> None:
    assert (
        plan.Equals("paris")
        == node(people, {"column": "city", "equals": "PARIS", "fold": "case"}).test
    )
    assert "did you mean 'Paris'?" in told(people, {"column": "city", "equals": "PARIS"})[0]


@pytest.mark.parametrize(
    ("rule", "at_least", "at_most"),
    [({"any": True}, 1, None), ({"none": True}, 0, 0), ({"at_least": 2, "at_most": 5}, 2, 5)],
)
def test_linked_rows_are_counted(
    people: Dimension, rule: dict[str, Any], at_least: int, at_most: int | None
) -> None:
    link = plan.Hop(name="orders", table="shop.orders", on=(("id", "person_id"),))

    assert plan.Has(path="rules", link=link, at_least=at_least, at_most=at_most) == node(
        people, {"link": "orders"} | rule
    )


def test_a_window_is_a_condition_on_the_date_of_the_link(people: Dimension) -> None:
    found = node(
        people,
        {
            "link": "orders",
            "any": True,
            "where": {"column": "product.kind", "equals": "shoes"},
            "within_last": "30 days",
        },
    )

    kind, window = found.where.nodes
    assert ("product",) == tuple(hop.name for hop in kind.column.hops)
    assert ("rules.within_last", "ordered_on") == (window.path, window.column.name)
    assert plan.Between(low=date(2026, 3, 1), high=date(2026, 3, 31)) == window.test


def test_links_of_linked_rows_can_be_asked_about(people: Dimension) -> None:
    found = node(
        people,
        {
            "link": "orders",
            "any": True,
            "where": [{"link": "lines", "sum": "price", "above": 10}],
        },
    )

    (inner,) = found.where.nodes
    assert (Function.SUM, "lines", "rules.where.all[0]") == (
        inner.function,
        inner.link.table,
        inner.path,
    )


@pytest.mark.parametrize(
    ("rule", "test"),
    [
        ({"count": True, "above": 2}, plan.Between(low=2, has_low=False)),
        ({"average": "pieces", "below": 2.5}, plan.Between(high=Decimal("2.5"), has_high=False)),
        ({"least": "amount", "is_null": True}, plan.IsNull()),
        (
            {"greatest": "ordered_on", "before": "today"},
            plan.Between(high=date(2026, 3, 31), has_high=False),
        ),
        ({"last": "status", "equals": "PAID", "fold": "case"}, plan.Equals("paid")),
    ],
)
def test_what_rows_come_to_is_compared_by_its_kind(
    people: Dimension, rule: dict[str, Any], test: plan.Test
) -> None:
    assert test == node(people, {"link": "orders"} | rule).test


def test_the_last_row_is_told_by_date_and_key(people: Dimension) -> None:
    found = node(people, {"link": "orders", "last": "status", "equals": "paid"})

    assert plan.Column(name="ordered_on", kind=Kind.DATE) == found.order
    assert (plan.KeyPart(name="shop"), plan.KeyPart(name="number")) == found.key


def test_a_part_of_a_key_that_is_declared_has_its_kind() -> None:
    orders = ORDERS | {"columns": ORDERS["columns"] | {"nr": {"type": "text", "column": "number"}}}
    people = read_dimension(DATA | {"links": {"orders": orders}}, name="people")

    found = node(people, {"link": "orders", "last": "status", "equals": "paid"})

    assert [None, Kind.TEXT] == [part.kind for part in found.key]


def test_a_count_of_a_column_counts_the_rows_with_a_value(people: Dimension) -> None:
    found = node(people, {"link": "orders", "count": "status", "at_least": 2})

    assert (Function.COUNT, None) == (found.function, found.column)
    assert (plan.IsNull(), True) == (found.where.test, found.where.is_negated)


def test_filters_are_opened_by_their_own_paths(people: Dimension) -> None:
    found = node(people, {"filter": "all_adults"})

    assert "filters.all_adults" == found.path
    assert "filters.adults" == found.nodes[0].path


PROBLEMS: list[tuple[object, str]] = [
    ({"column": "cty", "equals": "x"}, "rules.column: unknown column 'cty' (did you mean 'city'?)"),
    ({"column": "store.regon", "equals": "x"}, "rules.column: unknown column 'store.regon' (did"),
    ({"column": "orders.amount", "above": 1}, "rules.column: 'orders' has many rows (write {link:"),
    ({"column": "orders", "is_null": True}, "rules.column: 'orders' has many rows (write {link:"),
    ({"column": "store", "is_null": True}, "rules.column: 'store' is a linked row (write store."),
    ({"column": "tel", "equals": "x"}, "rules.column: unknown column 'tel' (known: city, name,"),
    ({"link": "store", "any": True}, "rules.link: 'store' has one row (write {column: store."),
    ({"link": "order", "any": True}, "rules.link: unknown link 'order' (did you mean 'orders'?)"),
    ({"filter": "adult"}, "rules.filter: unknown filter 'adult' (did you mean 'adults'?)"),
    (
        {"column": "age", "contains": "1"},
        "rules.contains: does not go with a column of kind integer",
    ),
    ({"column": "vip", "equals": True}, "rules.equals: does not go with a column of kind boolean"),
    ({"column": "seen", "anniversary": "today"}, "rules.anniversary: does not go with a column of"),
    ({"column": "name", "equals": 75001}, "rules.equals: is not a text (put it in quotes)"),
    ({"column": "name", "in": ["a", False]}, "rules.in[1]: is not a text (put it in quotes)"),
    ({"column": "age", "equals": "1e3"}, "rules.equals: is a text where a number is needed"),
    ({"column": "age", "equals": "007"}, "rules.equals: is a text where a number is needed"),
    ({"column": "age", "equals": True}, "rules.equals: is not a number"),
    ({"column": "age", "equals": 17.5}, "rules.equals: is not a whole number, which the column"),
    ({"column": "age", "above": 2**63}, "rules.above: is larger than a whole number can be"),
    ({"column": "score", "above": 1e300}, "rules.above: has more than 38 digits"),
    ({"column": "age", "between": [25, 18]}, "rules.between: has its ends the wrong way round"),
    ({"column": "age", "between": [1, "x"]}, "rules.between[1]: is a text where a number is"),
    (
        {"column": "born", "between": ["today", "yesterday"]},
        "rules.between: has its ends the wrong",
    ),
    ({"column": "born", "between": [1, "today"]}, "rules.between[0]: is not a text"),
    ({"column": "born", "before": "now"}, "rules.before: has a time of day where a day is needed"),
    ({"column": "born", "equals": 20260101}, "rules.equals: is not a day (write 2026-01-31,"),
    ({"column": "age", "above": 1, "fold": "case"}, "rules.fold: is for comparisons of texts"),
    (
        {"column": "name", "is_null": True, "fold": "case"},
        "rules.fold: is for comparisons of texts",
    ),
    ({"column": "name", "contains": "\u0301", "fold": "accents"}, "rules.contains: is empty when"),
    ({"column": "city", "in": ["Lyon", "Pari"]}, "rules.in[1]: is not one of the column's values"),
    ({"column": "name", "equals": "{{ params.x }}"}, "rules.equals: is still a template"),
    ({"column": "name", "in": ["a", "b {{ params.x }}"]}, "rules.in[1]: is still a template"),
    ({"column": "age", "between": "{{ params.x }}"}, "rules.between: is still a template"),
    ({"column": "born", "from": "{{ ds }}"}, "rules.from: is still a template"),
    ({"column": "born", "within_last": "{{ n }} days"}, "rules.within_last: is still a template"),
    ({"column": "vip", "is": "{{ x }}"}, "rules.is: is still a template"),
    ({"column": "vip", "is_null": "{{ x }}"}, "rules.is_null: is still a template"),
    ({"link": "orders", "at_least": "{{ n }}"}, "rules.at_least: is still a template"),
    (
        {"link": "orders", "any": True, "within_last": "{{ n }} days"},
        "rules.within_last: is still a template",
    ),
    (
        {"link": "orders", "any": True, "within_last": "6 hours"},
        "rules.within_last: counts hours, and a date has none (write days)",
    ),
    (
        {"link": "calls", "any": True, "within_last": "1 day"},
        "rules.within_last: calls has no date (add date: <column> here or to the link)",
    ),
    (
        {"link": "orders", "any": True, "within_last": "1 day", "date": "amount"},
        "rules.date: is a column of kind number, not a day or a moment",
    ),
    ({"link": "orders", "any": True, "date": "ordered_on"}, "rules.date: is for within_last,"),
    (
        {"link": "orders", "any": True, "where": {"filter": "adults"}},
        "rules.where.filter: is about People, not about linked rows",
    ),
    (
        {"link": "orders", "any": True, "where": {"column": "age", "above": 1}},
        "rules.where.column: unknown column 'age' (known: amount, pieces,",
    ),
    ({"link": "orders", "sum": "status", "above": 1}, "rules.sum: does not go with a column of"),
    ({"link": "orders", "sum": "amont", "above": 1}, "rules.sum: unknown column 'amont' (did you"),
    (
        {"link": "orders", "least": "status", "equals": "a"},
        "rules.least: does not go with a column",
    ),
    ({"link": "orders", "sum": "amount", "is_null": True}, "rules.is_null: a sum is never empty"),
    ({"link": "orders", "count": True, "equals": 1.5}, "rules.equals: is not a whole number"),
    ({"link": "orders", "links": 1, "any": True}, "rules.links: unknown field 'links'"),
]


@pytest.mark.parametrize(("rule", "problem"), PROBLEMS)
def test_what_does_not_go_with_the_dimension_is_told(
    people: Dimension, rule: object, problem: str
) -> None:
    found = told(people, rule)

    assert 1 == len(found), found
    assert found[0].startswith(problem)


def test_all_problems_are_told_at_once(people: Dimension) -> None:
    rules = {"all": [rule for rule, _ in PROBLEMS[:-1]], "except": [{"column": "cty", "is": True}]}

    found = told(people, rules, columns=["nme", "store.region"])

    assert "columns[0]: unknown column 'nme' (did you mean 'name'?)" == found[0]
    assert "rules.except[0].column: unknown column 'cty' (did you mean 'city'?)" == found[-1]
    assert len(PROBLEMS) + 1 == len(found)


def test_several_wrong_values_of_one_condition_are_all_told(people: Dimension) -> None:
    found = told(people, {"column": "age", "in": ["a", 1, "b"]})

    assert ["rules.in[0]", "rules.in[2]"] == [each.partition(":")[0] for each in found]


def test_problems_never_repeat_a_value_and_survive_pickling(people: Dimension) -> None:
    number = "+33612345678"
    rules = [{"column": each, "in": [number]} for each in ("city", "age", "born")]

    with pytest.raises(AudienceError) as caught:
        bound(people, rules)

    assert number not in str(caught.value)
    assert 3 == len(pickle.loads(pickle.dumps(caught.value)).facts["problems"])  # noqa: S301


def test_an_output_cannot_take_the_name_of_another_one() -> None:
    columns = {
        "store_region": "text",
        "phone": "text",
        "recipient_id": {"type": "text", "column": "id"},
    }
    other = read_dimension(DATA | {"columns": COLUMNS | columns}, name="people")

    found = told(
        other, {"everyone": True}, columns=["store_region", "store.region", "phone", "recipient_id"]
    )

    assert [
        "columns[1]: the audience has another column 'store_region' already",
        "columns[2]: the audience has another column 'phone' already",
    ] == found


def test_filters_cannot_make_rules_grow_without_end() -> None:
    filters: dict[str, Any] = {"f0": {"column": "age", "above": 1}}
    for n in range(1, 6):
        filters[f"f{n}"] = {"any": [{"filter": f"f{n - 1}"}] * 10}
    people = read_dimension(DATA | {"filters": filters}, name="people")

    found = told(people, {"filter": "f5"})

    assert 1 == len(found)
    assert "there are more than 1,000 conditions" in found[0]


def test_rules_built_in_python_are_held_to_the_same_depth(people: Dimension) -> None:
    rule = read_rules({"column": "age", "above": 1})
    for _ in range(30):
        rule = read_rules({"everyone": True}) - rule

    with pytest.raises(AudienceError) as caught:
        bind(rule, dimension=people, now=NOW)

    assert "is nested more than 20 deep" in str(caught.value.facts["problems"])


def test_now_needs_a_zone(people: Dimension) -> None:
    with pytest.raises(AudienceError, match="time zone"):
        bind(read_rules({"filter": "adults"}), dimension=people, now=NOW.replace(tzinfo=None))


def test_the_same_moment_gives_the_same_plan_whatever_its_zone(people: Dimension) -> None:
    rules = read_rules(
        [{"column": "seen", "within_last": "6 hours"}, {"column": "born", "on": "today"}]
    )
    elsewhere = NOW.astimezone(timezone(timedelta(hours=9)))

    assert bind(rules, dimension=people, now=NOW) == bind(rules, dimension=people, now=elsewhere)
    assert datetime(2026, 3, 30, 23, tzinfo=UTC) == NOW


NAMES = st.sampled_from([*COLUMNS, "store.region", "orders.amount", "unknown"])
VALUES = st.one_of(
    st.sampled_from(["today", "now", "2026-01-31", "30 days", "Paris", "12", "True", "{{ x }}"]),
    st.integers(-(2**70), 2**70),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=3),
)
CONDITIONS = st.builds(
    lambda name, comparison, value, fold: {"column": name, comparison: value} | fold,
    NAMES,
    st.sampled_from([str(each) for each in Comparison]),
    st.one_of(VALUES, st.lists(VALUES, max_size=2)),
    st.sampled_from([{}, {}, {"fold": "both"}]),
)


def _bound_or_none(people: Dimension, data: object) -> Plan | None:
    try:
        return bound(people, data, regardless_of_consent=True)
    except AudienceError:
        return None


@settings(max_examples=200)
@given(CONDITIONS)
def test_whatever_is_written_becomes_a_sound_plan_or_problems(data: dict[str, Any]) -> None:
    found = _bound_or_none(PEOPLE, data)

    for each in found.nodes() if found else ():
        assert isinstance(each, plan.Compare)
        assert {Comparison(name) for name in data if name not in {"column", "fold"}} <= FITTING[
            each.column.kind
        ]
        _check_values(each)


def _check_values(each: plan.Compare) -> None:
    test = each.test
    values = [*getattr(test, "values", ()), getattr(test, "value", None)]
    values += [getattr(test, "low", None), getattr(test, "high", None)]
    fitting: dict[Kind, tuple[type, ...]] = {
        Kind.TEXT: (str,),
        Kind.INTEGER: (int,),
        Kind.NUMBER: (int, Decimal),
        Kind.BOOLEAN: (bool,),
        Kind.DATE: (date,),
        Kind.MOMENT: (datetime,),
        Kind.LOCAL_MOMENT: (datetime,),
    }
    for value in (value for value in values if value is not None):
        assert isinstance(value, fitting[each.column.kind])
        assert isinstance(value, bool) == (each.column.kind is Kind.BOOLEAN)
        if isinstance(value, datetime):
            assert (value.tzinfo is None) == (each.column.kind is Kind.LOCAL_MOMENT)
        elif each.column.kind is Kind.DATE:
            assert type(value) is date


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"column": "name", "not_equals": ""}, "rules.not_equals: is true of every text"),
        ({"column": "name", "not_in": ["", ""]}, "rules.not_in: is true of every text"),
        (
            {"column": "name", "not_equals": "\u0301", "fold": "accents"},
            "rules.not_equals: is true",
        ),
        ({"column": "name", "not_equals": "None"}, "rules.not_equals: is the text None"),
        ({"column": "name", "in": ["A", "None"]}, "rules.in: is the text None"),
        ({"column": "name", "contains": "None"}, "rules.contains: is the text None"),
        ({"column": "name", "not_matches": "None*"}, "rules.not_matches: is the text None"),
        ({"column": "name", "matches": "**"}, "rules.matches: is the form of every text"),
        ({"link": "orders", "count": True, "at_least": 0}, "rules.at_least: is true of everyone"),
        ({"link": "orders", "count": "status", "above": -1}, "rules.above: is true of everyone"),
    ],
)
def test_what_an_empty_parameter_leaves_never_means_everybody(
    people: Dimension, rule: dict[str, Any], problem: str
) -> None:
    with pytest.raises(AudienceError) as caught:
        bound(people, rule)

    assert str(caught.value.facts["problems"][0]).startswith(problem)  # type: ignore[index]


def test_the_text_none_may_be_one_of_the_values_of_a_column() -> None:
    columns = {"kind": {"type": "text", "values": ["None", "Some"]}}
    people = read_dimension(DATA | {"columns": columns, "filters": {}}, name="people")

    assert plan.Equals("None") == node(people, {"column": "kind", "not_equals": "None"}).test


def test_an_empty_text_can_be_asked_for(people: Dimension) -> None:
    assert plan.OneOf(("",)) == node(people, {"column": "name", "in": [""]}).test


def test_an_empty_text_alone_is_refused_for_a_parameter_may_have_left_it(
    people: Dimension,
) -> None:
    """Under *except* it would take nobody out."""
    with pytest.raises(AudienceError, match="is an empty text"):
        node(people, {"column": "name", "equals": ""})


def test_a_text_never_takes_consent_away(people: Dimension) -> None:
    said: Any = "False"
    with pytest.raises(AudienceError, match="not true or false"):
        bound(people, {"filter": "adults"}, regardless_of_consent=said)


def test_columns_are_a_list(people: Dimension) -> None:
    with pytest.raises(AudienceError) as caught:
        bound(people, {"filter": "adults"}, columns="city")

    assert ["columns: is not a list (write [city, store.region])"] == caught.value.facts["problems"]
