"""Children end with their owner, failures show their log, and only our own are ever ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from smsflow_provider.cli.demo.processes import MARK, Household, stop_leftovers, tail_of
from smsflow_provider.core.errors import SmsflowError

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(600)
"""
PARENT = """
import subprocess, sys, time
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
print(subprocess.Popen(sleep, start_new_session=True).pid, flush=True)
time.sleep(600)
"""
OWNER = """
import os, sys, time
from pathlib import Path
from smsflow_provider.cli.demo.processes import Household
house = Household(home=Path(sys.argv[1]))
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
child = house.spawn("sleeper", sleep, env=os.environ)
print(child.process.pid, flush=True)
time.sleep(600)
"""


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _wait_until(holds: Callable[[], bool], *, seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def _first_number(log: Path) -> int:
    assert _wait_until(lambda: log.exists() and log.read_text().strip().isdigit())
    return int(log.read_text())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Household]:
    """A household that is empty again after the test."""
    house = Household(home=tmp_path)
    yield house
    house.stop()


def test_a_child_writes_to_its_own_log(house: Household) -> None:
    house.run("greeter", ["/bin/sh", "-c", "echo hello"], env={}, timeout_s=10)

    assert "hello\n" == (house.home / "logs" / "greeter.log").read_text()


def test_a_child_gets_the_given_environment_and_the_mark_only(house: Household) -> None:
    house.run("env", ["/usr/bin/env"], env={"A": "1"}, timeout_s=10)

    names = [line.split("=")[0] for line in tail_of(house.home / "logs" / "env.log").splitlines()]
    assert {"A", MARK, "SPT_NOENV"} == set(names)


def test_a_failed_step_shows_the_end_of_its_log(house: Household) -> None:
    command = ["/bin/sh", "-c", "echo first; echo the reason >&2; exit 3"]
    with pytest.raises(SmsflowError) as caught:
        house.run("step", command, env={}, timeout_s=10)

    assert 3 == caught.value.facts["exit_code"]
    assert "the reason" in str(caught.value.facts["tail"])
    assert str(house.home / "logs" / "step.log") == caught.value.facts["log"]


def test_a_step_that_takes_too_long_is_stopped(house: Household) -> None:
    with pytest.raises(SmsflowError, match="took too long"):
        house.run("slow", SLEEP, env={}, timeout_s=0.3)

    house.check()


def test_a_dead_child_is_named_with_its_last_words(house: Household) -> None:
    child = house.spawn("frail", ["/bin/sh", "-c", "echo I fall; exit 1"], env={})
    child.process.wait()

    with pytest.raises(SmsflowError, match=r"frail.*I fall"):
        house.check()


def test_living_children_pass_the_check(house: Household) -> None:
    house.spawn("sleeper", SLEEP, env={})

    house.check()


def test_stop_ends_a_child_that_ignores_the_polite_signal(house: Household) -> None:
    child = house.spawn("deaf", [sys.executable, "-c", STUBBORN], env={})
    assert _wait_until(lambda: "deaf" in tail_of(child.log))
    house.stop(grace_s=0.2)

    assert -signal.SIGKILL == child.process.returncode


def test_stop_ends_grandchildren_in_sessions_of_their_own(house: Household) -> None:
    child = house.spawn("parent", [sys.executable, "-c", PARENT], env=dict(os.environ))
    grandchild = _first_number(child.log)
    house.stop()

    assert not _is_alive(grandchild)


def test_one_child_can_be_stopped_and_started_again(house: Household) -> None:
    first = house.spawn("part", SLEEP, env={})
    house.stop_child("part")
    second = house.spawn("part", SLEEP, env={})

    assert first.process.poll() is not None
    assert second.process.pid == house.child("part").process.pid


def test_an_unknown_child_is_reported_with_the_known_ones(house: Household) -> None:
    house.spawn("sleeper", SLEEP, env={})

    with pytest.raises(SmsflowError, match=r"nobody.*sleeper"):
        house.child("nobody")


def test_children_do_not_outlive_a_killed_owner(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    owner.stdout.close()
    assert _is_alive(pid)
    owner.kill()
    owner.wait()

    assert _wait_until(lambda: not _is_alive(pid))


def test_leftovers_are_found_by_their_mark_and_ended(tmp_path: Path) -> None:
    (tmp_path / "stack.mark").write_text("left-over-mark")
    ours = subprocess.Popen(SLEEP, env={MARK: "left-over-mark"})
    others = subprocess.Popen(SLEEP, env={MARK: "another-mark"})
    assert _wait_until(lambda: psutil.Process(ours.pid).environ().get(MARK) == "left-over-mark")

    assert [ours.pid] == stop_leftovers(tmp_path)
    assert others.poll() is None
    assert [] == stop_leftovers(tmp_path)
    ours.wait()
    others.kill()
    others.wait()


def test_a_home_without_a_mark_has_no_leftovers(tmp_path: Path) -> None:
    assert [] == stop_leftovers(tmp_path / "never made")


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join(str(number) for number in range(100)))

    assert "98\n99" == tail_of(log, lines=2)
    assert "" == tail_of(tmp_path / "missing")
