"""What an import costs, and what it must do without: looked at in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import smsflow_provider
from smsflow_provider.core.gateways import registry

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "smsflow_provider"
#: No program of the core may need these.
FOREIGN = ("airflow", "fastapi", "starlette", "uvicorn", "flask")
#: Never loaded by importing the package.
LAZY = (
    *("airflow", "pandas", "polars", "pyarrow", "aiohttp", "sqlglot", "psycopg", "jinja2"),
    *("pydantic", "phonenumbers", "alembic", "sqlalchemy", "yaml"),
)
#: Never loaded by parsing a DAG: workers parse one for every task.
HEAVY = ("pandas", "polars", "pyarrow", "aiohttp", "sqlglot", "phonenumbers")
#: Alembic runs these; they are no modules to import.
MIGRATIONS = PACKAGE / "core" / "store" / "migrations"

#: Imports each module named on stdin and says what cannot be, with some libraries out of reach.
IMPORT_ALL = """
import importlib, json, sys
given = json.load(sys.stdin)

class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in given["blocked"]:
            raise ImportError(f"{name} is out of reach")

sys.meta_path.insert(0, Wall())
wrong = {}
for name in given["modules"]:
    try:
        importlib.import_module(name)
    except Exception as error:
        wrong[name] = repr(error)
print(json.dumps(wrong))
"""

#: Runs the code on stdin, then says which libraries are loaded.
LOADED = """
import json, sys
exec(compile(sys.stdin.read(), "<given>", "exec"))
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""

#: Runs one step after the other and says which heavy libraries each of them brought.
STEPS = """
import json, sys
given = json.load(sys.stdin)
found, before = {}, set()
for name, code in given["steps"].items():
    exec(compile(code, name, "exec"))
    loaded = set(given["heavy"]) & set(sys.modules)
    found[name] = sorted(loaded - before)
    before |= loaded
print(json.dumps(found))
"""

PARSE = """
from airflow.dag_processing.dagbag import DagBag
bag = DagBag({path!r}, safe_mode=False, load_op_links=False)
assert bag.dags, "no DAG"
assert not bag.import_errors, bag.import_errors
"""


def _run(code: str, given: str, home: Path) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=given,
        text=True,
        capture_output=True,
        cwd=ROOT,
        env=os.environ | {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _modules_of(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.py")):
        if MIGRATIONS not in path.parents:
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("ring", ["core", "receiver", "simulator"])
def test_a_ring_without_airflow_imports_where_there_is_no_airflow(
    ring: str, tmp_path: Path
) -> None:
    blocked = [one for one in FOREIGN if (ring, one) != ("receiver", "uvicorn")]
    modules = list(_modules_of(PACKAGE / ring))
    given = json.dumps({"blocked": blocked, "modules": modules})

    assert len(modules) > 3
    assert {} == _run(IMPORT_ALL, given, tmp_path)


def test_the_wall_of_the_test_above_holds(tmp_path: Path) -> None:
    given = json.dumps({"blocked": FOREIGN, "modules": ["smsflow_provider.hooks.store"]})

    found = _run(IMPORT_ALL, given, tmp_path)

    assert "out of reach" in found["smsflow_provider.hooks.store"]


def test_importing_the_package_loads_no_library(tmp_path: Path) -> None:
    loaded = _run(LOADED, "import smsflow_provider; dir(smsflow_provider)", tmp_path)

    assert [] == sorted(set(LAZY) & set(loaded))


def test_every_public_name_is_found_where_the_package_says(tmp_path: Path) -> None:
    names = smsflow_provider.__all__
    code = "import smsflow_provider\n" + "\n".join(f"smsflow_provider.{name}" for name in names)

    assert "smsflow_provider" in _run(LOADED, code, tmp_path)


def test_operators_and_dags_are_loaded_without_heavy_libraries(tmp_path: Path) -> None:
    """One process for all: whoever is first to load one is named."""
    steps = {name: f"import {name}" for name in _parsed_with_dags()}
    steps |= {path.name: PARSE.format(path=str(path)) for path in (ROOT / "dags").glob("*.py")}

    found = _run(STEPS, json.dumps({"steps": steps, "heavy": HEAVY}), tmp_path)

    assert {key: [] for key in steps} == found
    assert {"workflows.py", "direct_operators.py"} <= set(found)


def _parsed_with_dags() -> Iterator[str]:
    """Name what a DAG file imports, or what Airflow imports for it."""
    yield "smsflow_provider.plugins.plugin"
    for folder in ("sensors", "operators", "notifications", "compiler"):
        yield from _modules_of(PACKAGE / folder)


def test_the_plugin_module_does_not_load_the_store(tmp_path: Path) -> None:
    """Every task process imports it."""
    loaded = _run(LOADED, "import smsflow_provider.plugins.plugin", tmp_path)

    assert [] == sorted({*HEAVY, "psycopg", "alembic", "fastapi"} & set(loaded))


def test_the_import_contracts_are_kept() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode, done.stdout[-4000:]
    assert "0 broken" in done.stdout


def test_every_gateway_is_under_the_contract_that_keeps_vendors_apart() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    kept_apart = next(each["modules"] for each in contracts if each["id"] == "vendors")
    dialects = {each.dialect for each in registry.GATEWAY_TYPES.values()}

    assert {dialect.__module__ for dialect in dialects} == set(kept_apart)
