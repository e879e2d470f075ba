"""``smsflow bench prepare``: one JSON object, a table, and a verdict."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from smsflow_provider.cli.bench.command import table_of
from smsflow_provider.cli.bench.result import (
    LEAST_SPEEDUP,
    MOST_FLOOR_RATIO,
    MOST_GROWTH,
    MOST_PEAK_MB,
    PrepareResult,
    Verdict,
    verdicts_of,
)
from smsflow_provider.cli.bench.watch import Peak, peak_bytes_of, run_measured
from smsflow_provider.cli.main import main
from smsflow_provider.core.errors import ConfigError

SMALL = ["bench", "prepare", "--rows", "2000", "--sample", "200"]
KEYS = {"rows", "seconds", "speedup", "floor_ratio", "peak_mb", "steps", "slowest_step"}


def make_result(
    *,
    seconds: float = 5.0,
    reference_s: float | None = 100.0,
    floor_s: float | None = 2.0,
    peak_mb: float = 500.0,
) -> PrepareResult:
    return PrepareResult(
        rows=1_000_000,
        seconds=seconds,
        reference_s=reference_s,
        reference_rows=20_000,
        floor_s=floor_s,
        peak_mb=peak_mb,
        steps={"numbers": 1.0, "texts": 4.0},
        excluded=1,
        to_deliver=999_999,
    )


def test_json_is_one_object_and_nothing_else(repository: Path) -> None:
    """In a process of its own, so that nothing at all may write beside it."""
    done = subprocess.run(
        [sys.executable, "-m", "smsflow_provider.cli.main", *SMALL, "--json"],
        check=False,
        cwd=repository,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout)

    assert (0, "") == (done.returncode, done.stderr)
    assert KEYS <= set(found)
    assert 2_000 == found["rows"] == found["excluded"] + found["to_deliver"]
    assert found["steps"][found["slowest_step"]] == max(found["steps"].values())
    assert all(found[name] > 0 for name in ("seconds", "speedup", "floor_ratio", "peak_mb"))


def test_the_table_names_the_slowest_step_and_both_ratios() -> None:
    table = table_of(make_result())

    assert "1,000,000 people: 999,999 to deliver, 1 excluded" in table
    assert any(line.split() == ["slowest", "step", "texts"] for line in table.splitlines())
    assert "product is 20.0 x as fast" in table
    assert "product takes 2.50 x" in table


def test_a_table_without_references_has_no_ratios() -> None:
    assert "product" not in table_of(make_result(reference_s=None, floor_s=None))


def test_a_result_that_holds_every_limit_is_met() -> None:
    verdicts = verdicts_of(make_result(), make_result(peak_mb=700.0))

    assert all(one.is_met for one in verdicts)
    assert 4 == len(verdicts)


@pytest.mark.parametrize(
    ("result", "larger", "missed"),
    [
        (make_result(reference_s=74.0), make_result(), 0),
        (make_result(floor_s=1.1), make_result(), 1),
        (make_result(peak_mb=601.0), make_result(), 2),
        (make_result(), make_result(peak_mb=801.0), 3),
        (make_result(reference_s=None), make_result(), 0),
        (make_result(floor_s=None), make_result(), 1),
    ],
)
def test_a_limit_that_is_missed_is_named(
    result: PrepareResult, larger: PrepareResult, missed: int
) -> None:
    verdicts = verdicts_of(result, larger)

    assert [number != missed for number in range(4)] == [one.is_met for one in verdicts]
    assert "MISSED" in verdicts[missed].line()


def test_a_limit_itself_is_met() -> None:
    assert Verdict(what="x", found=15.0, limit=15.0, is_least=True).is_met
    assert Verdict(what="x", found=4.5, limit=4.5).is_met


@pytest.mark.parametrize("wrong", ["0", "-1", "many"])
def test_a_number_of_people_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["bench", "prepare", "--rows", wrong])

    assert 2 == caught.value.code


def test_the_peak_counts_children() -> None:
    code = (
        "import subprocess, sys;"
        "child = subprocess.Popen([sys.executable, '-c', sys.argv[1]], stdin=subprocess.PIPE,"
        " stdout=subprocess.PIPE);"
        "child.stdout.readline(); print(flush=True); sys.stdin.read()"
    )
    held = "import sys; x = bytes(200_000_000); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, held.replace("bytes(", "b'x' * (")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        peak = Peak(process.pid)
        peak.look()
        own = peak_bytes_of(psutil.Process(process.pid))
        process.communicate()
        peak.look()

    assert 200_000_000 < peak.total_bytes - own < 300_000_000


def test_a_measured_process_that_fails_is_an_error() -> None:
    with pytest.raises(ConfigError, match="failed"):
        run_measured("smsflow_provider.no_such_module", {})


def test_the_page_says_the_limits_of_the_code(repository: Path) -> None:
    page = (repository / "docs" / "performance.md").read_text(encoding="utf-8")
    stated = [line.split("|")[2] for line in page.splitlines() if line.count("|") == 3]
    limits = (LEAST_SPEEDUP, MOST_FLOOR_RATIO, MOST_PEAK_MB, MOST_GROWTH)

    for limit in limits:
        assert any(f" {limit:g}" in text for text in stated), limit


def test_the_page_names_every_key(repository: Path) -> None:
    page = (repository / "docs" / "performance.md").read_text(encoding="utf-8")

    assert [] == [key for key in make_result().as_dict() if f"`{key}`" not in page]
