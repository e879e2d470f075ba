"""Without a person's Send to this very content nothing leaves, whatever else happens."""

from __future__ import annotations

import time

import httpx
import pytest

from smsflow_provider.core.errors import SmsflowError
from tests.system.conftest import Run, System

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(autouse=True)
def silence(system: System) -> None:
    """Forget what earlier tests sent."""
    system.simulator.forget()


def _sent(system: System) -> int:
    return len(system.simulator.messages())


def _patch_state(run: Run, task_id: str, state: str) -> None:
    path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}"
    run.system.airflow.client("admin").call("PATCH", path, json={"new_state": state})


def _clear(run: Run, *task_ids: str, downstream: bool = False) -> None:
    run.system.airflow.client("admin").call(
        "POST",
        f"/api/v2/dags/{run.dag_id}/clearTaskInstances",
        json={
            "dry_run": False,
            "dag_run_id": run.run_id,
            "task_ids": list(task_ids),
            "include_downstream": downstream,
            "only_failed": False,
            "reset_dag_runs": True,
        },
    )


def test_a_rejected_delivery_skips_the_rest_and_is_reported(system: System) -> None:
    run = system.start("system.simulator")
    run.answer("Reject", inputs={"comment": "wrong day"})
    states = run.wait()

    assert 0 == _sent(system)
    assert "rejected" == run.report()["state"]
    assert ("skipped", "success", "skipped") == (
        states["sms.send"],
        states["sms.report"],
        states["afterwards"],
    )
    decision = run.client.xcom(run.dag_id, run.run_id, "sms.review_and_send")
    assert ("rejected", "manager") == (decision["decision"], decision["by"])


def test_a_review_that_runs_out_sends_nothing_and_fails_the_run(system: System) -> None:
    run = system.start("system.hurried")
    states = run.wait("failed")

    assert 0 == _sent(system)
    assert "expired" == run.report()["state"]
    assert "success" != states["sms.send"]


def test_marking_the_review_a_success_sends_nothing_and_fails_the_run(system: System) -> None:
    run = system.start("system.simulator")
    run.wait_for_review()
    time.sleep(5)
    _patch_state(run, "sms.review_and_send", "success")
    states = run.wait("failed")

    assert 0 == _sent(system)
    assert "ready" == run.report()["state"]
    assert "failed" == states["sms.send"]


def test_a_changed_template_and_a_new_preparation_need_a_new_review(system: System) -> None:
    run = system.start("system.simulator")
    first = run.wait_for_review()
    template = system.templates / "note.sms.j2"
    text = template.read_text()
    try:
        template.write_text(text.replace("{{ note }}", "{{ note }} !"))
        _clear(run, "sms.prepare")
        before = _fingerprint(run)
        _wait_until_changed(run, before)
        run.client.answer(first, "Send")
        time.sleep(6)
    finally:
        template.write_text(text)

    assert 0 == _sent(system)
    assert "ready" == run.report()["state"]
    run.answer("Send")
    run.wait()
    texts = {message["text"] for message in system.simulator.messages()}
    assert all(text.endswith(" !") for text in texts)
    assert 57 == _sent(system)


def _fingerprint(run: Run) -> str:
    with run.system.store.transaction() as connection:
        row = connection.execute(
            "SELECT coalesce(fingerprint, '') AS f FROM smsflow_deliveries WHERE id = %s",
            (run.delivery_id,),
        ).fetchone()
    assert row is not None
    return str(row["f"])


def _wait_until_changed(run: Run, before: str) -> None:
    found = run.client.poll(
        lambda: ((now := _fingerprint(run)) and now != before) or None, timeout_s=60
    )
    assert found is not None


def test_clearing_a_finished_run_sends_nothing_again(system: System) -> None:
    run = system.start("system.simulator")
    run.answer("Send")
    run.wait()
    assert 57 == _sent(system)

    _clear(run, "people", downstream=True)
    time.sleep(2)
    states = run.wait()

    assert 57 == _sent(system)
    assert {"success"} == set(states.values())
    assert 57 == run.report()["accepted"]


def test_an_answer_within_a_second_does_not_fail_the_run(system: System) -> None:
    """Airflow 3.3 loses such an answer; the plugin holds it back."""
    run = system.start("system.simulator")
    began = time.monotonic()
    run.client.answer(run.wait_for_review(), "Send", settled_after_s=0)
    held_s = time.monotonic() - began
    states = run.wait()

    assert {"success"} == set(states.values())
    assert 57 == run.report()["accepted"]
    assert held_s > 3
    review = run.client.call(
        "GET",
        f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/sms.review_and_send",
    )
    assert 1 == review["try_number"]


def test_a_viewer_may_look_and_may_not_send(system: System) -> None:
    run = system.start("system.simulator")
    review = run.wait_for_review()
    viewer = system.airflow.client("viewer")

    with pytest.raises(SmsflowError) as caught:
        viewer.answer(review, "Send")
    shown = viewer.call("GET", f"/smsflow/api/v1/deliveries/{run.delivery_id}/review")

    assert 403 == caught.value.facts["status"]
    assert 57 == shown["to_deliver"]
    assert 0 == _sent(system)
    run.answer("Reject")
    run.wait()


@pytest.mark.parametrize(
    "conf", [{"people": "everybody"}, {"template": "../etc/passwd"}, {"people": 7}]
)
def test_wrong_parameters_are_refused_before_anything_starts(
    system: System, conf: dict[str, object]
) -> None:
    with pytest.raises(SmsflowError) as caught:
        system.start("system.simulator", **conf)
    assert 400 == caught.value.facts["status"]


def test_the_same_run_id_twice_is_a_conflict(system: System) -> None:
    run = system.start("system.simulator")

    with pytest.raises(SmsflowError) as caught:
        run.client.start_run(run.dag_id, run_id=run.run_id)
    assert 409 == caught.value.facts["status"]
    run.answer("Reject")
    run.wait()


def test_the_pages_and_the_api_want_a_login(system: System) -> None:
    for path in ("/smsflow/api/v1/deliveries", "/smsflow/deliveries/x", "/smsflow/docs"):
        answer = httpx.get(f"{system.airflow.base_url}{path}", trust_env=False)
        assert answer.status_code in {401, 404}, path


def test_no_number_and_no_text_is_in_xcom_logs_or_requests(system: System) -> None:
    run = system.start("system.simulator")
    review = run.wait_for_review()
    run.answer("Send")
    states = run.wait()
    kept = [str(review), str(run.client.run(run.dag_id, run.run_id))]
    for task_id in states:
        kept.append(run.client.task_log(run.dag_id, run.run_id, task_id))
        entries = run.client.call(
            "GET",
            f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/xcomEntries",
        )
        kept += [
            str(run.client.xcom(run.dag_id, run.run_id, task_id, key=entry["key"]))
            for entry in entries["xcom_entries"]
        ]
    whole = "\n".join(kept) + (system.airflow.home / "logs" / "api-server.log").read_text()
    messages = system.simulator.messages()

    assert 57 == len(messages)
    for message in messages:
        assert message["to"].lstrip("+") not in whole
        assert message["to"][3:] not in whole
        assert message["text"] not in whole
