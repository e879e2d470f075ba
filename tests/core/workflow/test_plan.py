from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import WorkflowError
from smsflow_provider.core.workflow.graph import StepKind, check_graph
from smsflow_provider.core.workflow.plan import Plan, graph_of, plan, problems
from smsflow_provider.core.workflow.spec import Workflow


def audience(*after: str, **changes: Any) -> dict[str, Any]:
    return {"kind": "build_audience", "file": "s3://crm/people.csv", "after": after} | changes


def delivery(source: str | None, *after: str, **changes: Any) -> dict[str, Any]:
    own = {"kind": "sms_delivery", "audience": source, "template": "sale", "after": after}
    return own | changes


def make_workflow(activities: dict[str, Any], **changes: Any) -> Workflow:
    fields = {"id": "marketing.sale", "activities": activities}
    return Workflow.model_validate(fields | changes)


def texts(activities: dict[str, Any], **changes: Any) -> list[str]:
    return [str(problem) for problem in problems(make_workflow(activities, **changes))]


def ids(made: Plan) -> list[str]:
    return [step.task_id for step in made.steps]


SIMPLE = {"people": audience(), "sms": delivery("people")}
STEPS = ["people", "sms.prepare", "sms.review_and_send", "sms.send", "sms.report"]


def test_one_delivery_becomes_five_steps_in_a_row() -> None:
    made = plan(make_workflow(SIMPLE))

    assert STEPS == ids(made)
    assert set(pairwise(STEPS)) == set(made.arrows)


def test_the_order_in_the_file_does_not_matter() -> None:
    backwards = {"sms": delivery("people"), "people": audience()}

    assert STEPS == ids(plan(make_workflow(backwards)))


def test_the_order_in_the_file_breaks_ties() -> None:
    made = plan(make_workflow({"b": audience(save_as="b"), "a": audience(save_as="a")}))

    assert ["b", "a"] == ids(made)


def test_what_comes_after_a_delivery_waits_for_its_report() -> None:
    """The report is the gate: it fails or skips what follows when nothing was sent."""
    made = plan(make_workflow(SIMPLE | {"thanks": delivery("people", "sms")}))

    before = {earlier for earlier, later in made.arrows if later == "thanks.prepare"}
    assert {"people", "sms.report"} == before


def test_an_audience_may_wait_for_a_delivery() -> None:
    made = plan(make_workflow(SIMPLE | {"rest": audience("sms", save_as="rest")}))

    assert "rest" == ids(made)[-1]


def test_an_audience_named_twice_makes_one_arrow() -> None:
    made = plan(make_workflow({"people": audience(), "sms": delivery("people", "people")}))

    assert 1 == made.arrows.count(("people", "sms.prepare"))


def test_only_the_report_runs_whatever_came_before_it() -> None:
    rules = {step.task_id: step.trigger_rule for step in graph_of(plan(make_workflow(SIMPLE)))}

    assert {"sms.report"} == {name for name, rule in rules.items() if rule != "all_success"}


CYCLE = "activities wait for each other: "
BROKEN: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an unknown audience": (
        {"people": audience(save_as="people"), "sms": delivery("peple")},
        ["activities.sms.audience: unknown activity 'peple' (did you mean 'people'?)"],
    ),
    "an unknown activity to wait for": (
        {"people": audience(), "sms": delivery("people", "zzz")},
        ["activities.sms.after.0: unknown activity 'zzz' (known: people)"],
    ),
    "a delivery without an audience": (
        {"people": audience(save_as="people"), "sms": delivery(None)},
        ["activities.sms.audience: a delivery needs an audience (known: people)"],
    ),
    "a delivery and no audience anywhere": (
        {"sms": delivery(None)},
        [
            (
                "activities.sms.audience: a delivery needs an audience"
                " (add a build_audience activity and name it here)"
            )
        ],
    ),
    "a delivery to another delivery": (
        SIMPLE | {"more": delivery("sms")},
        ["activities.more.audience: 'sms' is not an audience (known: people)"],
    ),
    "an activity that waits for itself": (
        {"people": audience("people", save_as="people")},
        [f"activities.people: {CYCLE}people -> people (take one of these references away)"],
    ),
    "two that wait for each other": (
        {"people": audience("sms"), "sms": delivery("people")},
        [f"activities.people: {CYCLE}people -> sms -> people (take one of these references away)"],
    ),
    "something behind a cycle": (
        {
            "a": audience("b"),
            "b": audience("a"),
            "sms": delivery("a"),
            "last": delivery("a", "sms"),
        },
        [
            f"activities.a: {CYCLE}a -> b -> a (take one of these references away)",
            "activities.sms: can never start: it comes after activities that wait for each other",
            "activities.last: can never start: it comes after activities that wait for each other",
        ],
    ),
    "an audience nobody uses": (
        SIMPLE | {"vips": audience()},
        [
            (
                "activities.vips: nobody uses this audience"
                " (name it in a delivery, keep it with save_as, or take it away)"
            )
        ],
    ),
    "two audiences under one name": (
        {"a": audience(save_as="people"), "b": audience(save_as="people")},
        ["activities.b.save_as: 'a' is saved under 'people' too (choose another name)"],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_workflow_that_does_not_hold_together_is_refused(name: str) -> None:
    activities, expected = BROKEN[name]

    assert expected == texts(activities)


@pytest.mark.parametrize("name", BROKEN)
def test_no_plan_is_made_of_a_workflow_with_problems(name: str) -> None:
    activities, expected = BROKEN[name]

    with pytest.raises(WorkflowError) as caught:
        plan(make_workflow(activities))

    assert expected == caught.value.facts["problems"]


PARAMS = {"city": {"type": "string", "default": "Lyon"}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ params.city }}", []),
        ("{{ params['city'] }}", []),
        ("near {{ params.city | lower }}", []),
        ("params.cty without braces", []),
        ("{{ ds }}", []),
        ("{{ params.cty }}", ["unknown parameter 'cty' (did you mean 'city'?)"]),
        ('{{ params["cty"] }}', ["unknown parameter 'cty' (did you mean 'city'?)"]),
        ("{% if params.zzz %}", ["unknown parameter 'zzz' (known: city)"]),
    ],
)
def test_a_parameter_nobody_declared_is_named(text: str, expected: list[str]) -> None:
    source = audience(file=None, sql="SELECT 1", conn_id="crm", parameters={"city": [text]})
    field = "activities.people.parameters.city.0"

    found = texts({"people": source, "sms": delivery("people")}, params=PARAMS)

    assert [f"{field}: {each}" for each in expected] == found


def test_a_scheduled_workflow_may_ask_for_the_parameter_smsflow_adds() -> None:
    labelled = {
        "people": audience(),
        "sms": delivery("people", label="{{ params.send_in_backfill }}"),
    }

    assert [] == texts(labelled, schedule={"cron": "0 9 * * 2"})
    assert [
        "activities.sms.label: unknown parameter 'send_in_backfill' (declare it under params)"
    ] == texts(labelled)


NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True)


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    """Sound workflows of any shape, their activities in any order."""
    names: list[str] = draw(st.lists(NAMES, min_size=1, max_size=12, unique=True))
    made: dict[str, Any] = {}
    for name in names:
        sources = [other for other in made if made[other]["kind"] == "build_audience"]
        after = draw(st.lists(st.sampled_from(sorted(made)), max_size=3)) if made else []
        to_send = draw(st.booleans())
        if sources and to_send:
            made[name] = delivery(draw(st.sampled_from(sources)), *after)
        else:
            made[name] = audience(*after, save_as=f"of_{name}")
    order = draw(st.permutations(names))
    return make_workflow({name: made[name] for name in order})


@given(workflows())
def test_every_step_comes_after_all_it_waits_for(workflow: Workflow) -> None:
    made = plan(workflow)

    place = {task_id: at for at, task_id in enumerate(ids(made))}
    assert len(place) == len(made.steps)
    assert all(place[earlier] < place[later] for earlier, later in made.arrows)


@given(workflows())
def test_no_plan_has_a_send_without_its_review(workflow: Workflow) -> None:
    made = plan(workflow)

    assert [] == check_graph(graph_of(made))
    sends = [step for step in made.steps if step.kind is StepKind.SEND]
    for send in sends:
        before = [earlier for earlier, later in made.arrows if later == send.task_id]
        assert [f"{send.activity}.review_and_send"] == before


@given(workflows(), st.data())
def test_every_reference_is_kept_by_the_plan(workflow: Workflow, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(workflow.activities)))
    activity = workflow.activities[name]
    made = plan(workflow)
    owner = {step.task_id: step.activity for step in made.steps}

    waited = {owner[earlier] for earlier, later in made.arrows if owner[later] == name} - {name}

    source = {activity.audience} if activity.kind == "sms_delivery" else set()
    assert {*activity.after, *source} == waited


@given(workflows(), st.data())
def test_a_reference_backwards_is_found_as_a_cycle(workflow: Workflow, data: st.DataObject) -> None:
    fields = workflow.model_dump()
    if not plan(workflow).arrows:
        return
    earlier, later = data.draw(st.sampled_from(list(plan(workflow).arrows)))
    first, last = earlier.partition(".")[0], later.partition(".")[0]
    fields["activities"][first]["after"] = [last]

    found = problems(Workflow.model_validate(fields))

    assert any("wait for each other" in problem.text for problem in found)
