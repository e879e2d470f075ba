"""``smsflow simulator`` as a process of its own."""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from smsflow_provider.cli.simulator import API_KEY_VARIABLE, add_arguments, run
from smsflow_provider.core.gateways.settings import declared_settings
from smsflow_provider.simulator.behaviour import Behaviour

COMMAND = (
    "import argparse, sys; from smsflow_provider.cli.simulator import add_arguments, run;"
    "parser = argparse.ArgumentParser(); add_arguments(parser);"
    "sys.exit(run(parser.parse_args()))"
)


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [
            sys.executable,
            "-c",
            COMMAND,
            "--port",
            "0",
            "--delivered-share",
            "0.5",
            "--reports-accepted",
        ],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, API_KEY_VARIABLE: "hush"},
    )
    yield started
    if started.poll() is None:
        started.kill()
    started.wait(timeout=10)
    if started.stderr is not None:
        started.stderr.close()


def test_it_says_where_it_listens_serves_and_ends_on_a_signal(
    process: subprocess.Popen[str],
) -> None:
    assert process.stderr is not None
    line = process.stderr.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found is not None
    headers = {"Authorization": "Bearer hush"}
    behaviour = httpx.get(f"{found[0]}/v1/behaviour", headers=headers, trust_env=False).json()
    process.send_signal(signal.SIGTERM)

    assert Behaviour(delivered_share=0.5, reports_accepted=True).as_dict() == behaviour
    assert 0 == process.wait(timeout=10)


def test_every_setting_is_an_option() -> None:
    options = vars(parse())

    assert set(declared_settings(Behaviour)) <= set(options)
    assert ("127.0.0.1", 8890, 0) == (options["host"], options["port"], options["seed"])


def test_a_taken_port_ends_it_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert 2 == run(parse("--port", str(port)))

    said = capsys.readouterr()
    assert "" == said.out
    assert "the port is taken: stop what listens there, or choose another" in said.err
    assert str(port) in said.err


def test_a_wrong_option_ends_it_with_every_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(parse("--lost-share", "7", "--lost-how", "explode"))

    said = capsys.readouterr().err
    assert "lost_share: must lie between 0 and 1" in said
    assert "lost_how: must be one of" in said


def test_help_describes_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse("--help")

    words = capsys.readouterr().out
    assert all(f"--{name.replace('_', '-')}" in words for name in declared_settings(Behaviour))
    assert API_KEY_VARIABLE in words
