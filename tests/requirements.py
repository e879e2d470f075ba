"""What a test needs of the machine. Missing: skipped by name, or failed where nothing may be."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

#: Folders that hold programs but are not on everybody's PATH.
_FOLDERS = ("/usr/sbin", "/usr/lib/kannel/test")

_PACKAGES = {
    "bearerbox": "kannel",
    "smsbox": "kannel",
    "fakesmsc": "kannel-extras",
    "chromium": "chromium",
}


def find_program(name: str) -> Path | None:
    """Look for a program on the PATH and where Debian puts servers."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *_FOLDERS])
    found = shutil.which(name, path=path)
    return Path(found) if found else None


def require_program(name: str) -> Path:
    """
    Find a program, or skip the test and say what to install.

    With ``SMSFLOW_REQUIRE_ALL=1`` a missing program fails the test instead.
    """
    found = find_program(name)
    if found is None:
        package = _PACKAGES.get(name, name)
        missing(f"the program {name} is not on this machine: apt-get install {package}")
    return found


def missing(reason: str) -> NoReturn:
    """Skip with *reason*, or fail where nothing may be skipped."""
    if os.environ.get("SMSFLOW_REQUIRE_ALL") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
