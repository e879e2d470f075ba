"""``smsflow demo`` as a newcomer runs it: it ends well, adds up, and leaves nothing running."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from smsflow_provider.cli.demo.machines import CUSTOMERS, remove_home
from smsflow_provider.cli.demo.stack import free_port
from smsflow_provider.core.model import SETTLED
from smsflow_provider.core.store.embedded import EmbeddedPostgres

pytestmark = pytest.mark.timeout(290)


def _start(home: Path) -> subprocess.Popen[str]:
    options = ["--home", str(home), "--port", str(free_port())]
    return subprocess.Popen(
        [sys.executable, "-m", "smsflow_provider.cli.main", "demo", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _figures(shown: str) -> dict[str, int]:
    """Read the lines that are a name and a number; the last one of a name counts."""
    found = re.findall(r"^ +([a-z][a-z_ ]*?) +([\d,]+)$", shown, re.MULTILINE)
    return {name: int(count.replace(",", "")) for name, count in found}


def _running_in(home: Path) -> list[str]:
    """Name the processes that have *home*, or the place of its database, in a command line."""
    places = (str(home), str(EmbeddedPostgres(home / "postgres").place))
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), process.environ().get("AIRFLOW_HOME", "")]
        except (psutil.Error, OSError):
            continue
        if any(place in word for place in places for word in words):
            found.append(" ".join(words))
    return found


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home for the demo, removed with all that a failed test left in it."""
    yield tmp_path / "demo"
    remove_home(tmp_path / "demo")


def test_it_sends_a_campaign_and_stops_everything(home: Path) -> None:
    demo = _start(home)
    shown, said = demo.communicate()
    figures = _figures(shown)

    assert 0 == demo.returncode, said
    assert CUSTOMERS == figures["targeted"] == figures["excluded"] + figures["to deliver"]
    assert figures["to deliver"] == sum(figures[name] for name in SETTLED)
    assert 0 < figures["delivered"] <= figures["accepted"]
    reasons = ("no_address", "invalid_number", "opted_out", "duplicate", "control_group")
    assert figures["excluded"] == sum(figures[reason] for reason in reasons)
    assert 3 == len(re.findall(r"Sample \d to \+\d\d[^\d ]+\d\d ", shown))
    assert re.search(
        rf"control_group +\d+ +leaves +{figures['to deliver']:,}$", shown, re.MULTILINE
    )
    assert re.search(r"cost +\d+\.\d\d EUR, prices of 2026-11-01\n +FR +[\d,]+ parts", shown)
    assert re.search(r"Since the former run:\n +targeted: 1,950, now 2,000\n", shown)
    assert "+Hello {{ first_name | first_name }}, our spring sale starts tomorrow: 20% off" in shown
    assert "manager/manager (user)" in shown
    assert f". {home}/cli.env && smsflow deliveries" in shown
    assert 0o600 == (home / "cli.env").stat().st_mode & 0o777
    assert [] == _running_in(home)


def test_the_polite_signal_stops_everything_on_the_way(home: Path) -> None:
    demo = _start(home)
    assert demo.stdout is not None
    for line in demo.stdout:
        if "starting Airflow" in line:
            break
    time.sleep(2)
    assert _running_in(home)
    demo.send_signal(signal.SIGTERM)
    _shown, said = demo.communicate()

    assert (130, "\nstopped\n") == (demo.returncode, said)
    assert [] == _running_in(home)


def test_a_second_demo_in_one_folder_is_refused_and_harms_nothing(home: Path) -> None:
    with EmbeddedPostgres(home / "postgres", durable=False) as first:
        (home).mkdir(exist_ok=True)
        (home / ".smsflow-demo").touch()
        second = _start(home)
        _shown, said = second.communicate()

        assert 1 == second.returncode
        assert "a demo is running in this folder already" in said
        assert f"pid: {os.getpid()}" in said
        assert first.has_database("postgres")
