"""How a build task keeps its people: under a name, for a run, and no older than allowed."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.errors import AudienceError
from smsflow_provider.core.store.audience_files import find_file, iterate_files
from smsflow_provider.core.store.audiences import find_audience, list_versions
from smsflow_provider.core.store.connection import Store
from smsflow_provider.hooks.audience import open_audience, remove_artifact
from smsflow_provider.operators.build_audience import BuildAudienceOperator
from tests.airflow.test_build_audience import connection_of


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store_dsn: str) -> Path:
    """A file of people, beside an artifacts folder and a connection to the store."""
    monkeypatch.setenv("AIRFLOW__SMSFLOW__ARTIFACTS", str(tmp_path / "artifacts"))
    monkeypatch.setenv(
        "AIRFLOW_CONN_SMSFLOW_STORE", connection_of(store_dsn, conn_type="smsflow_store")
    )
    path = tmp_path / "people.csv"
    path.write_text("id,phone\na,+33612345671\nb,+33612345672\n", encoding="utf-8")
    return path


def run(*, run_id: str = "r1", map_index: int | None = -1, **settings: Any) -> dict[str, Any]:
    operator = BuildAudienceOperator(task_id="who", **settings)
    ti = SimpleNamespace(
        dag_id="team.sale", run_id=run_id, task_id="who", map_index=map_index, try_number=1
    )
    context: Any = {"ti": ti}
    return operator.execute(context)


def ids_of(store: Store, name: str) -> list[str]:
    found = find_audience(store, name)
    reference = AudienceReference(uri=found.uri, count=found.count, fingerprint=found.fingerprint)
    return [one for frame in open_audience(reference).frames() for one in frame["recipient_id"]]


def test_every_file_is_known_with_its_task_and_how_it_was_made(store: Store, people: Path) -> None:
    built = run(file=str(people), id_column="id")
    found = find_file(store, built["uri"])

    assert ("team.sale", "r1", "who", -1) == (
        found.by.dag_id,
        found.by.run_id,
        found.by.task_id,
        found.by.map_index,
    )
    assert (built["count"], built["fingerprint"]) == (found.count, found.fingerprint)
    assert "file" == found.made["source"]
    assert "+336" not in json.dumps(dict(found.made))


def test_a_failed_build_leaves_no_file_announced(store: Store, people: Path) -> None:
    people.write_text("id,phone\na\n", encoding="utf-8")
    with pytest.raises(AudienceError):
        run(file=str(people))

    assert [] == list(iterate_files(store))


def test_by_itself_a_task_computes_whenever_it_runs(people: Path) -> None:
    first = run(file=str(people))
    people.write_text("id,phone\na,+33612345671\n", encoding="utf-8")

    assert (2, 1) == (first["count"], run(file=str(people))["count"])


def test_once_in_a_run_it_hands_on_whom_it_found_first(
    store: Store, people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings: dict[str, Any] = {"file": str(people), "refresh": "each_run", "save_as": "vip"}
    first = run(**settings)
    people.write_text("id,phone\na,+33612345671\n", encoding="utf-8")

    assert first == run(**settings)
    assert "not computed anew" in capsys.readouterr().out
    versions = list_versions(store, "vip")
    assert [first["uri"]] * 2 == [one.uri for one in versions]
    assert versions[0].columns == versions[1].columns
    assert 1 == run(run_id="r2", **settings)["count"]
    assert 1 == run(map_index=0, **settings)["count"]

    remove_artifact(first["uri"])
    assert 1 == run(**settings)["count"]
    assert "found before are computed anew" in capsys.readouterr().out


def test_people_are_appended_to_those_under_the_name(store: Store, people: Path) -> None:
    settings: dict[str, Any] = {
        "file": str(people),
        "id_column": "id",
        "save_as": "vip",
        "save_mode": "append",
    }
    run(**settings)
    people.write_text("id,phone\nb,+33612345679\nc,+33612345673\n", encoding="utf-8")

    assert 2 == run(**settings)["count"]
    assert ["a", "b", "c"] == ids_of(store, "vip")
    found = find_audience(store, "vip")
    assert (2, "who", "append") == (found.version, found.task_id, found.action)
    assert found.uri.startswith(f"file://{people.parent}/artifacts/saved/vip/")


def test_a_saved_audience_that_is_too_old_fails_or_warns(
    store: Store, people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(file=str(people), save_as="vip")
    assert 2 == run(audience="vip", max_age="1h")["count"]
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_audiences SET built_at = built_at - interval '3 days'")

    with pytest.raises(AudienceError, match="older than max_age") as caught:
        run(audience="vip", max_age="2d")
    assert ("vip@1", "48h") == (caught.value.facts["audience"], caught.value.facts["max_age"])
    assert 2 == run(audience="vip", max_age="2d", on_stale="warn")["count"]
    assert "older than max_age" in capsys.readouterr().out
    assert 2 == run(audience="vip", max_age="4d")["count"]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"audience": "vip", "max_age": "2"}, "max_age is not a duration"),
        ({"audience": "vip", "on_stale": "wran"}, "did you mean 'warn'"),
        ({"audience": "vip", "refresh": "each_run"}, "refresh goes with"),
        ({"file": "x.csv", "max_age": "2d"}, "max_age goes with audience only"),
        ({"file": "x.csv", "on_stale": "warn"}, "on_stale goes with audience only"),
        ({"file": "x.csv", "save_mode": "append"}, "save_mode goes with save_as only"),
    ],
)
@pytest.mark.usefixtures("people")
def test_settings_that_mean_nothing_are_told(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(AirflowFailException, match=problem):
        run(**settings)
