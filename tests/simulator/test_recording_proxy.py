"""The proxy that counts hand-overs: every whole request once, whatever becomes of it."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from smsflow_provider.core.gateways.base import HttpRequest
from smsflow_provider.core.gateways.http import HttpGateway, HttpTransport
from smsflow_provider.core.gateways.kannel import KannelDialect, KannelSettings
from smsflow_provider.core.gateways.simulator import SimulatorDialect
from smsflow_provider.core.model import Message, Outcome, OutcomeKind
from smsflow_provider.simulator.behaviour import Behaviour
from smsflow_provider.testing.examples import example_message
from smsflow_provider.testing.recording_proxy import handed_over, names_of
from smsflow_provider.testing.simulator import RunningSimulator


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with RunningSimulator(Behaviour()) as running:
        yield running


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "handed-over.log"


@pytest.fixture
def proxy(simulator: RunningSimulator, log: Path, repository: Path) -> Iterator[str]:
    """The address of a proxy in front of a simulator that got nothing yet."""
    simulator.forget()
    simulator.behave(**Behaviour().as_dict())
    module = "smsflow_provider.testing.recording_proxy"
    command = [sys.executable, "-m", module, "--listen", "0", "--to", simulator.url]
    process = subprocess.Popen(
        [*command, "--log", str(log)], cwd=repository, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found is not None
    yield found[0]
    process.kill()
    process.wait(timeout=10)
    process.stdout.close()


def send(simulator: RunningSimulator, url: str, *batches: list[Message]) -> list[Outcome]:
    settings = replace(simulator.settings, base_url=url)

    async def run() -> list[Outcome]:
        async with HttpTransport.of(settings) as transport:
            gateway = HttpGateway(SimulatorDialect(settings), transport)
            return [one for batch in batches for one in await gateway.send(batch)]

    return asyncio.run(run())


def test_what_passes_is_what_comes_out(simulator: RunningSimulator, proxy: str, log: Path) -> None:
    batch = [example_message(number, body=f"Été {number}") for number in (1, 2, 3)]
    outcomes = send(simulator, proxy, batch)

    assert {OutcomeKind.ACCEPTED} == {one.kind for one in outcomes}
    assert ["Été 1", "Été 2", "Été 3"] == [one["text"] for one in simulator.messages()]
    assert {one.id: 1 for one in batch} == handed_over(log)


def test_a_message_handed_over_twice_shows(
    simulator: RunningSimulator, proxy: str, log: Path
) -> None:
    send(simulator, proxy, [example_message(1)], [example_message(1), example_message(2)])

    assert {"1-1-1": 2, "1-1-2": 1} == handed_over(log)


def test_a_lost_answer_is_lost_behind_the_proxy_too_and_counted(
    simulator: RunningSimulator, proxy: str, log: Path
) -> None:
    simulator.behave(lost_share=1)
    (outcome,) = send(simulator, proxy, [example_message(1)])

    assert OutcomeKind.UNKNOWN is outcome.kind
    assert {"1-1-1": 1} == handed_over(log)
    assert 1 == simulator.counts()["messages"]


def test_what_was_turned_away_is_no_hand_over(
    simulator: RunningSimulator, proxy: str, log: Path
) -> None:
    simulator.behave(messages_per_s=1)
    outcomes = send(simulator, proxy, [example_message(1)], [example_message(2)])

    assert [OutcomeKind.ACCEPTED, OutcomeKind.NOT_SENT] == [one.kind for one in outcomes]
    assert {"1-1-1": 1} == handed_over(log)


def test_a_request_that_breaks_off_is_not_counted(proxy: str, log: Path) -> None:
    port = int(proxy.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")

    assert {} == handed_over(log)


def test_a_message_to_kannel_is_named_by_its_callback_address() -> None:
    settings = KannelSettings(base_url="http://kannel", username="us")
    message = example_message(7, body="a secret")._replace(
        callback_url="http://us/smsflow?m=1-1-7&t=token"
    )
    request: HttpRequest = KannelDialect(settings).write([message])

    assert ["1-1-7"] == names_of("POST", request.headers, request.body)


def test_a_message_without_a_name_shows_as_a_digest() -> None:
    (name,) = names_of("POST", {}, b"Text of a message to +33612345678")

    assert re.fullmatch(r"\? [0-9a-f]{32}", name)


def test_a_form_is_named_by_its_callback_address() -> None:
    body = b"To=%2B336&StatusCallback=http%3A%2F%2Fus%2F%3Fm%3D1-1-2%26t%3Dx"

    assert ["1-1-2"] == names_of("POST", {}, body)
