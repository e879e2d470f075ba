"""The review: what lets a delivery be sent, and everything that does not."""

from __future__ import annotations

from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.fixtures import MakeDag
from tests.airflow.running import Run, send


def test_a_person_who_says_send_lets_the_delivery_leave(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag()).go()

    assert ["sms.review_and_send"] == run.waiting()
    assert [] == simulator.messages()

    run.go(send)

    assert "success" == run.state
    assert {"+33612345671", "+33612345672"} == {one["to"] for one in simulator.messages()}
    assert 2 == len(simulator.messages())
