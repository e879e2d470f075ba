"""A gateway of somebody else's: a wheel, built, installed and used as any other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.docs.blocks import blocks

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tests" / "data" / "third_party_gateway"

BUILD = """
import os, sys, zipfile
from hatchling.build import build_wheel
os.chdir(sys.argv[1])
name = build_wheel(sys.argv[2])
zipfile.ZipFile(os.path.join(sys.argv[2], name)).extractall(sys.argv[3])
"""

SEND = """
import asyncio, sys
from smsflow_provider.core.gateways.http import HttpGateway, HttpTransport
from smsflow_provider.core.gateways.registry import make_dialect, read_connection
from smsflow_provider.core.gateways.settings import ConnectionFields
from smsflow_provider.testing.examples import example_message

async def send(url):
    fields = ConnectionFields(host=url, password="key", extra={"route": "south"})
    settings = read_connection("sms_acme", fields)
    async with HttpTransport.of(settings) as transport:
        gateway = HttpGateway(make_dialect("sms_acme", settings), transport)
        return [await gateway.send([example_message(number)]) for number in (1, 2)]

for (outcome,) in asyncio.run(send(sys.argv[1])):
    print(outcome.message_id, outcome.kind.value, outcome.code)
"""

ASK_AIRFLOW = """
import json, sys
from airflow.providers_manager import ProvidersManager
manager = ProvidersManager()
found = manager.hooks["sms_acme"]
from smsflow_provider.hooks.gateway import SmsGatewayHook
print(json.dumps({
    "provider": manager.providers["smsflow-acme"].version,
    "label": found.hook_name,
    "hook": found.hook_class_name,
    "fields": [name for name in manager.connection_form_widgets if "__sms_acme__" in name],
    "tested": SmsGatewayHook("acme").test_connection(),
    "dialect": SmsGatewayHook("acme").dialect().name,
}))
"""


class _Acme(BaseHTTPRequestHandler):
    """Takes the first message and refuses the others."""

    server: _AcmeServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, self.headers["Authorization"], json.loads(body)))
        result = "queued" if len(self.server.got) == 1 else "refused"
        answer = json.dumps({"result": result}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _AcmeServer(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Acme)
        self.got: list[tuple[str, str, dict[str, Any]]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def acme() -> Iterator[_AcmeServer]:
    with _AcmeServer() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the wheel of the package is installed. Needs no network."""
    wheels, target = (tmp_path_factory.mktemp(name) for name in ("wheels", "target"))
    _python("-c", BUILD, str(PACKAGE), str(wheels), str(target))
    return target


def _python(*arguments: str, path: Path | None = None, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    added = {"PYTHONPATH": os.pathsep.join([str(path), str(ROOT)])} if path else {}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=kept | added | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert 0 == done.returncode, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_an_installed_gateway_sends_through_our_transport(
    installed: Path, acme: _AcmeServer
) -> None:
    told = _python("-c", SEND, acme.url, path=installed)

    assert ["1-1-1 accepted queued", "1-1-2 failed refused"] == told.splitlines()
    assert [("/send", "Bearer key")] * 2 == [each[:2] for each in acme.got]
    assert ["south", "south"] == [each[2]["route"] for each in acme.got]


def test_an_installed_gateway_passes_the_contract_from_its_own_tests(installed: Path) -> None:
    suite = str(PACKAGE / "tests" / "contract_of_acme.py")
    told = _python("-m", "pytest", "-q", "-p", "no:cacheprovider", suite, path=installed)

    assert " passed" in told.splitlines()[-1]


def test_airflow_knows_an_installed_gateway_and_our_hook_reaches_it(
    installed: Path, acme: _AcmeServer, tmp_path: Path
) -> None:
    connection = {"conn_type": "sms_acme", "host": acme.url, "password": "key"}
    told = _python(
        *("-c", ASK_AIRFLOW),
        path=installed,
        AIRFLOW_HOME=str(tmp_path),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW_CONN_ACME=json.dumps(connection),
    )
    answer = json.loads(told.splitlines()[-1])

    assert ("1.0.0", "SMS gateway: Acme") == (answer["provider"], answer["label"])
    assert ("smsflow_acme.hook.AcmeHook", "sms_acme") == (answer["hook"], answer["dialect"])
    assert "extra__sms_acme__route" in answer["fields"]
    assert answer["tested"][0], answer["tested"]
    assert [] == acme.got


def test_without_the_package_its_connection_type_is_unknown() -> None:
    code = "from smsflow_provider.core.gateways.registry import GATEWAY_TYPES as t; print([*t])"

    assert "sms_acme" not in _python("-c", code)


def test_the_copy_that_the_page_tells_of_is_green_from_the_start(tmp_path: Path) -> None:
    (script,) = blocks(ROOT / "docs" / "adding_a_gateway.md", "bash", mark="copy-gateway")
    target = tmp_path / "birch"
    environment = os.environ | {"TARGET": str(target)}
    subprocess.run(["bash", "-e", "-c", script], cwd=ROOT, env=environment, check=True)
    told = _python("-m", "pytest", "-q", "-p", "no:cacheprovider", str(target), path=target)

    assert " passed" in told.splitlines()[-1]
    left = [path for path in target.rglob("*.py") if "acme" in path.read_text().lower()]
    assert [] == left
