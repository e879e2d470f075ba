"""The wheel, built from this checkout and installed where nothing else of ours is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from smsflow_provider.core.gateways.registry import GATEWAY_TYPES
from tests.requirements import missing

ROOT = Path(__file__).parents[2]
#: What is no Python but must travel.
DATA = (".sql", ".mako", ".j2", ".typed", ".csv", ".yaml", ".js", ".svg")

#: Runs Airflow's own commands in one process: each `airflow` call of its own costs seconds.
ASK_AIRFLOW = """
import contextlib, io, json, sys
from airflow.__main__ import main

def airflow(*words):
    sys.argv = ["airflow", *words]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        main()
    return json.loads(out.getvalue())

providers, plugins = airflow("providers", "list", "-o", "json"), airflow("plugins", "-o", "json")
from airflow import plugins_manager
from airflow.configuration import conf
from airflow.providers_manager import ProvidersManager
manager = ProvidersManager()
types = dict(manager.hooks)
forms = manager.connection_form_widgets
import smsflow_provider
answer = {
    "home": smsflow_provider.__file__,
    "providers": {each["package_name"]: each["version"] for each in providers},
    "plugins": {each["name"]: each for each in plugins},
    "plugin_errors": plugins_manager.get_import_errors(),
    "connection_types": {
        name: str(found.hook_name) for name, found in types.items()
        if found is not None and name.startswith("sms")
    },
    "fields": sorted(name for name in forms if "__sms" in name),
    "settings": {name: conf.get("smsflow", name) for name in
                 conf.configuration_description["smsflow"]["options"]},
    "db_managers": manager.db_managers,
}
print(json.dumps(answer, default=str))
"""


@cache
def find_uv() -> Path:
    """Find uv: the one of `make setup`, else one on the PATH."""
    own = ROOT / ".uv" / "bin" / "uv"
    found = own if own.is_file() else shutil.which("uv")
    if found is None:
        missing("uv is not on this machine: run make setup")
    return Path(found)


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    """Run a command outside this environment; give what it printed."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "PYTHON", "VIRTUAL_ENV", "SMSFLOW"))
    }
    done = subprocess.run(
        command,
        cwd=cwd,
        env=kept | {"UV_PYTHON_DOWNLOADS": "never"} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert 0 == done.returncode, f"{command}\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(find_uv(), "build", "--quiet", "--wheel", "--out-dir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the wheel and what it needs, by the lock file."""
    folder = tmp_path_factory.mktemp("installed")
    lock = folder / "lock.txt"
    uv, venv = find_uv(), folder / "venv"
    export = ("--frozen", "--quiet", "--no-dev", "--no-emit-project", "--no-hashes")
    run(uv, "export", *export, "--output-file", lock)
    run(uv, "venv", "--quiet", "--python", sys.executable, venv)
    python = venv / "bin" / "python"
    # No extra is asked for: what the wheel says it needs must be enough, in the locked versions.
    run(uv, "pip", "install", "--quiet", "--python", python, "--constraints", lock, wheel)
    return venv / "bin"


@pytest.fixture(scope="module")
def answer(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Airflow says about the installed provider."""
    home = tmp_path_factory.mktemp("home")
    said = run(
        installed / "python",
        "-c",
        ASK_AIRFLOW,
        cwd=home,
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
    )
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


def _files_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def _sources() -> Iterator[str]:
    for path in (ROOT / "smsflow_provider").rglob("*"):
        if path.is_file() and path.suffix in {".py", *DATA}:
            yield path.relative_to(ROOT).as_posix()


def test_the_wheel_holds_every_source_and_all_that_is_no_python(wheel: Path) -> None:
    files = _files_of(wheel)

    assert sorted(_sources()) == sorted(files)
    assert set(DATA) <= {Path(name).suffix or Path(name).name for name in files}


def test_the_wheel_holds_the_dashboard_as_it_was_built(wheel: Path) -> None:
    www = "smsflow_provider/plugins/www/dist"

    with zipfile.ZipFile(wheel) as archive:
        for name in ("smsflow.js", "icon.svg"):
            assert (ROOT / www / name).read_bytes() == archive.read(f"{www}/{name}")


def test_the_wheel_holds_no_tests_and_no_files_of_this_machine(wheel: Path) -> None:
    assert {"smsflow_provider"} == {name.partition("/")[0] for name in _files_of(wheel)}


def test_the_package_is_imported_from_where_it_was_installed(answer: dict[str, Any]) -> None:
    assert "site-packages" in answer["home"]


def test_airflow_lists_the_provider(answer: dict[str, Any]) -> None:
    assert "0.1.0" == answer["providers"]["smsflow-provider"]


def test_airflow_loads_the_plugin_without_errors(answer: dict[str, Any]) -> None:
    assert {} == answer["plugin_errors"]
    assert ["/smsflow"] == [
        each["url_prefix"] for each in answer["plugins"]["smsflow"]["fastapi_apps"]
    ]
    assert 1 == len(answer["plugins"]["smsflow"]["fastapi_root_middlewares"])
    assert ["smsflow", "SMS deliveries", "smsflow_home"] == [
        each["name"] for each in answer["plugins"]["smsflow"]["react_apps"]
    ]


def test_airflow_knows_the_connection_types_and_their_fields(answer: dict[str, Any]) -> None:
    assert {*GATEWAY_TYPES, "smsflow_store"} == set(answer["connection_types"])
    assert "extra__sms_kannel__max_connections" in answer["fields"]


def test_airflow_knows_the_settings_and_their_defaults(answer: dict[str, Any]) -> None:
    assert {
        "artifacts": "",
        "templates": "",
        "rules": "",
        "public_url": "",
        "allowed_numbers": "",
        "retention_days": "",
        "replies_days": "",
        "audience_days": "",
        "archive": "",
        "four_eyes": "False",
        "daily_cap": "",
        "review_hold_s": "7",
    } == answer["settings"]


def test_airflow_migrates_the_store_with_its_own_database(answer: dict[str, Any]) -> None:
    assert ["smsflow_provider.hooks.db_manager.SmsflowDBManager"] == [
        name for name in answer["db_managers"] if "smsflow" in name
    ]


def test_the_command_is_installed_and_migrates_a_store(installed: Path, store_dsn: str) -> None:
    """The statements and the migrations are in the wheel, and the driver is in its needs."""
    program, cwd = installed / "smsflow", installed

    assert "is at revision" in run(program, "db", "migrate", "--store", store_dsn, cwd=cwd)
    assert "[]\n" == run(program, "deliveries", "--json", "--store", store_dsn, cwd=cwd)


def test_the_command_lists_its_verbs(installed: Path) -> None:
    told = run(installed / "smsflow", "--help", cwd=installed)

    assert all(verb in told for verb in ("lint", "preview", "report", "simulator", "db", "demo"))
