"""The ``smsflow`` command on a real store: what it prints where, and how it ends."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from psycopg.conninfo import conninfo_to_dict

from smsflow_provider.cli.main import VERBS, main
from smsflow_provider.core.delivery.tokens import Signer
from smsflow_provider.core.model import OutcomeKind, message_id_of
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.core.store.keys import read_keys
from smsflow_provider.testing.gateway import RecordingGateway
from tests.core.delivery.receiving import (
    append,
    figures_of,
    make_sending,
    received,
    settle,
    slip_past,
    take,
)
from tests.core.preparation.preparing import make_template, person, run_prepare
from tests.prepared_delivery import approve, make_prepared
from tests.sending import run_send

TEMPLATE = "---\nsender: ACME\n---\nHi {{ name }}\n"
UNREACHABLE = "postgresql://smsflow:hush-hush@127.0.0.1:1/smsflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What stands on stdout, if that is one JSON document and nothing else."""
        return json.loads(self.out)


def start(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "smsflow_provider.cli.main", *arguments],
        env={**kept, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def command(*arguments: str, **variables: str) -> Ended:
    """Run the command as a process of its own, with nothing of this one's environment."""
    process = start(*arguments, **variables)
    out, err = process.communicate(timeout=120)
    return Ended(code=process.returncode, out=out, err=err)


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], store_dsn: str) -> Any:
    """Run the command in this process, on this test's store."""

    def run_here(*arguments: str, dsn: str = store_dsn) -> Ended:
        capfd.readouterr()
        code = main([*arguments, "--store", dsn])
        captured = capfd.readouterr()
        return Ended(code=code, out=captured.out, err=captured.err)

    return run_here


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "hi.sms.j2"
    path.write_text(TEMPLATE)
    return path


def make_sent(store: Store) -> None:
    """Send delivery ``d1``: two accepted, one failed, one in doubt."""
    make_prepared(store, count=4)
    approve(store)
    gateway = RecordingGateway(script=[OutcomeKind.FAILED, OutcomeKind.UNKNOWN])
    run_send(store, gateway, connections=1)


def test_help_names_every_verb_and_what_it_does() -> None:
    ended = command("--help")

    assert (0, "") == (ended.code, ended.err)
    for verb in VERBS:
        assert verb.name in ended.out
        assert verb.help.split()[0] in ended.out


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS])
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])

    assert 0 == ended.value.code
    assert f"usage: smsflow {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["reprot"], ["report"], ["db", "drop"], ["report", "--x"]])
def test_a_command_line_that_cannot_be_read_ends_with_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert 2 == ended.value.code
    assert capsys.readouterr().err.startswith("usage: smsflow")


def test_a_delivery_is_followed_from_the_command_line(
    store: Store, store_dsn: str, template: Path
) -> None:
    """Each step as a process of its own, told by the variable which store it is."""
    make_sent(store)
    told = {"SMSFLOW_STORE": store_dsn}

    assert (0, "The store is at revision") == _code_and_start(command("db", "check", **told))
    assert 0 == command("lint", str(template), **told).code
    shown = command("preview", str(template), "--set", "name=Zoé", "--json", **told)
    assert "Hi Zoé" == shown.document["samples"][0]["text"]
    (listed,) = command("deliveries", "--json", **told).document
    assert ("d1", "finished", 2) == (listed["delivery"], listed["state"], listed["accepted"])
    reported = command("report", "d1", "--json", **told)
    assert (0, "") == (reported.code, reported.err)
    assert (4, 2, 1, 1) == tuple(
        reported.document[name] for name in ("to_deliver", "accepted", "failed", "unknown")
    )
    for verb, target in (("pause", "paused"), ("resume", "sending"), ("stop", "stopped")):
        ended = command(verb, "d1", **told)
        assert 1 == ended.code
        assert f"target: {target}" in ended.err or "only a paused" in ended.err


def _code_and_start(ended: Ended) -> tuple[int, str]:
    return ended.code, ended.out.rpartition(" ")[0]


def test_stdout_is_one_document_however_noisy_airflow_is(
    store: Store, store_dsn: str, tmp_path: Path
) -> None:
    make_sent(store)

    ended = command(
        "report",
        "d1",
        "--json",
        AIRFLOW_HOME=str(tmp_path),
        AIRFLOW__LOGGING__LOGGING_LEVEL="DEBUG",
        AIRFLOW_CONN_SMSFLOW_STORE=_airflow_connection(store_dsn),
        PYTHONWARNINGS="always",
    )

    assert (0, "finished") == (ended.code, ended.document["state"])
    assert ended.out.startswith("{")
    assert ended.out.endswith("}\n")


def _airflow_connection(dsn: str) -> str:
    parts = conninfo_to_dict(dsn)
    told = {"host": "host", "schema": "dbname", "login": "user", "password": "password"}
    fields = {name: parts[key] for name, key in told.items()}
    return json.dumps({"conn_type": "smsflow_store", "port": int(str(parts["port"])), **fields})


def test_without_a_store_all_ways_to_name_one_are_told(tmp_path: Path) -> None:
    ended = command("deliveries", "--json", AIRFLOW_HOME=str(tmp_path))

    assert (1, "") == (ended.code, ended.out)
    last = ended.err.strip().splitlines()[-1]
    for way in ("--store", "SMSFLOW_STORE", "smsflow_store"):
        assert way in last
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    "words",
    [
        ["deliveries", "--json"],
        ["report", "d1"],
        ["preview", "d1"],
        ["pause", "d1"],
        ["resume", "d1"],
        ["stop", "d1"],
        ["maintain"],
        ["receiver", "--port", "0"],
        ["db", "check"],
        ["db", "migrate"],
    ],
    ids=" ".join,
)
def test_a_store_out_of_reach_is_told_in_words_without_the_password(
    run: Any, words: list[str]
) -> None:
    ended = run(*words, dsn=UNREACHABLE)

    assert (1, "") == (ended.code, ended.out)
    assert ended.err.startswith("smsflow: the store does not answer")
    assert "127.0.0.1" in ended.err
    assert "hush" not in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    "dsn", ["hush-hush", "postgresql://u:hush-hush@[h/d", "host=h password='hush-hush x=1"]
)
def test_a_connection_string_that_cannot_be_read_is_not_quoted(run: Any, dsn: str) -> None:
    ended = run("deliveries", dsn=dsn)

    assert 1 == ended.code
    assert "cannot be read" in ended.err
    assert "hush" not in ended.err


def test_an_unknown_delivery_is_told_with_near_ones(run: Any, store: Store) -> None:
    make_prepared(store, count=1, delivery_id="spring_sale-sms-abcdefabcdef")

    for words in (["report", "--json"], ["preview"], ["pause"], ["resume"], ["stop"]):
        ended = run(words[0], "spring_sale-sms-abcdefabcdeg", *words[1:])
        assert (1, "") == (ended.code, ended.out)
        assert "smsflow: there is no such delivery" in ended.err
        assert "spring_sale-sms-abcdefabcdef" in ended.err


def test_a_store_without_tables_names_the_command_that_makes_them(
    run: Any, postgres: EmbeddedPostgres
) -> None:
    dsn = postgres.create_database("cli_empty")
    try:
        for words in (["deliveries"], ["report", "d1"], ["db", "check"], ["receiver"]):
            ended = run(*words, dsn=dsn)
            assert 1 == ended.code
            assert "run 'smsflow db migrate'" in ended.err
        assert 0 == run("db", "migrate", dsn=dsn).code
        assert 0 == run("db", "check", dsn=dsn).code
        assert "There is no delivery yet" in run("deliveries", dsn=dsn).out
        assert [] == run("deliveries", "--json", dsn=dsn).document
    finally:
        postgres.drop_database("cli_empty")


def test_what_the_driver_says_is_not_printed(run: Any, store: Store) -> None:
    """Its words may quote a row."""
    make_prepared(store, count=1)
    with store.transaction() as connection:
        connection.execute("ALTER TABLE smsflow_chunks ALTER COLUMN accepted TYPE text")

    ended = run("report", "d1")

    assert 1 == ended.code
    assert ended.err.startswith("smsflow: the store failed (")
    assert "SQLSTATE" in ended.err
    assert "Traceback" not in ended.err


def test_deliveries_are_listed_for_people(run: Any, store: Store) -> None:
    make_sent(store)
    make_prepared(store, count=1500, delivery_id="d2")

    shown = run("deliveries").out.splitlines()

    assert ["delivery", "state", "to", "deliver", "accepted", "delivered"] == shown[0].split()
    assert ["d2", "ready", "1,500", "0", "0"] == shown[1].split()
    assert ["d1", "finished", "4", "2", "0"] == shown[2].split()
    assert 2 == len(run("deliveries", "--limit", "1").out.splitlines())
    (finished,) = run("deliveries", "--state", "finished", "--json").document
    assert "d1" == finished["delivery"]


def test_a_report_applies_the_receipts_that_wait(run: Any, store: Store) -> None:
    make_sent(store)
    delivery = find_delivery(store, "d1")
    append(store, received(delivery, 2), received(delivery, 3))

    shown = run("report", "d1").out

    assert "Sale: finished" in shown
    found = {line.split()[0]: line.split()[-1] for line in shown.splitlines()[1:]}
    assert ("3", "2", "0") == (found["accepted"], found["delivered"], found["unknown"])
    assert "failed, no code" in shown
    assert "excluded, invalid_number" in shown


def test_a_report_says_why_a_preparation_failed(run: Any, store: Store) -> None:
    run_prepare(store, [person(1)], template=make_template("Hi {{ nmae }}"))

    shown = run("report", "d1").out
    previewed = run("preview", "d1")

    assert "error, column_missing: the audience has no column 'nmae'" in shown
    assert "prepared" not in shown
    assert "the delivery has no message: smsflow report tells why" in previewed.err


def test_pausing_resuming_and_stopping_say_what_is_true_now(run: Any, store: Store) -> None:
    _, ledger = make_sending(store, count=3)
    settle(ledger, take(ledger, 1), OutcomeKind.ACCEPTED)
    ledger.release()

    assert "d1 is paused.\n" == run("pause", "d1").out
    assert "Sale: paused (person)\n" in run("report", "d1").out
    assert "d1 is sending.\n" == run("resume", "d1").out
    assert "d1 is stopped.\n" == run("stop", "d1").out
    assert {"accepted": 1, "cancelled": 2} == figures_of(store)
    again = run("resume", "d1")
    assert 1 == again.code
    assert "only a paused delivery can be resumed" in again.err
    assert DeliveryState.STOPPED is find_delivery(store, "d1").state


def test_who_stopped_it_is_known(run: Any, store: Store) -> None:
    make_sending(store, count=1)[1].release()
    run("pause", "d1")

    assert find_delivery(store, "d1").moved_by.startswith("cli:")


def test_a_delivery_is_previewed_with_masked_phones(run: Any, store: Store) -> None:
    run_prepare(store, [person(1), person(2)], template=make_template("Hi {{ name }}"))

    shown = run("preview", "d1")
    document = run("preview", "d1", "--json").document

    assert 0 == shown.code
    assert shown.out.startswith("--- recipient r1, to +33·······01, gsm7, 8 units, 1 part")
    assert ["Hi Name1", "Hi Name2"] == [sample["text"] for sample in document["samples"]]
    assert "+33600000001" not in f"{shown.out}{document}"


def test_a_recipient_without_a_message_is_told(run: Any, store: Store) -> None:
    run_prepare(store, [person(1), person(2)], template=make_template("Hi {{ name }}"))

    asked = run("preview", "d1", "--recipient", "r1", "--recipient", "r9")

    assert 1 == asked.code
    assert "Hi Name1" in asked.out
    assert "smsflow why --recipient r9 --delivery d1 tells the reason" in asked.err


def test_a_delivery_that_waits_for_its_review_is_rejected_not_stopped(
    run: Any, store: Store
) -> None:
    run_prepare(store, [person(1)], template=make_template("Hi"))

    stopped = run("stop", "d1")

    assert 1 == stopped.code
    assert "do: reject its review" in stopped.err
    assert "possible: ['approved', 'expired', 'preparing', 'rejected']" in stopped.err


def test_no_proof_is_not_told_as_no_delivery(run: Any, store: Store) -> None:
    run_prepare(store, [person(1)], template=make_template("Hi"))

    assert "There is none of these." == run("deliveries", "--kind", "proof").out.strip()


def test_a_message_of_a_delivery_is_picked_or_asked_for(run: Any, store: Store) -> None:
    run_prepare(store, [person(1), person(12)], template=make_template("Hi {{ name }}"))

    longest = run("preview", "d1", "--pick", "longest", "--json").document["messages"]
    asked = run("preview", "d1", "--recipient", person(1)["recipient_id"]).out.splitlines()

    assert ["Hi Name12"] == [message["text"] for message in longest]
    assert ["Hi Name1"] == asked[1:]


def test_a_template_is_previewed_with_rows_of_a_file(run: Any, template: Path) -> None:
    rows = template.parent / "rows.csv"
    rows.write_text("name,city\nZoé,Lyon\n,Paris\nAna,Rome,extra\n", encoding="utf-8-sig")

    ended = run("preview", str(template), "--data", str(rows), "--json")

    assert 1 == ended.code
    assert ["Hi Zoé", None, "Hi Ana"] == [
        sample.get("text") for sample in ended.document["samples"]
    ]
    assert "the field 'name' is missing" == ended.document["samples"][1]["problem"]
    assert 1 == len(
        run("preview", str(template), "--data", str(rows), "--limit", "1", "--json").document[
            "samples"
        ]
    )


def test_a_preview_names_the_column_that_was_meant(run: Any, template: Path) -> None:
    ended = run("preview", str(template), "--set", "nmae=Zoé")

    assert 1 == ended.code
    assert "smsflow: no column 'name': did you mean 'nmae'?" in ended.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "is not there"),
        (b"", "no rows"),
        (b"name\n", "no rows"),
        ("name\nZo\u00e9\n".encode("latin-1"), "not UTF-8"),
        (b'name\n"' + b"x" * 200_000 + b'"\n', "no CSV"),
    ],
)
def test_a_file_of_rows_that_cannot_be_read_is_told(
    run: Any, template: Path, content: bytes | None, words: str
) -> None:
    rows = template.parent / "rows.csv"
    if content is not None:
        rows.write_bytes(content)

    ended = run("preview", str(template), "--data", str(rows))

    assert (1, "") == (ended.code, ended.out)
    assert words in ended.err
    assert "rows.csv" in ended.err


def test_a_pair_without_an_equals_sign_is_told(run: Any, template: Path) -> None:
    assert "write --set FIELD=VALUE" in run("preview", str(template), "--set", "name").err


def test_a_template_with_problems_is_told_line_by_line(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "bad.sms.j2"
    path.write_text("---\nsendr: ACME\nmax_parts: 99\n---\nHi {{ name }\n")

    ended = run("preview", str(path))

    assert 1 == ended.code
    assert 3 <= len([line for line in ended.err.splitlines() if "bad.sms.j2" in line])


def test_maintenance_catches_up_with_everything(run: Any, store: Store) -> None:
    delivery, ledger = make_sending(store, count=3)
    taken = take(ledger, 3)
    append(store, received(delivery, 1))
    assert "receipts applied: 1" in run("maintain").out
    settle(ledger, taken, OutcomeKind.UNKNOWN)
    slip_past(store, delivery, 2)
    ledger.release()
    with store.transaction() as reader:
        run_prepare(store, [person(1)], delivery_id="d2")
        reader.execute("SELECT count(*) FROM smsflow_messages")
        run_prepare(store, [person(1)], delivery_id="d2")

    ended = run("maintain")

    assert [
        "receipts applied: 0",
        "replies applied: 0",
        "messages in doubt resolved by their receipt: 1",
        "rows of the quarantine forgotten: 0",
        "stopped deliveries closed, their budgets given back: 0",
        "deliveries ended whose validity was over: 0",
        "proofs ended that nobody finished: 0",
        "replaced preparations dropped: 1",
        "keys retired: 0",
        "gateways' ids of messages forgotten: 0",
        "paces of gateways and senders forgotten: 0",
        "old replies forgotten: 0",
        "remembered answers forgotten: 0",
        "deliveries counted again: 1",
        "files of audiences removed: 0",
        "deliveries archived: 0",
    ] == ended.out.splitlines()
    assert {"accepted": 2, "delivered": 2, "unknown": 1} == figures_of(store)


def test_a_reader_that_has_seen_enough_is_no_error(store: Store, store_dsn: str) -> None:
    for number in range(40):
        make_prepared(store, count=0, delivery_id=f"d{number}")
    process = start("deliveries", "--json", "--store", store_dsn)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()

    assert "" == process.stderr.read()
    process.wait(60)
    process.stderr.close()


def test_the_receiver_alone_stores_and_applies_receipts(store: Store, store_dsn: str) -> None:
    delivery, ledger = make_sending(store, count=1)
    settle(ledger, take(ledger, 1), OutcomeKind.ACCEPTED)
    ledger.release()
    message_id = message_id_of(delivery.no, delivery.preparation, 1)
    given = {
        "m": message_id,
        "t": Signer(read_keys(store)).token_of(message_id),
        "type": "1",
    }
    port = _free_port()
    process = start("receiver", "--port", str(port), SMSFLOW_STORE=store_dsn)
    try:
        url = f"http://127.0.0.1:{port}/smsflow/receipts"
        _until_answering(f"{url}/health")
        assert 200 == httpx.get(f"{url}/sms_kannel", params=given).status_code
        _until_delivered(store)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_taken_port_is_told(run: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run("receiver", "--port", str(taken.getsockname()[1]))

    assert (1, "") == (ended.code, ended.out)
    assert "cannot listen" in ended.err


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _until_answering(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            assert 200 == httpx.get(url).status_code
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def _until_delivered(store: Store) -> None:
    deadline = time.monotonic() + 30
    while {"accepted": 1, "delivered": 1} != figures_of(store):
        assert time.monotonic() < deadline
        time.sleep(0.05)
