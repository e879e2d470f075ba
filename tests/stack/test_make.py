"""The Makefile and the scripts of the build machine do what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARGETS = (
    "help",
    "setup",
    "demo",
    "test",
    "quick",
    "check",
    "format",
    "ui",
    "ui-types",
    "ui-check",
    "bench",
    "soak",
    "clean",
)


def _run(*command: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _fake_checkout(folder: Path, *, test: str = "true", check: str = "true") -> Path:
    """Make a folder with the real ``.ci/run`` and targets that do little."""
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    recipes = {"setup": "true", "check": check, "ui-check": "true", "test": test}
    rules = "".join(f"{name}:\n\t@{recipe}\n" for name, recipe in recipes.items())
    (folder / "Makefile").write_text(f".PHONY: setup check ui-check test\n{rules}")
    return folder / ".ci" / "run"


def test_help_shows_every_target() -> None:
    shown = _run("make", "help").stdout

    assert list(TARGETS) == re.findall(r"^make ([\w-]+)", shown, re.MULTILINE)


def test_make_alone_shows_the_help() -> None:
    assert _run("make", "help").stdout == _run("make").stdout


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_can_be_planned(target: str) -> None:
    assert 0 == _run("make", "--dry-run", target).returncode


def test_the_demo_passes_on_what_it_is_given() -> None:
    planned = _run("make", "-n", "demo", "REVIEW=manual", "PORT=9090", "DEMO_HOME=/x").stdout

    assert "smsflow demo --review manual --port 9090 --home /x" in planned


def test_an_old_python_is_refused_with_what_to_do(tmp_path: Path) -> None:
    old = tmp_path / "python-of-old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    refused = _run(str(ROOT / ".ci" / "python"), PYTHON=str(old))

    assert 1 == refused.returncode
    assert "needs Python 3.11 or newer" in refused.stderr
    assert "PYTHON=/path/to/python3.12" in refused.stderr


def test_a_new_enough_python_is_taken() -> None:
    found = _run(str(ROOT / ".ci" / "python"), PYTHON=sys.executable)

    assert f"{sys.executable}\n" == found.stdout


def test_missing_packages_are_named_and_nothing_fails(tmp_path: Path) -> None:
    """Without apt-get on the path nothing can be installed, so they are named."""
    for program in ("bash", "id"):
        (tmp_path / program).symlink_to(str(shutil.which(program)))
    script = (ROOT / ".ci" / "debian-packages").read_text()
    changed = script.replace("bearerbox:kannel", "no-such-program:kannel")
    (tmp_path / "script").write_text(changed)
    named = _run("bash", str(tmp_path / "script"), PATH=str(tmp_path))

    assert 0 == named.returncode
    assert re.search(r"missing Debian packages: .*kannel", named.stderr)


def test_the_build_runs_all_steps_and_forbids_skipping(tmp_path: Path) -> None:
    script = _fake_checkout(tmp_path, test='echo "require all: $$SMSFLOW_REQUIRE_ALL"')
    done = _run("bash", str(script))

    assert 0 == done.returncode
    steps = re.findall(r"^== make ([\w-]+)$", done.stdout, re.MULTILINE)
    assert ["setup", "check", "ui-check", "test"] == steps
    assert "require all: 1" in done.stdout


@pytest.mark.parametrize("failing", ["check", "test"])
def test_the_build_fails_when_a_step_fails(tmp_path: Path, failing: str) -> None:
    recipes = {failing: "exit 3"}
    done = _run("bash", str(_fake_checkout(tmp_path, **recipes)))

    assert 0 != done.returncode


def test_the_build_gives_its_steps_no_stdin(tmp_path: Path) -> None:
    done = _run("bash", str(_fake_checkout(tmp_path, test='test -z "$$(cat)" && echo empty')))

    assert "empty\n" in done.stdout


def _is_running(pid: str) -> bool:
    """Say whether *pid* still runs; one that waits to be reaped does not."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_build_ends_and_names_what_is_left_behind(tmp_path: Path) -> None:
    left = "setsid sleep 300 >/dev/null 2>&1 & echo $$! >left.pid"
    done = _run("bash", str(_fake_checkout(tmp_path, test=left)))

    assert 1 == done.returncode
    assert "left behind:" in done.stderr
    assert "sleep 300" in done.stderr
    pid = (tmp_path / "left.pid").read_text().strip()
    for _ in range(100):
        if not _is_running(pid):
            break
        time.sleep(0.05)  # a killed process takes a moment to go
    assert not _is_running(pid)
