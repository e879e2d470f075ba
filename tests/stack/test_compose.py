"""
The Compose file and the Dockerfile, as far as they can be proven without a container engine:
the file fits the specification, and every command in it is one that its program accepts.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from smsflow_provider.cli.demo.crm import fill_once
from smsflow_provider.cli.main import make_parser
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.core.store.embedded_files import installed_programs

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
SECRET = "s3cret"
#: Reads one `airflow` command a line and lets Airflow's own parser judge it.
PARSE = """
import json, sys
from airflow.cli.cli_parser import get_parser
from airflow.configuration import conf
given = json.load(sys.stdin)
for words in given["commands"]:
    get_parser().parse_args(words)
for name in given["settings"]:
    section, option = name.removeprefix("AIRFLOW__").lower().split("__")
    options = conf.configuration_description.get(section, {}).get("options", {})
    assert option in options, f"{name} is no setting of Airflow"
print("ok")
"""


def _read() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return read


def _services() -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = _read()["services"]
    return services


def _filled(text: str) -> str:
    """Put values where Compose would: secrets, defaults, and one dollar for two."""
    text = re.sub(r"\$\{\w+:\?\}", SECRET, text)
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text).replace("$$", "$")


def _airflow_commands() -> Iterator[list[str]]:
    for service in _services().values():
        if service["image"].startswith("smsflow-airflow") and "entrypoint" not in service:
            yield service["command"]
        words = service.get("healthcheck", {}).get("test", [])
        if words[1:2] == ["airflow"]:
            yield words[2:]
    yield ["db", "migrate"]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server in place of the container's."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("compose") / "pg", durable=False)
    with server:
        yield server
    server.destroy()


def test_the_file_fits_the_compose_specification() -> None:
    tool = Path(sys.executable).with_name("check-jsonschema")
    words = [str(tool), "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stdout


def test_the_example_names_every_variable_and_no_secret() -> None:
    wanted = set(re.findall(r"\$\{(\w+):", COMPOSE.read_text()))
    lines = (ROOT / ".env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    assert wanted == set(given)
    assert {"AIRFLOW_PORT"} == {name for name, value in given.items() if value}


def test_every_secret_is_demanded_not_defaulted() -> None:
    text = COMPOSE.read_text()

    assert {"AIRFLOW_PORT"} == set(re.findall(r"\$\{(\w+):-", text))
    for line in text.splitlines():
        if re.search(r"password\"|PASSWORD:|SECRET|_KEY:", line) and "FILE" not in line:
            assert "${" in line, line


def test_the_file_with_secrets_is_not_committed() -> None:
    ignored = subprocess.run(["git", "check-ignore", "-q", ".env"], cwd=ROOT, check=False)

    assert 0 == ignored.returncode


def test_ports_are_open_to_this_machine_only() -> None:
    ports = [port for service in _services().values() for port in service.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_service_is_watched_or_runs_to_its_end() -> None:
    one_shot = {name for name, service in _services().items() if service["restart"] == "no"}

    assert {"airflow-init", "crm"} == one_shot
    assert all("healthcheck" in s for name, s in _services().items() if name not in one_shot)


def test_every_airflow_waits_for_the_migration() -> None:
    waiting = {
        name
        for name, service in _services().items()
        if service.get("depends_on", {}).get("airflow-init", {}).get("condition")
        == "service_completed_successfully"
    }

    assert {"airflow-apiserver", "airflow-scheduler", "airflow-dag-processor"} == waiting


def test_every_named_volume_is_declared_and_made_in_the_image() -> None:
    used = [volume for s in _services().values() for volume in s.get("volumes", [])]
    named = {v.split(":")[0]: v.split(":")[1] for v in used if not v.startswith(".")}
    image = (ROOT / "Dockerfile").read_text()

    assert set(named) == set(_read()["volumes"])
    for name in ("state", "artifacts"):
        assert re.search(rf"mkdir -p .*{named[name]}\b", image)


def test_airflow_accepts_every_command_and_setting() -> None:
    settings = {
        name
        for service in _services().values()
        for name in service.get("environment", {})
        if name.startswith("AIRFLOW__")
    }
    given = {"commands": list(_airflow_commands()), "settings": sorted(settings)}
    done = subprocess.run(
        [sys.executable, "-c", PARSE],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert 6 == len(given["commands"])
    assert done.stdout.endswith("ok\n"), done.stderr[-2000:]


def test_the_simulator_accepts_its_command() -> None:
    service = _services()["simulator"]
    args = make_parser().parse_args(service["command"])

    assert ["smsflow"] == service["entrypoint"]
    assert ("0.0.0.0", 8890) == (args.host, args.port)  # noqa: S104  inside its own network


def test_connections_are_json_airflow_can_read() -> None:
    environment = _services()["airflow-scheduler"]["environment"]
    found = {
        name: json.loads(_filled(value))
        for name, value in environment.items()
        if name.startswith("AIRFLOW_CONN_")
    }

    assert {"smsflow_store", "postgres", "sms_simulator"} == {
        c["conn_type"] for c in found.values()
    }
    assert {SECRET} == {c["password"] for c in found.values()}
    assert 8890 == found["AIRFLOW_CONN_SMS_GATEWAY"]["port"]


def test_the_first_step_writes_the_logins_and_migrates(tmp_path: Path) -> None:
    """Its script runs under bash, with the folder moved and `airflow` replaced by an echo."""
    service = _services()["airflow-init"]
    script = _filled(service["command"][0]).replace("/opt/airflow/state", str(tmp_path))
    flags = service["entrypoint"][1]
    done = subprocess.run(
        ["bash", flags, script.replace("exec airflow", "exec echo airflow")],
        env={"LOGINS": _filled(service["environment"]["LOGINS"]), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    written = tmp_path / "passwords.json"

    assert "airflow db migrate\n" == done.stdout
    assert {"admin", "manager", "viewer"} == set(json.loads(written.read_text()))
    assert 0o600 == written.stat().st_mode & 0o777


def test_the_health_check_of_the_database_is_one_it_has(postgres: EmbeddedPostgres) -> None:
    words = _services()["postgres"]["healthcheck"]["test"][1:]
    program = installed_programs() / words[0]
    done = subprocess.run(
        [program, *words[1:], "--port", str(postgres.port)], capture_output=True, check=False
    )

    assert 0 == done.returncode


def test_the_databases_are_made_by_statements_the_server_takes(postgres: EmbeddedPostgres) -> None:
    statements = _read()["configs"]["create-databases"]["content"]
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        for statement in filter(str.strip, statements.split(";")):
            connection.execute(statement)

    assert postgres.has_database("airflow")
    assert postgres.has_database("crm")


def test_the_customers_are_written_once(postgres: EmbeddedPostgres) -> None:
    service = _services()["crm"]
    dsn = postgres.create_database("customers")

    assert ["-m", "smsflow_provider.cli.demo.crm"] == service["command"]
    today = date(2026, 5, 1)
    assert [100, 0] == [fill_once(dsn, count=100, today=today) for _ in range(2)]
    done = subprocess.run(
        [sys.executable, *service["command"]],
        env={"CRM_DSN": dsn},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "wrote 0 customers\n" == done.stdout


def test_the_image_has_the_locked_airflow_and_all_it_copies() -> None:
    text = (ROOT / "Dockerfile").read_text()
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    locked = next(p["version"] for p in lock["package"] if p["name"] == "apache-airflow")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert f"apache/airflow:{locked}-python3.11" in text
    assert f'"apache-airflow=={locked}"' in text
    assert "[postgres]" in text
    assert "postgres" in extras["optional-dependencies"]
    for line in re.findall(r"^COPY --chown=\S+ (.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists()
            assert f"!{source}\n" in (ROOT / ".dockerignore").read_text()
