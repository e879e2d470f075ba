"""``smsflow bench send``: one JSON object, a verdict, and what it measures."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

from smsflow_provider.cli.bench.send import SendResult, table_of
from smsflow_provider.cli.bench.send_ledgered import make_approved, send_by_http
from smsflow_provider.cli.bench.send_reference import form_of, send_by_aiohttp, send_by_sdk
from smsflow_provider.cli.bench.send_sink import running_sink
from smsflow_provider.cli.main import main
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.settings import Secret
from smsflow_provider.core.gateways.twilio import TwilioDialect, TwilioSettings
from smsflow_provider.core.store.connection import Store
from smsflow_provider.testing.examples import example_message

GOOD = SendResult(
    rows=1,
    ledgered_ratio_0ms=0.75,
    ledgered_ratio_50ms=0.75,
    vs_twilio_loop=100.0,
    vs_twilio_threads=7.0,
    ledger_only_per_s=50_000.0,
    figures_ms=5.0,
    log_page_ms=20.0,
    log_page_failed_ms=20.0,
    large=1,
    ledgered_per_s_0ms=1.0,
    ledgered_per_s_50ms=1.0,
    aiohttp_per_s_0ms=1.0,
    aiohttp_per_s_50ms=1.0,
    twilio_loop_per_s=1.0,
    twilio_threads_per_s=1.0,
    cpu_us_0ms=1.0,
    ledger_only_cpu_us=1.0,
)


def test_json_is_one_object_and_nothing_else(repository: Path) -> None:
    command = ["bench", "send", "--rows", "300", "--rounds", "1", "--large", "2000", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "smsflow_provider.cli.main", *command],
        check=False,
        cwd=repository,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout)

    assert (0, "") == (done.returncode, done.stderr)
    assert [one.name for one in fields(SendResult)] == list(found)
    assert all(value > 0 for value in found.values())


def test_limits_themselves_are_met() -> None:
    assert all(one.is_met for one in GOOD.verdicts())
    assert len(fields(SendResult)) == len(table_of(GOOD).splitlines())


@pytest.mark.parametrize("name", [one.what for one in GOOD.verdicts()])
def test_each_limit_can_be_missed(name: str) -> None:
    is_least = next(one.is_least for one in GOOD.verdicts() if one.what == name)
    worse = getattr(GOOD, name) * (0.99 if is_least else 1.01)

    verdicts = replace(GOOD, **{name: worse}).verdicts()

    assert [name] == [one.what for one in verdicts if not one.is_met]


def test_the_loop_without_a_ledger_writes_what_the_product_writes() -> None:
    settings = TwilioSettings(base_url="http://x", username="AC1", password=Secret("x"))
    message = example_message(1, callback_url="https://sms.example/x")
    body = TwilioDialect(settings).write([message]).body.decode()
    own = {pair.partition("=")[0] for pair in body.split("&")}

    assert form_of(1).keys() - own <= {"ValidityPeriod"}
    assert own <= form_of(1).keys()


def test_every_way_hands_each_message_over_once(store: Store) -> None:
    delivery = make_approved(store, "bench", count=500)
    with running_sink(delay_s=0.0) as sink:
        measured = send_by_http(store, delivery, url=sink.url, connections=8)
        sink.check(500)
    with running_sink(delay_s=0.001) as sink:
        send_by_aiohttp(sink.url, count=100, connections=8)
        sink.check(100)
    with running_sink(delay_s=0.001) as sink:
        send_by_sdk(sink.url, count=20, threads=4)
        sink.check(20)

    assert measured.seconds > 0


def test_a_message_that_arrived_twice_spoils_the_measurement() -> None:
    with running_sink(delay_s=0.0) as sink:
        for _ in range(2):
            send_by_aiohttp(sink.url, count=3, connections=1)
        with pytest.raises(ConfigError, match="once"):
            sink.check(3)


def test_the_page_names_every_key_and_limit(repository: Path) -> None:
    page = (repository / "docs" / "performance.md").read_text(encoding="utf-8")

    assert [] == [one.name for one in fields(SendResult) if f"`{one.name}`" not in page]
    for one in GOOD.verdicts():
        assert f"{one.limit:,g}" in page


@pytest.mark.parametrize("wrong", ["0", "-1", "many"])
def test_a_number_of_messages_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["bench", "send", "--rows", wrong])

    assert 2 == caught.value.code


def test_make_bench_judges_them_all(repository: Path) -> None:
    makefile = (repository / "Makefile").read_text(encoding="utf-8")

    for name in ("prepare", "send", "receipts", "audience", "dashboard"):
        assert f"bench {name} --judge" in makefile
