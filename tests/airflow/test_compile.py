from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

# Airflow makes its home when it is first imported.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="smsflow-airflow-"))

from airflow.sdk import DAG, CronTriggerTimetable, Param, TaskGroup
from airflow.sdk.exceptions import ParamValidationError

import smsflow_provider
from smsflow_provider.compiler.compile import Function, compile_workflow
from smsflow_provider.compiler.inspect import graph_of_dag
from smsflow_provider.compiler.load import load_workflows
from smsflow_provider.core.errors import AudienceError, WorkflowError
from smsflow_provider.core.workflow.graph import StepKind
from smsflow_provider.core.workflow.plan import graph_of, plan
from smsflow_provider.core.workflow.spec import Workflow

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "dags" / "workflows"


def make_workflow(**changes: Any) -> Workflow:
    fields = {
        "id": "marketing.sale",
        "activities": {
            "people": {"kind": "build_audience", "file": "s3://crm/people.csv"},
            "sms": {"kind": "sms_delivery", "audience": "people", "template": "sale"},
        },
    }
    return Workflow.model_validate(fields | changes)


def edges(dag: DAG) -> set[tuple[str, str]]:
    return {(earlier, step.task_id) for step in graph_of_dag(dag) for earlier in step.upstream}


def test_a_delivery_becomes_the_four_tasks_of_its_group() -> None:
    dag = compile_workflow(make_workflow())

    assert {
        "people",
        "sms.prepare",
        "sms.review_and_send",
        "sms.send",
        "sms.report",
    } == set(dag.task_ids)


def test_each_task_is_what_the_plan_says() -> None:
    workflow = make_workflow()
    planned = {step.task_id: step for step in graph_of(plan(workflow))}

    for step in graph_of_dag(compile_workflow(workflow)):
        assert planned[step.task_id].kind is step.kind
        assert planned[step.task_id].trigger_rule == step.trigger_rule
        assert set(planned[step.task_id].upstream) <= set(step.upstream)


def test_every_arrow_beyond_the_plan_only_hands_on_the_delivery() -> None:
    workflow = make_workflow()
    extra = edges(compile_workflow(workflow)) - set(plan(workflow).arrows)

    assert {"sms.prepare"} == {earlier for earlier, _ in extra}


def test_the_tasks_of_a_delivery_know_which_one_it_is() -> None:
    steps = graph_of_dag(compile_workflow(make_workflow()))

    assert {"sms.prepare"} == {
        step.delivery for step in steps if step.kind is not StepKind.BUILD_AUDIENCE
    }


def test_what_comes_after_a_delivery_comes_after_its_report() -> None:
    activities = {
        "people": {"kind": "build_audience", "file": "people.csv"},
        "sms": {"kind": "sms_delivery", "audience": "people", "template": "sale"},
        "rest": {"kind": "build_audience", "file": "rest.csv", "after": ["sms"]},
        "thanks": {"kind": "sms_delivery", "audience": "rest", "template": "thanks"},
    }
    found = edges(compile_workflow(make_workflow(activities=activities)))

    assert ("sms.report", "rest") in found
    assert ("rest", "thanks.prepare") in found


def test_a_dag_is_as_its_workflow_says() -> None:
    dag = compile_workflow(
        make_workflow(
            label="Spring sale",
            description="Tells **everybody**.",
            owner="marketing",
            tags=["sms"],
            schedule={"cron": "0 9 * * 2", "timezone": "Europe/Paris"},
            start_date="2026-03-01",
            end_date="2026-05-31",
        )
    )

    assert "marketing.sale" == dag.dag_id
    assert "Spring sale" == dag.dag_display_name
    assert "Tells **everybody**." == dag.doc_md
    assert {"sms"} == dag.tags
    assert {"marketing"} == {task.owner for task in dag.tasks}
    assert CronTriggerTimetable("0 9 * * 2", timezone="Europe/Paris") == dag.timetable
    paris = ZoneInfo("Europe/Paris")
    assert datetime(2026, 3, 1, tzinfo=paris) == dag.start_date
    assert dag.end_date is not None
    assert datetime(2026, 5, 31, 21, 59, 59, tzinfo=UTC) == dag.end_date.replace(microsecond=0)


@pytest.mark.parametrize("schedule", [None, {"cron": "@daily"}])
def test_a_dag_never_catches_up_and_has_one_run_at_a_time(schedule: Any) -> None:
    dag = compile_workflow(make_workflow(schedule=schedule))

    assert not dag.catchup
    assert 1 == dag.max_active_runs


def test_a_workflow_without_schedule_runs_when_it_is_started_only() -> None:
    dag = compile_workflow(make_workflow())

    assert dag.schedule is None
    assert "send_in_backfill" not in dag.params


def test_a_scheduled_workflow_can_be_told_to_send_in_a_backfill() -> None:
    dag = compile_workflow(make_workflow(schedule={"cron": "@daily"}))
    param = dag.params.get_param("send_in_backfill")

    assert False is param.resolve()
    assert True is param.resolve(value=True)
    with pytest.raises(ParamValidationError):
        param.resolve(value="yes")


def test_every_field_of_a_delivery_reaches_its_tasks() -> None:
    activities: dict[str, dict[str, Any]] = {
        "people": {"kind": "build_audience", "file": "people.csv"},
        "sms": {
            "kind": "sms_delivery",
            "audience": "people",
            "template": "sale",
            "gateway": "sms_gateway",
            "label": "Sale",
            "region": "FR",
            "typology": "regulars",
            "exclude": {"filters": {"minors": "age < 18"}, "size_limit": {"count": 3}},
            "weight": 7,
            "budget": "marketing",
            "dry_run": True,
            "review_within": "2d",
            "on_expiry": "skip",
            "on_reject": "fail",
            "reviewers": ["claire", "denis"],
            "send_in_backfill": True,
        },
    }
    tasks: dict[str, Any] = compile_workflow(make_workflow(activities=activities)).task_dict
    prepare, review = tasks["sms.prepare"], tasks["sms.review_and_send"]

    assert ("sale", "sms_gateway", "Sale", "FR", True) == (
        prepare.template,
        prepare.gateway_conn_id,
        prepare.delivery_label,
        prepare.region,
        prepare.is_dry_run,
    )
    assert ("regulars", 7, "marketing") == (prepare.typology, prepare.weight, prepare.budget)
    assert activities["sms"]["exclude"] == prepare.exclude
    assert timedelta(days=2) == review.response_timeout
    assert ("skip", "fail") == (review.on_expiry, review.on_reject)
    assert ["claire", "denis"] == review.assigned_users
    assert review.send_in_backfill


def test_a_delivery_is_as_careful_as_its_operator_where_nothing_is_said() -> None:
    review: Any = compile_workflow(make_workflow()).task_dict["sms.review_and_send"]

    assert ("fail", "skip") == (review.on_expiry, review.on_reject)
    assert review.response_timeout is None
    assert review.assigned_users is None
    assert not review.send_in_backfill


def audience_task(params: dict[str, Any] | None = None, **fields: Any) -> Any:
    activity = {"kind": "build_audience", "save_as": "people"} | fields
    workflow = make_workflow(activities={"people": activity}, params=params or {})
    return compile_workflow(workflow).task_dict["people"]


def test_every_field_of_an_audience_reaches_its_task() -> None:
    task = audience_task(
        sql="SELECT 1", conn_id="crm", phone_column="mobile", id_column="id", on_empty="skip"
    )

    assert ("SELECT 1", "crm", "mobile", "id", "skip", "people") == (
        task.sql,
        task.conn_id,
        task.phone_column,
        task.id_column,
        task.on_empty,
        task.save_as,
    )


PARAMS = {
    "points": {"type": "integer", "default": 5},
    "cities": {"type": "array", "default": ["Lyon"]},
    "code": {"type": "string", "default": "007"},
}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{{ params.points }}", 5),
        ("{{params.cities}}", ["Lyon"]),
        ("{{ params.code }}", "007"),
        ("at least {{ params.points }}", "at least 5"),
        (["{{ params.points }}", 3], [5, 3]),
        ({"deep": "{{ params.code }}"}, {"deep": "007"}),
        (42, 42),
        ("plain", "plain"),
    ],
)
def test_a_bound_parameter_keeps_its_type(written: object, expected: object) -> None:
    task = audience_task(PARAMS, sql="SELECT 1", conn_id="crm", parameters={"value": written})
    context: Any = {"params": {"points": 5, "cities": ["Lyon"], "code": "007"}, "dag_run": Run()}

    task.render_template_fields(context)

    assert {"value": expected} == task.parameters


class Run:
    """A run that was started without a word about its parameters."""

    conf: dict[str, Any] | None = None


def test_a_function_gets_its_arguments_bound_too() -> None:
    task = audience_task(PARAMS, callable="crm:people", op_kwargs={"least": "{{ params.points }}"})
    context: Any = {"params": {"points": 5}, "dag_run": Run()}

    task.render_template_fields(context)

    assert {"least": 5} == task.op_kwargs


def test_the_users_function_is_imported_when_it_is_called_and_not_before() -> None:
    task = audience_task(callable="no_such_module_anywhere:people")

    with pytest.raises(AudienceError, match="cannot be loaded"):
        task.python_callable()


def test_a_module_without_the_function_is_said_so() -> None:
    with pytest.raises(AudienceError) as caught:
        Function(path="textwrap:nothing")()

    assert "textwrap:nothing" == caught.value.facts["callable"]


def test_a_workflow_with_problems_becomes_no_dag() -> None:
    activities = {"sms": {"kind": "sms_delivery", "template": "sale"}}

    with pytest.raises(WorkflowError) as caught:
        compile_workflow(make_workflow(activities=activities))

    assert "activities.sms.audience" in str(caught.value.facts["problems"])


def test_params_become_params_of_airflow_with_their_schema() -> None:
    params = {
        "city": {"type": "string", "minLength": 2, "description": "Where"},
        "points": {"type": "integer", "default": 0, "exclusiveMaximum": 9},
    }
    made = compile_workflow(make_workflow(params=params)).params
    city, points = made.get_param("city"), made.get_param("points")

    assert ("Where", {"type": "string", "minLength": 2}) == (city.description, city.schema)
    assert ({"type": "integer", "exclusiveMaximum": 9}, 0) == (points.schema, points.resolve())
    with pytest.raises(ParamValidationError, match="no default value"):
        city.resolve()
    with pytest.raises(ParamValidationError):
        points.resolve(value=9)


def test_a_default_of_nothing_reaches_airflow_as_a_default() -> None:
    workflow = make_workflow(params={"since": {"type": ["string", "null"], "default": None}})
    param = compile_workflow(workflow).params.get_param("since")

    assert isinstance(param, Param)
    assert param.resolve() is None


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    """Sound workflows of any shape."""
    made: dict[str, Any] = {}
    for name in [f"a{at}" for at in range(draw(st.integers(1, 6)))]:
        sources = [other for other in made if made[other]["kind"] == "build_audience"]
        after = draw(st.lists(st.sampled_from(sorted(made)), max_size=2)) if made else []
        is_delivery = draw(st.booleans())
        if sources and is_delivery:
            source = draw(st.sampled_from(sources))
            made[name] = {"kind": "sms_delivery", "audience": source, "template": "t"}
        else:
            made[name] = {"kind": "build_audience", "file": "x", "save_as": name}
        made[name]["after"] = after
    return make_workflow(activities=made)


@given(workflows())
@settings(max_examples=25, deadline=None)
def test_every_dag_has_the_tasks_and_at_least_the_arrows_of_its_plan(workflow: Workflow) -> None:
    dag = compile_workflow(workflow)
    planned = plan(workflow)

    assert {step.task_id for step in planned.steps} == set(dag.task_ids)
    assert set(planned.arrows) <= edges(dag)


# Files and folders of workflows.

GOOD = """\
id: {id}
activities:
  people: {{kind: build_audience, file: people.csv}}
  sms: {{kind: sms_delivery, audience: people, template: sale}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "one.yaml").write_text(GOOD.format(id="team.one"))
    (tmp_path / "deep" / "two.yml").write_text(GOOD.format(id="team.two"))
    (tmp_path / ".hidden.yaml").write_text("no workflow: [")
    (tmp_path / "notes.txt").write_text("no workflow: [")
    return tmp_path


def test_a_folder_becomes_one_dag_for_each_of_its_files(folder: Path) -> None:
    assert {"team.one", "team.two"} == set(load_workflows(folder))


def test_a_single_file_becomes_its_dag(folder: Path) -> None:
    assert ["team.one"] == list(load_workflows(str(folder / "one.yaml")))


def test_a_folder_without_workflows_has_no_dags(tmp_path: Path) -> None:
    assert {} == load_workflows(tmp_path)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkflowError, match="no such file or folder"):
        load_workflows(tmp_path / "gone")


def test_every_problem_of_every_file_is_in_one_error(folder: Path) -> None:
    (folder / "bad.yaml").write_text("id: nope\nactivities: {}\n")
    (folder / "worse.yaml").write_text("id: [\n")

    with pytest.raises(WorkflowError) as caught:
        load_workflows(folder)

    listed = caught.value.facts["problems"]
    assert isinstance(listed, list)
    assert [f"{folder}/bad.yaml:1", f"{folder}/bad.yaml:2", f"{folder}/worse.yaml:2"] == [
        text.partition(": ")[0] for text in listed
    ]


def test_two_files_with_one_id_are_refused(folder: Path) -> None:
    (folder / "two_again.yaml").write_text("\n" + GOOD.format(id="team.two"))

    with pytest.raises(WorkflowError) as caught:
        load_workflows(folder)

    assert [
        (
            f"{folder}/two_again.yaml:2: id: 'team.two' is the id of {folder}/deep/two.yml too"
            " (choose another id)"
        )
    ] == caught.value.facts["problems"]


def test_a_worker_compiles_only_the_workflow_it_runs(folder: Path) -> None:
    assert ["team.two"] == list(load_workflows(folder, only="team.two"))
    assert {} == load_workflows(folder, only="team.three")


def test_a_broken_neighbour_does_not_hurt_a_running_task(folder: Path) -> None:
    (folder / "bad.yaml").write_text("id: team.two\nactivities: [\n")
    (folder / "worse.yaml").write_bytes(b"\xff\xfe team.two")

    assert ["team.two"] == list(load_workflows(folder, only="team.two"))


def test_an_id_that_begins_like_another_is_not_taken_for_it(folder: Path) -> None:
    (folder / "longer.yaml").write_text(GOOD.format(id="team.two_and_more"))

    assert ["team.two"] == list(load_workflows(folder, only="team.two"))


def test_the_examples_are_compiled_and_have_no_problems() -> None:
    assert {
        "marketing.spring_sale",
        "marketing.store_evening",
        "marketing.store_opening",
        "marketing.weekly_offer",
    } == set(load_workflows(EXAMPLES))


def test_parameters_in_rules_keep_their_type_wherever_they_stand() -> None:
    dag = load_workflows(EXAMPLES)["marketing.store_evening"]
    first, _, spent, *_ = dag.task_dict["guests"].rules["all"]  # type: ignore[union-attr]
    context: Any = {"params": {"region": "IDF", "minimum_spent": 12.5}, "dag_run": None}

    assert "IDF" == first["equals"].resolve({**context, "dag_run": SimpleNamespace(conf={})})
    assert 12.5 == spent["at_least"].resolve({**context, "dag_run": SimpleNamespace(conf={})})


def test_the_weekly_example_comes_due_on_tuesdays_at_nine_in_paris() -> None:
    dag = load_workflows(EXAMPLES)["marketing.weekly_offer"]

    assert CronTriggerTimetable("0 9 * * 2", timezone="Europe/Paris") == dag.timetable
    assert not dag.catchup


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("city", ""),
        ("city", 7),
        ("opens_on", "tomorrow"),
        ("minimum_points", -1),
        ("minimum_points", "many"),
        ("language", "klingon"),
    ],
)
def test_the_example_for_the_api_refuses_a_bad_parameter(name: str, value: object) -> None:
    params = load_workflows(EXAMPLES)["marketing.store_opening"].params

    with pytest.raises(ParamValidationError):
        params[name] = value


def test_the_names_that_stay_are_these_very_functions() -> None:
    assert compile_workflow is smsflow_provider.compile_workflow
    assert load_workflows is smsflow_provider.load_workflows
    assert Workflow is smsflow_provider.Workflow


# In processes of their own: what a DAG parse loads, and whether two of them agree.

LOOK = """
import json, os, sys
from smsflow_provider.compiler.load import load_workflows
found = load_workflows(sys.argv[1])
heavy = {"pandas", "polars", "pyarrow", "aiohttp", "sqlglot", "phonenumbers"} & set(sys.modules)
from airflow.serialization.serialized_objects import DagSerialization
dags = {name: DagSerialization.to_dict(dag) for name, dag in found.items()}
print(json.dumps({"heavy": sorted(heavy), "dags": dags}, sort_keys=True, default=str))
"""


def look(path: Path, **environment: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(path)],
        check=True,
        capture_output=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "random"} | environment,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_parsing_loads_nothing_heavy_and_gives_the_same_dag_each_time() -> None:
    """A DAG that differs from parse to parse would become a new version each time."""
    first, second = look(EXAMPLES), look(EXAMPLES)

    assert [] == first["heavy"]
    assert 4 == len(first["dags"])
    assert first["dags"] == second["dags"]


def test_the_dag_airflow_asks_for_is_the_only_one_that_is_parsed() -> None:
    found = look(EXAMPLES, _AIRFLOW_PARSING_CONTEXT_DAG_ID="marketing.spring_sale")

    assert ["marketing.spring_sale"] == list(found["dags"])


def test_a_delivery_is_a_group_in_the_graph_of_airflow() -> None:
    group = compile_workflow(make_workflow()).task_group.get_child_by_label("sms")

    assert isinstance(group, TaskGroup)
