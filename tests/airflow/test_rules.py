"""Typologies, exclusions and weights of deliveries, from the DAG to the delivery."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery, read_log
from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.rules import check_rules
from smsflow_provider.operators.build_audience import BuildAudienceOperator
from smsflow_provider.operators.prepare_delivery import PrepareDeliveryOperator
from tests.airflow.fixtures import MakeDag
from tests.airflow.running import Run

FRANCE = """\
label: France
population:
  filters: {anas: first_name = 'Ana'}
rules:
  - kind: control
    code: too_many
    level: error
    fails_when: to_deliver > 1
    message: More than one person
  - kind: control
    code: other_workflows
    level: error
    fails_when: "TRUE"
    message: Never
    applies_when: {workflows: [other.*]}
"""


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of rules, without a file yet."""
    folder = tmp_path / "rules"
    (folder / "typologies").mkdir(parents=True)
    monkeypatch.setenv("AIRFLOW__SMSFLOW__RULES", str(folder))
    return folder


def write_typology(rules: Path, name: str, text: str = FRANCE) -> None:
    (rules / "typologies" / f"{name}.yaml").write_text(text)


def prepared(run: Run, store: Store) -> Delivery:
    run.go()
    return find_delivery(store, run.xcom("sms.prepare", "delivery"))


def events_of(store: Store, delivery: Delivery) -> dict[str, str]:
    return {row["event"]: row["level"] for row in read_log(store, delivery)}


def test_a_delivery_is_prepared_by_the_typology_it_names(
    make_dag: MakeDag, rules: Path, airflow_store: Store
) -> None:
    write_typology(rules, "france", FRANCE.replace("to_deliver > 1", "to_deliver > 5"))
    delivery = prepared(Run.start(make_dag(typology="france", weight=7)), airflow_store)

    assert "France" == delivery.settings["typology"]["label"]
    assert ("france", 7) == (delivery.settings["typology_name"], delivery.settings["weight"])
    assert ["anas"] == list(delivery.settings["population"]["filters"])
    assert DeliveryState.READY is delivery.state
    assert not {"too_many", "other_workflows"} & set(events_of(airflow_store, delivery))


def test_a_control_that_fails_leaves_nothing_to_review(
    make_dag: MakeDag, rules: Path, airflow_store: Store
) -> None:
    write_typology(rules, "default", FRANCE.replace("'Ana'", "'nobody'"))
    run = Run.start(make_dag())
    delivery = prepared(run, airflow_store)

    assert DeliveryState.PREPARATION_FAILED is delivery.state
    assert "error" == events_of(airflow_store, delivery)["too_many"]
    assert ("failed", "default") == (
        run.states["sms.prepare"],
        delivery.settings["typology_name"],
    )


def test_a_delivery_narrows_its_own_people(
    make_dag: MakeDag, rules: Path, airflow_store: Store
) -> None:
    write_typology(rules, "default", "label: Everybody\n")
    names = "first_name IN ('nobody')"
    dag = make_dag(exclude={"filters": {"odd": names}, "size_limit": {"count": 1}})
    delivery = prepared(Run.start(dag), airflow_store)

    assert 1 == delivery.to_deliver
    assert 1 == delivery.figures["excluded"]["size_limit"]
    assert {"odd": names} == delivery.settings["population"]["filters"]


def test_an_excluded_audience_is_read_by_its_name(
    make_dag: MakeDag, rules: Path, airflow_store: Store, tmp_path: Path
) -> None:
    del rules
    path = tmp_path / "vip.csv"
    path.write_text("recipient_id,phone\nv1,0612345672\nv2,not a number\n")
    with DAG("shop.save_vip", schedule=None) as saving:
        BuildAudienceOperator(task_id="vip", file=str(path), save_as="vip")
    Run.start(saving).go()
    dag = make_dag(exclude={"audiences": ["vip"]}, region="FR")
    delivery = prepared(Run.start(dag), airflow_store)

    assert 1 == delivery.figures["excluded"]["excluded_audience"]
    assert "warning" == events_of(airflow_store, delivery)["excluded_audience_unreadable"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"typology": "frnace"}, "no such typology"),
        ({"exclude": {"audiences": ["nobody_saved_it"]}}, "there is no saved audience"),
        ({"exclude": {"filters": {"anas": "first_name = 'Bo'"}}}, "other filters of these names"),
        ({"exclude": {"filters": {"odd": "no_such > 1"}}}, "in the rules of the delivery"),
    ],
)
def test_rules_that_cannot_be_used_fail_the_task_for_good(
    make_dag: MakeDag,
    rules: Path,
    capfd: pytest.CaptureFixture[str],
    settings: dict[str, Any],
    expected: str,
) -> None:
    write_typology(rules, "france")
    write_typology(rules, "default")
    run = Run.start(make_dag(**settings)).go()

    assert ("failed", 1) == (run.states["sms.prepare"], run.tries("sms.prepare"))
    assert expected in capfd.readouterr().out


def test_names_may_come_from_the_run(make_dag: MakeDag, rules: Path, airflow_store: Store) -> None:
    write_typology(rules, "france", "label: France\n")
    dag = make_dag(typology="{{ params.where }}", dag={"params": {"where": "france"}})

    assert "france" == prepared(Run.start(dag), airflow_store).settings["typology_name"]


def test_wrong_rules_are_refused_when_the_dag_is_parsed_all_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        PrepareDeliveryOperator(
            task_id="prepare",
            audience={},
            template="sale",
            exclude={"filters": {"minors": "sum(age) < 18"}, "sizelimit": 3},
            weight=101,
        )

    assert [
        "exclude.filters.minors: unknown function 'sum'",
        "exclude.sizelimit: unknown field 'sizelimit' (did you mean 'size_limit'?)",
        "weight: must be a whole number from 0 to 100",
    ] == caught.value.facts["problems"]


@pytest.mark.parametrize("weight", [-1, 101, 1.5, True, "5"])
def test_a_weight_is_a_whole_number_up_to_a_hundred(weight: object) -> None:
    with pytest.raises(ConfigError):
        check_rules(exclude=None, weight=weight)


@pytest.mark.parametrize("weight", [None, 0, 5, 100])
def test_a_weight_may_be_left_to_the_template(weight: object) -> None:
    check_rules(exclude=None, weight=weight)


def test_the_rules_lie_in_the_folder_of_the_dags_unless_said_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", "/somewhere/dags")
    monkeypatch.delenv("AIRFLOW__SMSFLOW__RULES", raising=False)
    assert Path("/somewhere/dags/rules") == SmsflowConfig.read().rules

    monkeypatch.setenv("AIRFLOW__SMSFLOW__RULES", "/elsewhere")
    assert Path("/elsewhere") == SmsflowConfig.read().rules
