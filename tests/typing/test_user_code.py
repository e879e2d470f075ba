"""The types we ship accept what users rightly write, and refuse what would fail later."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


def check_types(path: Path) -> subprocess.CompletedProcess[str]:
    """Run mypy as `make check` does, on one file."""
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_right_user_code_is_accepted() -> None:
    done = check_types(HERE / "user_code.py")

    assert "" == done.stdout
    assert 0 == done.returncode


def test_wrong_user_code_is_refused_line_by_line(tmp_path: Path) -> None:
    lines = (HERE / "wrong_user_code.txt").read_text(encoding="utf-8").splitlines()
    path = tmp_path / "wrong_user_code.py"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    done = check_types(path)
    refused = {int(number) for number in re.findall(r"\.py:(\d+): error", done.stdout)}

    first = next(place for place, line in enumerate(lines, start=1) if line.startswith("people"))
    assert set(range(first, len(lines) + 1)) == refused


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "smsflow_provider" / "py.typed").is_file()
