from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from smsflow_provider.core.audience.rules.tree import read_rules
from smsflow_provider.core.workflow.parameter import Parameter
from smsflow_provider.core.workflow.schedule import Schedule
from smsflow_provider.core.workflow.spec import BuildAudience, SmsDelivery, Workflow

FILE = {"kind": "build_audience", "file": "s3://crm/people.parquet"}
SMS = {"kind": "sms_delivery", "audience": "people", "template": "sale"}


def make_workflow(**changes: Any) -> Workflow:
    given_fields = {"id": "marketing.sale", "activities": {"people": FILE, "sms": SMS}}
    return Workflow.model_validate(given_fields | changes)


RULES = [{"column": "city", "in": ["Lyon", "{{ params.city }}"]}]


def test_rules_in_python_are_the_same_as_in_yaml() -> None:
    written = read_rules(RULES)
    activity = BuildAudience(rules=written, dimension="customers")

    assert read_rules(activity.rules) == written


def test_every_problem_of_rules_has_its_place() -> None:
    rules = {"all": [{"column": "a", "equls": 1}, {"any": [{"link": "b"}]}]}
    with pytest.raises(ValidationError) as caught:
        BuildAudience(rules=rules, dimension="customers")

    places = [error["loc"] for error in caught.value.errors()]
    assert ("rules", "all", 0, "equls") in places
    assert any(place[:5] == ("rules", "all", 1, "any", 0) for place in places)


def test_a_bare_list_of_rules_has_its_places_too() -> None:
    with pytest.raises(ValidationError) as caught:
        BuildAudience(rules=[{"column": "a", "equls": 1}], dimension="customers")

    assert ("rules", 0, "equls") in [error["loc"] for error in caught.value.errors()]


def test_an_activity_is_what_its_kind_says() -> None:
    activities = make_workflow().activities

    assert isinstance(activities["people"], BuildAudience)
    assert isinstance(activities["sms"], SmsDelivery)


def test_a_workflow_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        make_workflow().id = "marketing.other"  # type: ignore[misc]  # the point of the test


def test_a_workflow_survives_json() -> None:
    workflow = make_workflow(
        schedule={"cron": "0 9 * * 2"},
        activities={"people": FILE, "sms": SMS | {"review_within": "2d"}},
        params={"city": {"type": "string", "default": "Lyon", "minLength": 2}},
    )
    written = workflow.model_dump_json(by_alias=True, exclude_unset=True)

    assert workflow == Workflow.model_validate_json(written)


@pytest.mark.parametrize("good", ["marketing.sale", "crm.eu.sale-2026", "a.b", "1.2_3"])
def test_an_id_is_a_team_and_a_campaign(good: str) -> None:
    assert good == make_workflow(id=good).id


@pytest.mark.parametrize(
    "bad", ["sale", "", ".sale", "a.", "a..b", "a b.c", "é.b", "a.b\n", "a." + "b" * 250]
)
def test_any_other_id_is_refused(bad: str) -> None:
    with pytest.raises(ValidationError, match="is not a workflow id"):
        make_workflow(id=bad)


@pytest.mark.parametrize("bad", ["sms.prepare", "my sms", "", "x" * 201, "é"])
def test_a_name_that_could_not_be_a_task_id_is_refused(bad: str) -> None:
    with pytest.raises(ValidationError, match="cannot name an activity"):
        make_workflow(activities={bad: FILE})


@pytest.mark.parametrize("bad", ["", "two words", "1st", "a-b"])
def test_a_parameter_name_that_a_template_could_not_say_is_refused(bad: str) -> None:
    with pytest.raises(ValidationError, match="cannot name a parameter"):
        make_workflow(params={bad: {"type": "string"}})


def test_the_parameter_that_smsflow_adds_is_taken() -> None:
    with pytest.raises(ValidationError, match="added by itself"):
        make_workflow(params={"send_in_backfill": {"type": "boolean"}})


def test_a_workflow_without_activities_is_refused() -> None:
    with pytest.raises(ValidationError):
        make_workflow(activities={})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "exactly one source, found none"),
        ({"sql": "SELECT 1", "conn_id": "crm", "file": "x"}, "found sql and file"),
        ({"sql": "SELECT 1"}, "sql needs conn_id"),
        ({"file": "x", "conn_id": "crm"}, "conn_id cannot go with file"),
        ({"file": "x", "parameters": {"a": 1}}, "parameters cannot go with file"),
        ({"audience": "vips", "op_kwargs": {"a": 1}}, "op_kwargs cannot go with audience"),
        ({"sql": "SELECT '{{ params.x }}'", "conn_id": "crm"}, "must not be a template"),
        ({"sql": "SELECT 1 {% if x %}", "conn_id": "crm"}, "must not be a template"),
        ({"rules": RULES}, "rules needs dimension"),
        ({"table": "people"}, "table needs conn_id"),
        ({"rules": RULES, "dimension": "d", "id_column": "id"}, "are the dimension's"),
        ({"audience": "x", "columns": ["city"]}, "columns cannot go with audience"),
        ({"file": "x", "time_limit": "5m"}, "time_limit cannot go with file"),
        ({"rules": [], "dimension": "d"}, "everyone: true"),
        ({"rules": [{"column": "a"}], "dimension": "d"}, "comparison"),
        ({"table": "people", "conn_id": "crm", "row_limit": 0}, "greater than or equal to 1"),
        ({"callable": "people"}, "does not name a function"),
        ({"callable": "my.module:"}, "does not name a function"),
        ({"file": ""}, "at least 1 character"),
        ({"file": "x", "on_empty": "stop"}, "on_empty"),
    ],
)
def test_an_audience_without_one_sound_source_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        BuildAudience(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"audience": "vips"},
        {"sql": "SELECT 1", "conn_id": "crm", "parameters": {"city": "Lyon"}},
        {"rules": RULES, "dimension": "customers", "columns": ("city",)},
        {"table": "people", "conn_id": "crm", "row_limit": 10},
        {"file": "s3://crm/people.csv"},
        {"callable": "crm.people:of_city", "op_kwargs": {"city": "Lyon"}},
    ],
)
def test_every_source_alone_is_an_audience(fields: dict[str, Any]) -> None:
    assert fields == BuildAudience(**fields).model_dump(exclude_unset=True)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"file": "f", "save_as": "vip@3"}, "save_as: the name of a saved audience has"),
        ({"audience": "vip@x"}, "audience: behind the @ stands a version"),
        ({"audience": "vip", "save_as": "b"}, "save_as does not go with audience"),
    ],
)
def test_names_of_saved_audiences_are_judged_before_a_run(
    fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        BuildAudience(**fields)


def test_a_name_that_a_run_fills_in_is_judged_by_the_run() -> None:
    assert BuildAudience(file="f", save_as="of {{ params.city }}").save_as


@pytest.mark.parametrize("region", ["fr", "FRA", "", "F1"])
def test_a_region_is_two_capital_letters(region: str) -> None:
    with pytest.raises(ValidationError, match="is not a country code"):
        SmsDelivery(template="sale", region=region)


@pytest.mark.parametrize("field", ["dry_run", "send_in_backfill"])
@pytest.mark.parametrize("word", ["no", "false", 0, 1])
def test_a_switch_takes_true_and_false_only(field: str, word: object) -> None:
    """``dry_run: "no"`` must never be read as yes or no by luck."""
    with pytest.raises(ValidationError):
        SmsDelivery.model_validate({"template": "sale", field: word})


def test_a_scheduled_workflow_cannot_ask_for_a_parameter() -> None:
    with pytest.raises(ValidationError, match="cannot be asked for city"):
        make_workflow(schedule={"cron": "0 9 * * 2"}, params={"city": {"type": "string"}})


def test_a_workflow_started_by_hand_can() -> None:
    assert not make_workflow(params={"city": {"type": "string"}}).params["city"].has_default


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"start_date": date(2026, 3, 1)}, "need a schedule"),
        ({"end_date": date(2026, 3, 1)}, "need a schedule"),
        (
            {
                "schedule": {"cron": "0 9 * * 2"},
                "start_date": date(2026, 3, 2),
                "end_date": date(2026, 3, 1),
            },
            "end_date is before start_date",
        ),
    ],
)
def test_dates_that_mean_nothing_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        make_workflow(**fields)


def test_a_workflow_is_written_in_python_as_in_yaml() -> None:
    in_python = Workflow(
        id="marketing.sale",
        schedule=Schedule(cron="0 9 * * 2"),
        activities={
            "people": BuildAudience(file="s3://crm/people.parquet"),
            "sms": SmsDelivery(audience="people", template="sale"),
        },
        params={"city": Parameter(type="string", default="Lyon")},
    )
    as_data = make_workflow(
        schedule={"cron": "0 9 * * 2"}, params={"city": {"type": "string", "default": "Lyon"}}
    )

    assert as_data == in_python


@given(st.dictionaries(st.text(max_size=12), st.none() | st.booleans() | st.text(max_size=5)))
def test_a_field_nobody_knows_is_never_dropped_in_silence(fields: dict[str, Any]) -> None:
    unknown = set(fields) - set(SmsDelivery.model_fields)
    try:
        SmsDelivery.model_validate(fields | {"template": "sale"})
    except ValidationError:
        return
    assert not unknown
