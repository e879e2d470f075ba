"""The review: what lets a delivery be sent, and everything that does not."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, BaseNotifier
from airflow.sdk.exceptions import AirflowException

from smsflow_provider import (
    BuildAudienceOperator,
    ManualApprovalSensor,
    PrepareDeliveryOperator,
    SendDeliveryOperator,
    SmsNotifier,
)
from smsflow_provider.core.delivery.control import stop
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.model import Origin
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.approvals import find_approval, review_age_s
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.fixtures import MakeDag
from tests.airflow.running import Run, reject, run_out, send

REVIEW = "sms.review_and_send"
SENT = {"+33612345671", "+33612345672"}


@pytest.fixture
def after() -> dict[str, Any]:
    """Settings of a review that may time out."""
    return {"response_timeout": timedelta(hours=1)}


def delivery_of(run: Run, store: Store) -> Delivery:
    return find_delivery(store, run.xcom("sms.prepare", "delivery"))


def states(run: Run, *names: str) -> list[str]:
    return [run.states[f"sms.{name}"] for name in names]


def numbers(simulator: RunningSimulator) -> list[str]:
    return sorted(one["to"] for one in simulator.messages())


def test_a_person_who_says_send_lets_the_delivery_leave(
    make_dag: MakeDag, simulator: RunningSimulator, airflow_store: Store
) -> None:
    run = Run.start(make_dag()).go()

    assert [REVIEW] == run.waiting()
    assert [] == simulator.messages()

    run.go(send)

    assert "success" == run.state
    assert sorted(SENT) == numbers(simulator)
    delivery = delivery_of(run, airflow_store)
    approval = find_approval(airflow_store, delivery)
    assert approval is not None
    assert ("maria", "fine", "airflow") == (approval.decided_by, approval.comment, approval.via)
    assert delivery.fingerprint == approval.fingerprint
    assert {
        "delivery": delivery.id,
        "decision": "approved",
        "by": "maria",
        "fingerprint": delivery.fingerprint,
    } == run.xcom(REVIEW)


def test_the_question_says_no_count_and_leads_to_the_review(
    make_dag: MakeDag, airflow_store: Store
) -> None:
    run = Run.start(make_dag()).go()
    question = run.question(REVIEW)
    delivery = delivery_of(run, airflow_store)

    assert "Review and send: Spring sale" == question.subject
    link = f"http://airflow.test:8080/plugin/smsflow/deliveries/{delivery.id}/review"
    assert f"]({link})" in str(question.body)
    assert not any(char.isdigit() for char in str(question.body).split("](")[0])
    assert ["Send", "Reject"] == list(question.options)
    assert question.defaults is None


def test_a_rejected_delivery_skips_what_follows_and_the_run_succeeds(
    make_dag: MakeDag, simulator: RunningSimulator, airflow_store: Store
) -> None:
    dag = make_dag()
    with dag:
        follows = BuildAudienceOperator(task_id="next", audience="never")
        dag.task_group.children["sms"] >> follows
    run = Run.start(dag).go(reject)

    assert "success" == run.state
    assert ["success", "skipped", "success"] == states(run, "review_and_send", "send", "report")
    assert "skipped" == run.states["next"]
    assert ("rejected", "maria") == (run.xcom(REVIEW)["decision"], run.xcom(REVIEW)["by"])
    assert "rejected" == run.xcom("sms.report")["state"]
    approval = find_approval(airflow_store, delivery_of(run, airflow_store))
    assert approval is not None
    assert "wrong price" == approval.comment
    assert [] == simulator.messages()


def test_a_rejected_delivery_fails_the_run_if_the_workflow_says_so(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag(on_reject="fail")).go(reject)

    assert "failed" == run.state
    assert ["failed", "upstream_failed", "failed"] == states(
        run, "review_and_send", "send", "report"
    )
    assert 1 == run.tries(REVIEW)
    assert [] == simulator.messages()


@pytest.mark.parametrize(
    ("on_expiry", "run_state", "task_states"),
    [
        ("fail", "failed", ["failed", "upstream_failed", "failed"]),
        ("skip", "success", ["success", "skipped", "success"]),
    ],
)
def test_a_review_nobody_answered_expires_and_sends_nothing(
    on_expiry: str,
    run_state: str,
    task_states: list[str],
    make_dag: MakeDag,
    after: dict[str, Any],
    airflow_store: Store,
    simulator: RunningSimulator,
) -> None:
    dag = make_dag(dag_id=f"shop.expires_{on_expiry}", on_expiry=on_expiry, **after)
    run = Run.start(dag).go(run_out)

    assert run_state == run.state
    assert task_states == states(run, "review_and_send", "send", "report")
    assert DeliveryState.EXPIRED is delivery_of(run, airflow_store).state
    assert ("expired", None) == (run.xcom(REVIEW)["decision"], run.xcom(REVIEW)["by"])
    assert [] == simulator.messages()


def test_the_default_of_a_timeout_never_sends(
    make_dag: MakeDag, airflow_store: Store, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag()).go()
    run.resume(
        REVIEW,
        {
            "chosen_options": ["Send"],
            "params_input": {},
            "responded_at": None,
            "responded_by_user": None,
            "timedout": False,
        },
    )
    run.go()

    assert "failed" == run.state
    assert DeliveryState.EXPIRED is delivery_of(run, airflow_store).state
    assert [] == simulator.messages()


def test_soft_failure_by_default_does_not_make_an_expired_run_green(
    make_dag: MakeDag, after: dict[str, Any], simulator: RunningSimulator
) -> None:
    dag = make_dag(dag={"default_args": {"soft_fail": True, "never_fail": False}}, **after)
    run = Run.start(dag).go(run_out)

    assert "failed" == run.state
    assert "failed" == run.states[REVIEW]
    assert [] == simulator.messages()


@pytest.mark.parametrize("how", ["before it asks", "while it waits"])
def test_marking_the_review_a_success_sends_nothing(
    how: str, make_dag: MakeDag, simulator: RunningSimulator, capfd: pytest.CaptureFixture[str]
) -> None:
    run = Run.start(make_dag(dag_id=f"shop.marked_{how.replace(' ', '_')}"))
    if how == "before it asks":
        run.marked.add(REVIEW)
        run.go()
    else:
        run.go().mark(REVIEW)
        run.go()

    assert "failed" == run.state
    assert ["success", "failed", "failed"] == states(run, "review_and_send", "send", "report")
    assert 1 == run.tries("sms.send")
    assert "nobody approved this delivery: nothing was sent" in capfd.readouterr().out
    assert [] == simulator.messages()


def test_marking_the_send_a_success_does_not_make_the_run_green(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag())
    run.marked.add("sms.send")
    run.go(send)

    assert "failed" == run.state
    assert "approved" == run.xcom("sms.report")["state"]
    assert [] == simulator.messages()


def test_a_delivery_stopped_before_it_is_sent_skips_what_follows(
    make_dag: MakeDag, simulator: RunningSimulator, airflow_store: Store
) -> None:
    run = Run.start(make_dag()).go()
    send(run, REVIEW)
    run.step()
    stop(airflow_store, delivery_of(run, airflow_store).id, actor="maria")
    run.go()

    assert "success" == run.state
    assert ("stopped", 2) == (
        run.xcom("sms.report")["state"],
        run.xcom("sms.report")["cancelled"],
    )
    assert [] == simulator.messages()


def test_a_finished_run_that_is_cleared_sends_nothing_again(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag()).go(send)
    first = run.xcom("sms.report")
    run.clear().go()

    assert "success" == run.state
    assert [2, 2] == [run.tries(REVIEW), run.tries("sms.send")]
    assert first == run.xcom("sms.report")
    assert 2 == len(simulator.messages())


def test_a_send_that_is_cleared_sends_nothing_again(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag()).go(send)
    run.clear("sms.send", "sms.report").go()

    assert ("success", 2) == (run.state, run.tries("sms.send"))
    assert 2 == len(simulator.messages())


def test_a_rejected_delivery_that_is_cleared_behind_its_review_stays_rejected(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag()).go(reject)
    run.clear("sms.send", "sms.report").go()

    assert ("success", "skipped") == (run.state, run.states["sms.send"])
    assert [] == simulator.messages()


def test_a_rejected_delivery_that_is_prepared_again_asks_again(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag()).go(reject)
    run.clear().go(send)

    assert "success" == run.state
    assert sorted(SENT) == numbers(simulator)


def test_content_prepared_again_before_the_answer_is_asked_about_again(
    make_dag: MakeDag, templates: Path, simulator: RunningSimulator, airflow_store: Store
) -> None:
    run = Run.start(make_dag()).go()
    before = delivery_of(run, airflow_store).fingerprint
    template = templates / "sale.sms.j2"
    template.write_text(template.read_text().replace("sale for", "SALE FOR"))
    run.clear("sms.prepare").go_only("sms.prepare")
    after = delivery_of(run, airflow_store).fingerprint

    assert before != after

    run.go(send)

    assert ([REVIEW], 1) == (run.waiting(), run.tries(REVIEW))
    assert [] == simulator.messages()

    run.go(send)

    assert "success" == run.state
    assert after == run.xcom(REVIEW)["fingerprint"]
    assert {"Xylophone SALE FOR Zephyrine!", "Xylophone SALE FOR Balthazar!"} == {
        one["text"] for one in simulator.messages()
    }


def test_content_prepared_again_after_the_answer_is_not_sent(
    make_dag: MakeDag, simulator: RunningSimulator, airflow_store: Store
) -> None:
    run = Run.start(make_dag())
    run.marked.add("sms.send")
    run.go(send)
    run.marked.clear()
    run.clear("sms.prepare").go_only("sms.prepare")

    assert DeliveryState.READY is delivery_of(run, airflow_store).state

    run.clear("sms.send", "sms.report").go()

    assert ("failed", "failed") == (run.state, run.states["sms.send"])
    assert [] == simulator.messages()


def test_a_template_changed_after_the_preparation_is_not_what_is_sent(
    make_dag: MakeDag, templates: Path, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag()).go()
    (templates / "sale.sms.j2").write_text("---\nsender: OTHER\n---\nOther\n")
    run.go(send)

    assert {"Xylophone sale for Zephyrine!", "Xylophone sale for Balthazar!"} == {
        one["text"] for one in simulator.messages()
    }
    assert {"ACME"} == {one["sender"] for one in simulator.messages()}


@pytest.mark.parametrize(
    "params",
    [
        {"comment": "x" * 10_000},
        {"comment": ["a", "list"]},
        {"comment": {"__classname__": "builtins.eval", "__version__": 1, "__data__": "1"}},
        {"__classname__": "airflow.sdk.Connection", "__version__": 9, "__data__": {}},
    ],
    ids=["long", "list", "reserved value", "reserved keys"],
)
def test_a_form_that_cannot_be_read_asks_again_within_the_same_try(
    params: dict[str, Any],
    make_dag: MakeDag,
    simulator: RunningSimulator,
    request: pytest.FixtureRequest,
) -> None:
    name = request.node.callspec.id.replace(" ", "_")
    run = Run.start(make_dag(dag_id=f"shop.form_{name}")).go()

    assert 200 == run.answer(REVIEW, "Send", params=params).status_code

    run.go()

    assert [] == simulator.messages()
    assert ([REVIEW], 1) == (run.waiting(), run.tries(REVIEW))

    run.go(send)

    assert "success" == run.state
    assert 2 == len(simulator.messages())


@pytest.mark.parametrize("chosen", [["Send", "Reject"], ["send"], ["Approve"], [], None], ids=str)
def test_a_choice_that_is_none_of_ours_asks_again(
    chosen: list[str] | None, make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag(dag_id="shop.choices")).go()
    run.resume(
        REVIEW,
        {
            "chosen_options": chosen,
            "params_input": {},
            "responded_by_user": {"id": "maria", "name": "maria"},
            "timedout": False,
        },
    )
    run.go()

    assert ([REVIEW], 1) == (run.waiting(), run.tries(REVIEW))
    assert [] == simulator.messages()


def test_airflow_itself_refuses_two_options_and_unknown_ones(make_dag: MakeDag) -> None:
    run = Run.start(make_dag()).go()

    assert 400 == run.answer(REVIEW, ["Send", "Reject"]).status_code
    assert 400 == run.answer(REVIEW, "Approve").status_code
    assert 403 == run.answer(REVIEW, "Send", user="vera").status_code
    assert [REVIEW] == run.waiting()


def test_a_second_try_of_the_review_goes_on_with_the_decision_there_is(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag())
    run.marked.add("sms.send")
    run.go(send)
    run.marked.clear()
    run.clear(REVIEW, "sms.send", "sms.report").go()

    assert ("success", 2) == (run.state, run.tries(REVIEW))
    assert sorted(SENT) == numbers(simulator)


class BrokenNotifier(BaseNotifier):
    """Somebody else's notifier on a bad day."""

    def notify(self, context: Any) -> None:
        raise AirflowException(f"no way to reach anybody about {context['ti'].task_id}")


class Note(BaseNotifier):
    """Writes down who was told."""

    told: list[str] = []  # noqa: RUF012  emptied by the test

    def notify(self, context: Any) -> None:
        self.told.append(context["ti"].task_id)


def test_a_notifier_that_fails_does_not_keep_the_review_from_waiting(
    make_dag: MakeDag, simulator: RunningSimulator, capfd: pytest.CaptureFixture[str]
) -> None:
    Note.told.clear()
    run = Run.start(make_dag(notifiers=[BrokenNotifier(), Note()])).go()

    assert [REVIEW] == run.waiting()
    assert [REVIEW] == Note.told
    assert "A notifier failed; the review waits all the same" in capfd.readouterr().out

    run.go(send)

    assert 2 == len(simulator.messages())


def test_one_notifier_needs_no_list_and_is_not_told_of_a_second_question(
    make_dag: MakeDag,
) -> None:
    Note.told.clear()
    run = Run.start(make_dag(notifiers=Note())).go()
    run.answer(REVIEW, "Send", params={"comment": 5})
    run.go()

    assert [REVIEW] == run.waiting()
    assert [REVIEW] == Note.told


def test_a_review_may_text_whoever_has_to_answer_it(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    told = SmsNotifier(to="+33612345679", text="Please review {{ ti.task_id }}")
    run = Run.start(make_dag(notifiers=[told])).go()

    assert [("+33612345679", f"Please review {REVIEW}")] == [
        (one["to"], one["text"]) for one in simulator.messages()
    ]

    run.go(send)

    assert sorted([*SENT, "+33612345679"]) == numbers(simulator)


@pytest.mark.parametrize("assigned", [["maria"], "maria"], ids=["list", "text"])
def test_only_assigned_people_may_answer(assigned: Any, make_dag: MakeDag) -> None:
    run = Run.start(make_dag(dag_id="shop.assigned", assigned_users=assigned)).go()

    assert [{"id": "maria", "name": "maria"}] == run.question(REVIEW).assignees
    assert 403 == run.answer(REVIEW, "Send", user="ben", role="USER").status_code
    assert 200 == run.answer(REVIEW, "Send").status_code


def test_a_backfill_prepares_and_asks_nobody(
    make_dag: MakeDag, simulator: RunningSimulator, airflow_store: Store
) -> None:
    run = Run.start(make_dag(), kind="backfill").go()

    assert ("success", []) == (run.state, run.waiting())
    assert ["success", "success", "skipped", "success"] == states(
        run, "prepare", "review_and_send", "send", "report"
    )
    assert DeliveryState.READY is delivery_of(run, airflow_store).state
    assert "not_asked" == run.xcom(REVIEW)["decision"]
    assert [] == simulator.messages()


@pytest.mark.parametrize("word", [True, "true", "Yes"], ids=str)
def test_a_backfill_that_says_so_asks(
    word: object, make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    dag = make_dag(dag_id="shop.backfill_sends")
    run = Run.start(dag, kind="backfill", conf={"send_in_backfill": word}).go(send)

    assert "success" == run.state
    assert 2 == len(simulator.messages())


def test_a_backfill_whose_run_parameter_is_no_answer_fails(
    make_dag: MakeDag, simulator: RunningSimulator, capfd: pytest.CaptureFixture[str]
) -> None:
    run = Run.start(make_dag(), kind="backfill", conf={"send_in_backfill": "perhaps"}).go()

    assert ("failed", []) == (run.state, run.waiting())
    assert "parameter='send_in_backfill'" in capfd.readouterr().out
    assert [] == simulator.messages()


def test_a_backfill_in_which_somebody_marks_the_review_sends_nothing_and_fails(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag(), kind="backfill")
    run.marked.add(REVIEW)
    run.go()

    assert ("failed", "failed") == (run.state, run.states["sms.send"])
    assert [] == simulator.messages()


def test_the_age_of_a_question_begins_anew_when_it_is_asked_again(
    make_dag: MakeDag, airflow_store: Store
) -> None:
    run = Run.start(make_dag()).go()
    asker = Origin(dag_id=run.dag.dag_id, run_id=run.run_id, task_id=REVIEW)
    with airflow_store.transaction() as connection:
        connection.execute("UPDATE smsflow_reviews SET opened_at = opened_at - interval '1 h'")

    assert (review_age_s(airflow_store, asker) or 0) > 3600

    run.answer(REVIEW, "Send", params={"comment": 5})
    run.go()

    assert (review_age_s(airflow_store, asker) or 3600) < 60


def test_a_review_of_nothing_fails_at_once(
    make_dag: MakeDag, capfd: pytest.CaptureFixture[str]
) -> None:
    with make_dag(dag_id="shop.review_of_nothing") as dag:
        ManualApprovalSensor(task_id="review", delivery="no-such-delivery", retries=0)
    run = Run.start(dag)
    run.marked |= {"people", "sms.prepare", "sms.review_and_send", "sms.send", "sms.report"}
    run.go()

    assert "failed" == run.states["review"]
    assert "there is no such delivery" in capfd.readouterr().out


def test_the_three_tasks_work_alone_too(
    make_dag: MakeDag, people: Path, simulator: RunningSimulator
) -> None:
    make_dag(dag_id="shop.unused")
    with DAG("shop.by_hand", schedule=None) as dag:
        audience = BuildAudienceOperator(task_id="people", file=str(people))
        prepare = PrepareDeliveryOperator(
            task_id="prepare", audience=audience.output, template="sale"
        )
        review = ManualApprovalSensor(task_id="review", delivery=prepare.output)
        leave = SendDeliveryOperator(task_id="leave", delivery=prepare.output)
        prepare >> review >> leave
    run = Run.start(dag).go(send)

    assert "success" == run.state
    assert 2 == len(simulator.messages())


@pytest.mark.parametrize("word", ["on_reject", "on_expiry"])
def test_a_policy_that_is_none_is_refused_when_the_dag_is_parsed(word: str) -> None:
    wrong: dict[str, Any] = {word: "Fail"}
    with pytest.raises(ConfigError, match="say 'skip' or 'fail'") as caught:
        ManualApprovalSensor(task_id="review", delivery="d", **wrong)

    assert {word: "Fail"} == caught.value.facts


def test_logs_of_a_review_name_no_one_and_no_text(
    make_dag: MakeDag, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="smsflow_provider")
    Run.start(make_dag()).go(send)
    said = capfd.readouterr().out + caplog.text

    assert "Waiting for a person to review delivery" in said
    assert not any(word in said for word in ("Zephyrine", "Balthazar", "Xylophone", "61234567"))
