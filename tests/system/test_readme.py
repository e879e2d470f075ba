"""The README's REST walk, run as it stands against a running Airflow."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.docs.blocks import blocks
from tests.system.conftest import System

pytestmark = pytest.mark.timeout(300)


def test_the_rest_block_starts_reviews_sends_and_reports(system: System, repository: Path) -> None:
    system.simulator.forget()
    system.airflow.client("manager").wait_for_dag("marketing.store_opening")
    (block,) = blocks(repository / "README.md", "bash", mark="rest")

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        env={
            "PATH": os.environ["PATH"],
            "AIRFLOW": system.airflow.base_url,
            "NO_PROXY": "127.0.0.1",
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert 0 == done.returncode, done.stderr[-2000:]
    report = _last_json(done.stdout)
    assert "finished" == report["state"]
    assert report["accepted"] == len(system.simulator.messages()) > 0


def _last_json(text: str) -> dict[str, object]:
    """Read the last JSON object printed; the answers follow each other without line ends."""
    decoder = json.JSONDecoder()
    found: dict[str, object] = {}
    at = text.find("{")
    while at >= 0:
        found, end = decoder.raw_decode(text, at)
        at = text.find("{", end)
    return found


def test_every_example_is_read_by_airflow(system: System) -> None:
    client = system.airflow.client("admin")
    for dag_id in (
        "marketing.spring_sale",
        "marketing.weekly_offer",
        "marketing.store_evening",
        "marketing.store_opening",
        "marketing.win_back",
    ):
        client.wait_for_dag(dag_id)

    assert [] == client.import_errors()
