"""``smsflow proof`` and what else the command line knows of proofs and preparations."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smsflow_provider.cli.main import main
from smsflow_provider.core.delivery.why import why
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery
from smsflow_provider.core.store.prepared import report_progress
from smsflow_provider.testing.simulator import RunningSimulator
from tests.integration.test_stop_preparation import begin
from tests.prepared_delivery import make_prepared


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    """A gateway on this machine."""
    with RunningSimulator() as running:
        yield running


def command(
    *arguments: str, home: Path, gateway: str = "", dsn: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the command as a process of its own, with an Airflow of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    host, _, port = gateway.removeprefix("http://").partition(":")
    connection = {"conn_type": "sms_simulator", "host": host, "port": int(port or 1)}
    told = {"AIRFLOW_CONN_SMS_GATEWAY": json.dumps(connection)} if gateway else {}
    return subprocess.run(
        [sys.executable, "-m", "smsflow_provider.cli.main", *arguments],
        env={**kept, **told, "AIRFLOW_HOME": str(home), "SMSFLOW_STORE": dsn, **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def prove(
    simulator: RunningSimulator, dsn: str, home: Path, *words: str, **more: str
) -> subprocess.CompletedProcess[str]:
    to = ["--to", "06 12 34 56 71", "--region", "FR"]
    return command("proof", "d1", *to, *words, home=home, gateway=simulator.url, dsn=dsn, **more)


def test_a_proof_is_sent_once_and_told_in_words_and_in_json(
    store: Store, store_dsn: str, simulator: RunningSimulator, tmp_path: Path
) -> None:
    make_prepared(store, count=3)
    with store.transaction() as connection:
        connection.execute("INSERT INTO smsflow_opt_outs (phone) VALUES (33612345671)")
    words = ["--recipient", "r2", "--key", "k1"]
    told = prove(simulator, store_dsn, tmp_path, *words)
    again = prove(simulator, store_dsn, tmp_path, *words, "--json")

    assert [0, 0] == [told.returncode, again.returncode], told.stderr + again.stderr
    assert ["PROOF #1 Hello 2"] == [one["text"] for one in simulator.messages()]
    assert told.stdout.startswith("PROOF #1 of Sale (")
    assert "1 of 1 texts accepted, 1 part\n  opted out: 1 of 1 number\n" in told.stdout
    proof = json.loads(again.stdout)["proof"]
    assert (1, 1, True) == (proof["no"], proof["messages"], proof["marked"])
    assert proof["by"].startswith("cli:")
    assert "61234" not in told.stdout + told.stderr + again.stdout + again.stderr


def test_a_text_that_was_not_accepted_ends_with_1(
    store: Store, store_dsn: str, simulator: RunningSimulator, tmp_path: Path
) -> None:
    make_prepared(store, count=3)
    allowed = {"AIRFLOW__SMSFLOW__ALLOWED_NUMBERS": "none"}
    ended = prove(simulator, store_dsn, tmp_path, **allowed)

    assert 1 == ended.returncode
    assert "cancelled, not_on_allow_list: 1" in ended.stdout
    assert [] == simulator.messages()


def test_what_is_wrong_is_told_without_a_traceback(
    store: Store, store_dsn: str, simulator: RunningSimulator, tmp_path: Path
) -> None:
    make_prepared(store, count=3)
    lost = prove(simulator, store_dsn, tmp_path, "--recipient", "nobody")
    nowhere = command("proof", "d1", "--to", "+33612345671", home=tmp_path, dsn=store_dsn)
    ended = [lost, nowhere]

    assert [1, 1] == [each.returncode for each in ended]
    assert ["", ""] == [each.stdout for each in ended]
    assert "no message for those at these places: 1" in lost.stderr
    assert "there is no such connection" in nowhere.stderr
    assert not any("Traceback" in each.stderr for each in ended)
    assert [] == simulator.messages()


def test_a_delivery_nobody_knows_has_no_proof(
    store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == main(["proof", "d9", "--to", "+33612345671", "--store", store_dsn])
    assert "there is no such delivery" in capsys.readouterr().err


# Lists, progress, stop, why


def listed(capsys: pytest.CaptureFixture[str], dsn: str, *words: str) -> Any:
    capsys.readouterr()
    assert 0 == main(["deliveries", *words, "--store", dsn])
    return capsys.readouterr().out


def test_proofs_are_listed_when_they_are_asked_for(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_prepared(store, count=1)
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO smsflow_deliveries (id, kind, label, proof_of, proof_no)"
            " SELECT 'p1', 'proof', 'PROOF #1 of Sale', no, 1 FROM smsflow_deliveries"
        )

    def ids(*words: str) -> list[str]:
        rows = json.loads(listed(capsys, store_dsn, *words, "--json"))
        return [row["delivery"] for row in rows]

    assert [["d1"], ["p1"], ["p1", "d1"], []] == [
        ids(),
        ids("--kind", "proof"),
        ids("--kind", "all"),
        ids("--kind", "direct"),
    ]


def test_a_preparation_shows_how_far_it_is_and_can_be_stopped(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report_progress(store, begin(store), {"step": "texts", "rows": 70})
    line = listed(capsys, store_dsn).splitlines()[1]

    assert line.startswith("d1 ")
    assert line.endswith("rows 70, step texts")
    assert 0 == main(["stop", "d1", "--store", store_dsn])
    assert "d1 is draft.\n" == capsys.readouterr().out
    assert find_delivery(store, "d1").moved_by.startswith("cli:")


def test_why_names_who_stands_for_a_duplicate(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_prepared(store, count=2)
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_exclusions SET reason = 'duplicate', winner_id = 'r2'"
            " WHERE recipient_id = 'x3'"
        )
    assert 0 == main(["why", "--recipient", "x3", "--delivery", "d1", "--store", store_dsn])

    assert (
        "No message for recipient x3 (row 3): duplicate.\n"
        "  Recipient r2 has the same number and stands for both.\n"
    ) == capsys.readouterr().out
    assert ["r2"] == [row["winner_id"] for row in why(store, "d1", recipient_id="x3")["exclusions"]]
    assert [None] == [row["winner_id"] for row in why(store, "d1", recipient_id="x1")["exclusions"]]
