from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from smsflow_provider.core.content.template import Template
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.preparation.candidates import Candidates
from smsflow_provider.core.preparation.conditions import Schema
from smsflow_provider.core.preparation.exclusions.exclude import exclude
from smsflow_provider.core.preparation.exclusions.rules import Lists
from smsflow_provider.core.preparation.numbers import read_numbers
from smsflow_provider.core.preparation.population import Population
from smsflow_provider.core.preparation.row_rules import (
    MOST_FILTERS,
    MOST_SENDERS,
    RowRules,
    check_senders,
    rules_of,
)
from smsflow_provider.core.preparation.settings import PreparationSettings
from smsflow_provider.core.preparation.typology import Typology
from tests.core.preparation.preparing import make_template

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SCHEMA: Schema = {
    "recipient_id": pl.String(),
    "phone": pl.String(),
    "age": pl.Int64(),
    "shop": pl.String(),
    "seen_on": pl.Date(),
    "tier": pl.Int64(),
}
MOBILE, LANDLINE, GERMAN = "+33612345678", "+33123456789", "+4917612345678"
NO_NUMBERS = pl.Series([], dtype=pl.UInt64)


def make_rules(
    typology: Mapping[str, Any] | None = None,
    *,
    template: Template | None = None,
    schema: Schema = SCHEMA,
    now: datetime = NOON,
    **settings: Any,
) -> RowRules:
    rules = Typology.model_validate(typology or {})
    own = Population.read(settings.pop("exclude", {}), what="exclude")
    made = PreparationSettings(
        label="Sale",
        gateway="sms_gateway",
        typology=rules,
        population=rules.population.merged(own),
        **settings,
    )
    return rules_of(made, template or make_template("Hi"), schema=schema, now=now)


def frame_of(phones: list[str], **columns: list[Any]) -> pl.DataFrame:
    ids = [f"r{place}" for place in range(len(phones))]
    empty = [None] * len(phones)
    given = {"recipient_id": ids, "phone": phones, **columns}
    values = {name: given.get(name, empty) for name in SCHEMA}
    return pl.DataFrame(values, schema=dict(SCHEMA))


def columns_of(rules: RowRules, frame: pl.DataFrame) -> dict[str, list[Any]]:
    made = rules.rule_columns(frame, read_numbers(frame["phone"], region=None))
    return {} if made is None else made.to_dict(as_series=False)


def filter_rule(name: str, text: str, **changed: Any) -> dict[str, Any]:
    return {"kind": "filter", "name": name, "exclude_when": text, **changed}


def test_without_rules_no_column_is_made_nor_read() -> None:
    rules = make_rules()

    assert ((), {}) == (rules.columns, dict(rules.expressions))
    assert {} == columns_of(rules, frame_of([MOBILE]))


def test_a_row_gets_the_number_of_the_first_filter_that_holds() -> None:
    rules = make_rules(
        {"rules": [filter_rule("late", "tier = 1", order=60), filter_rule("minors", "age < 18")]},
        exclude={"filters": {"away": "shop <> 'Lyon'"}},
    )
    frame = frame_of(
        [MOBILE] * 5,
        age=[17, 18, 40, None, 40],
        shop=["Nice", "Nice", "Lyon", None, "Lyon"],
        tier=[1, 1, 1, 1, None],
    )

    assert ("minors", "away", "late") == rules.exclusion.filters
    assert {"filter": [1, 2, 3, 3, 0]} == columns_of(rules, frame)
    assert ("age", "shop", "tier") == rules.columns


def test_conditions_may_ask_the_country_and_the_kind_of_the_number() -> None:
    rules = make_rules(
        exclude={
            "filters": {"fixed": "number_kind = 'fixed_line'", "abroad": "number_country <> 'FR'"}
        }
    )

    assert {"filter": [0, 1, 2, 0]} == columns_of(
        rules, frame_of([MOBILE, LANDLINE, GERMAN, "nonsense"])
    )
    assert () == rules.columns


def test_a_column_of_the_audience_cannot_pass_for_what_the_number_says() -> None:
    """A rule of a typology means the same for every audience."""
    schema = {**SCHEMA, "number_country": pl.String()}
    rules = make_rules(exclude={"filters": {"abroad": "number_country <> 'FR'"}}, schema=schema)
    frame = frame_of([GERMAN]).with_columns(pl.lit("FR").alias("number_country"))

    assert {"filter": [1]} == columns_of(rules, frame)


def test_today_is_the_day_in_the_time_zone_of_the_typology() -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    seen = {"filters": {"seen": "seen_on = CURRENT_DATE"}}
    frame = frame_of([MOBILE, MOBILE], seen_on=[date(2026, 11, 22), date(2026, 11, 23)])

    assert [1, 0] == columns_of(make_rules(exclude=seen, now=late), frame)["filter"]
    paris = make_rules({"time_zone": "Europe/Paris"}, exclude=seen, now=late)
    assert [0, 1] == columns_of(paris, frame)["filter"]


def test_rules_that_do_not_apply_are_not_even_compiled() -> None:
    typology = {
        "rules": [
            filter_rule("a", "no_such_column > 1", applies_when={"workflows": ["crm.*"]}),
            filter_rule("b", "no_such_column > 1", enabled=False),
        ]
    }

    assert {} == columns_of(make_rules(typology, workflow="marketing.sale"), frame_of([MOBILE]))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, None),
        ({"sender": "ACME"}, ["ACME", "ACME", "ACME"]),
        ({"sender": "ACME", "senders": {"FR": "36111"}}, ["36111", "ACME", "ACME"]),
        ({"senders": {"FR": "36111"}}, ["36111", "", ""]),
        (
            {"sender": "ACME", "senders": {"FR": "36111"}, "sender_expression": "shop"},
            ["36111", "Berlin", "ACME"],
        ),
        ({"sender_expression": "upper(shop)"}, ["", "BERLIN", ""]),
    ],
)
def test_the_sender_is_the_computed_one_or_that_of_the_country_or_the_general_one(
    settings: dict[str, Any], expected: list[str] | None
) -> None:
    rules = make_rules(template=make_template("Hi", **settings))
    frame = frame_of([MOBILE, GERMAN, "nonsense"], shop=[None, " Berlin ", "  "])
    made = columns_of(rules, frame).get("sender")

    assert expected == (made and [one or "" for one in made])


def test_ranks_and_thresholds_get_columns_of_their_own() -> None:
    rules = make_rules(
        {
            "population": {"duplicates": {"keep": "freshest", "by": "seen_on"}},
            "rules": [
                {"kind": "pressure", "name": "weekly", "days": 7, "most": 2, "most_by": "tier * 2"},
                {"kind": "pressure", "name": "monthly", "days": 30, "most": 5, "counts": []},
            ],
        },
        exclude={
            "control_group": {"count": 1, "by": "age"},
            "size_limit": {"count": 1, "by": "tier"},
        },
        weight=8,
    )
    frame = frame_of([MOBILE], age=[30], tier=[2], seen_on=[date(2026, 1, 1)])

    assert {
        "duplicate_by": [date(2026, 1, 1)],
        "control_by": [30],
        "limit_by": [2],
        "most_weekly": [4],
    } == columns_of(rules, frame)
    weekly, monthly = rules.exclusion.pressures
    assert ("most_weekly", 2, 8) == (weekly.most_column, weekly.most, weekly.weight)
    assert ("", 5, frozenset()) == (monthly.most_column, monthly.most, monthly.classes)


def test_the_exclusions_are_told_scopes_and_the_draw_of_the_workflow() -> None:
    rules = make_rules(programme="Loyalty", workflow="marketing.sale").exclusion

    assert ("", "programme:loyalty") == rules.scopes
    assert "marketing.sale" == rules.draw


def test_everything_wrong_in_any_rule_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        make_rules(
            {
                "rules": [
                    filter_rule("minors", "agee < 18"),
                    filter_rule("odd", "shop > 3"),
                    {"kind": "pressure", "name": "p", "days": 1, "most": 1, "most_by": "shop"},
                ]
            },
            template=make_template("Hi", sender_expression="tier"),
            exclude={
                "duplicates": {"keep": "highest", "by": "tierr"},
                "size_limit": {"count": 1, "by": "shop"},
            },
        )

    assert "6 problems in the rules of the delivery" == caught.value.problem
    assert [
        "filter minors: unknown column 'agee' (did you mean 'age'?)",
        "filter odd: cannot compare string with numeric type (i32)",
        "sender_expression: is no text: it gives a number",
        "duplicates.by: unknown column 'tierr' (did you mean 'tier'?)",
        "size_limit.by: column 'shop' cannot be ranked: it holds no numbers or dates",
        "pressure p: is no number: it gives a text",
    ] == caught.value.facts["problems"]


def test_a_rule_that_breaks_on_a_row_is_named_without_the_row() -> None:
    rules = make_rules(
        exclude={"filters": {"fine": "age > 90", "cast": "CAST(shop AS integer) > 1"}}
    )
    with pytest.raises(ConfigError) as caught:
        columns_of(rules, frame_of([MOBILE], shop=["+33698765432"]))

    assert ["filter cast"] == caught.value.facts["rules"]
    assert "336" not in str(caught.value)


def test_there_is_an_end_to_filters() -> None:
    many = {f"f{place}": "age > 1" for place in range(MOST_FILTERS + 1)}

    with pytest.raises(ConfigError, match="1 problem in the rules"):
        make_rules(exclude={"filters": many})
    most = make_rules(exclude={"filters": dict(list(many.items())[:-1])})
    assert MOST_FILTERS == len(most.exclusion.filters)


def gathered(rules: RowRules, frame: pl.DataFrame) -> Candidates:
    numbers = read_numbers(frame["phone"], region=None)
    return Candidates.gather([(numbers, rules.rule_columns(frame, numbers))], count=frame.height)


def test_a_sender_no_network_takes_is_an_error_with_reason_and_count() -> None:
    rules = make_rules(template=make_template("Hi", sender_expression="shop"))
    shops = ["ACME", "Crème", "Brûlée", "ACME SHOPPING", None]
    phones = [f"+3361234567{place}" for place in range(5)]
    lines = check_senders(gathered(rules, frame_of(phones, shop=shops)))

    assert [("sender_invalid", 1), ("sender_invalid", 2)] == sorted(
        (line.event, line.facts["recipients"]) for line in lines
    )
    assert not any(shop in line.problem for line in lines for shop in shops[1:4] if shop)


@pytest.mark.parametrize("text", ["phone", "coalesce(shop, recipient_id)"])
def test_a_recipient_is_never_their_own_sender(text: str) -> None:
    """Senders are counted by name, in figures and logs, where no phone belongs."""
    with pytest.raises(ConfigError) as caught:
        make_rules(template=make_template("Hi", sender_expression=text))

    assert ["sender_expression: a sender is not made of the recipient's phone or id"] == (
        caught.value.facts["problems"]
    )


def test_hundreds_of_senders_come_from_the_wrong_column() -> None:
    rules = make_rules(template=make_template("Hi", sender_expression="shop"))
    phones = [f"+3361234{place:04}" for place in range(MOST_SENDERS + 1)]
    shops = [f"+3360000{place:04}" for place in range(MOST_SENDERS + 1)]
    (line,) = check_senders(gathered(rules, frame_of(phones, shop=shops)))

    assert ("sender_invalid", MOST_SENDERS + 1) == (line.event, line.facts["recipients"])
    assert [] == check_senders(gathered(rules, frame_of(phones[1:], shop=shops[1:])))
    assert "336" not in f"{line.problem}{line.facts}"


def test_the_sender_of_somebody_left_out_does_not_matter() -> None:
    rules = make_rules(
        template=make_template("Hi", sender_expression="shop"),
        exclude={"filters": {"abroad": "number_country <> 'FR'"}},
    )
    candidates = gathered(rules, frame_of([MOBILE, GERMAN], shop=["ACME", "Crème"]))
    scopes = ["", "sender:ACME", "sender:CRÈME"]
    exclude(
        candidates,
        rules.exclusion,
        Lists(opt_outs=dict.fromkeys(scopes, NO_NUMBERS), quarantined=NO_NUMBERS),
    )

    assert {Exclusion.FILTERED: 1} == candidates.counts()
    assert {(Exclusion.FILTERED, "abroad"): 1} == candidates.details()
    assert [] == check_senders(candidates)
