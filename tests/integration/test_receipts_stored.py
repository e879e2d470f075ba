"""The receiver's way into the store: kept connections, a store that goes and comes, processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import psutil
import pytest
from psycopg import sql

from smsflow_provider.cli.bench.receipts import ReceiptsPlan, measure_receipts
from smsflow_provider.core.delivery.signing import read_signer
from smsflow_provider.core.model import ReceiptKind, Reply
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.group_writer import Item, ReceivedReply
from smsflow_provider.core.store.receipts import ReceivedReceipt
from smsflow_provider.receiver.appender import Appender
from smsflow_provider.receiver.group_commit import BadItemError

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def receipt(number: int = 1, **changed: Any) -> ReceivedReceipt:
    values = {
        "message_id": f"1-1-{number:x}",
        "kind": ReceiptKind.DELIVERED,
        "code": "",
        "gateway_ref": "",
        "received_at": NOON,
        "conn_type": "sms_kannel",
    }
    return ReceivedReceipt(**{**values, **changed})


def reply(text: str = "STOP", *, gateway: str = "sms_gateway", ref: str = "r1") -> ReceivedReply:
    one = Reply(sender="+33600000001", recipient="36111", body=text, gateway_ref=ref)
    return ReceivedReply(gateway=gateway, reply=one, received_at=NOON)


def count(store: Store, table: str) -> int:
    with store.transaction() as connection:
        query = sql.SQL("SELECT count(*) AS n FROM {}").format(sql.Identifier(table))
        row = connection.execute(query).fetchone()
    return int(row["n"]) if row is not None else 0


def kill_backends(store: Store) -> None:
    """End every other connection to this database, as a restart of the server does."""
    with store.transaction() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def run(appender: Appender, *groups: list[Item]) -> None:
    async def each() -> None:
        for group in groups:
            await appender(group)

    try:
        asyncio.run(each())
    finally:
        appender.close()


def test_receipts_and_replies_of_one_group_are_stored_together(store: Store) -> None:
    run(Appender(store), [receipt(1), reply(), receipt(2), reply(ref="r2", gateway="other")])

    assert (2, 2) == (count(store, "smsflow_receipt_inbox"), count(store, "smsflow_replies"))


def test_a_group_with_an_item_that_cannot_be_stored_leaves_nothing_behind(store: Store) -> None:
    bad = receipt(2, code="nul \x00")
    appender = Appender(store)

    with pytest.raises(BadItemError):
        run(appender, [reply(), receipt(1), bad])
    assert (0, 0) == (count(store, "smsflow_receipt_inbox"), count(store, "smsflow_replies"))

    run(appender, [receipt(1)])
    assert 1 == count(store, "smsflow_receipt_inbox")


def test_any_code_and_reference_is_stored_as_it_is(store: Store) -> None:
    odd = "a\tb\\nc\\.\n\r'é😀"
    run(Appender(store), [receipt(1, code=odd, gateway_ref=odd)])

    with store.transaction() as connection:
        row = connection.execute("SELECT code, gateway_ref FROM smsflow_receipt_inbox").fetchone()
    assert {"code": odd, "gateway_ref": odd} == row


def test_a_kept_connection_that_was_lost_costs_no_receipt(store: Store) -> None:
    """The server was restarted while nothing came in."""
    appender = Appender(store)

    async def around_a_restart() -> None:
        await appender([receipt(1)])
        await asyncio.to_thread(kill_backends, store)
        await appender([receipt(2)])

    asyncio.run(around_a_restart())
    appender.close()
    assert 2 == count(store, "smsflow_receipt_inbox")


def test_a_store_that_hangs_is_given_up_and_the_next_group_does_not_wait_for_it(
    store: Store,
) -> None:
    appender = Appender(store)

    async def meet_a_lock() -> None:
        with store.transaction() as other:
            other.execute("LOCK TABLE smsflow_receipt_inbox IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await appender([receipt(1)])
        began_s = time.monotonic()
        await appender([receipt(2)])
        assert time.monotonic() - began_s < 5

    asyncio.run(meet_a_lock())
    appender.close()
    with store.transaction() as connection:
        rows = connection.execute("SELECT position FROM smsflow_receipt_inbox").fetchall()
    assert [2] == [row["position"] for row in rows]


@contextmanager
def receiver(store: Store, *, workers: int) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    command = [sys.executable, "-m", "smsflow_provider.cli.main", "receiver"]
    with subprocess.Popen(
        [*command, "--port", str(port), "--workers", str(workers)],
        env={**os.environ, "SMSFLOW_STORE": store.dsn},
    ) as process:
        try:
            until(lambda: is_open(port))
            yield process, f"http://127.0.0.1:{port}/smsflow/receipts/sms_kannel"
        finally:
            process.kill()


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def until(is_so: Any, *, within_s: float = 40) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def children_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def report(store: Store, url: str, number: int) -> int:
    name = f"1-1-{number:x}"
    given = {"m": name, "t": read_signer(store).token_of(name), "type": "1"}
    return httpx.get(url, params=given, timeout=30).status_code


def test_several_processes_share_a_port_and_one_that_dies_is_replaced(store: Store) -> None:
    with receiver(store, workers=2) as (process, url):
        until(lambda: len(children_of(process)) == 2)
        assert {200} == {report(store, url, number) for number in range(1, 9)}
        time.sleep(2.5)
        first = children_of(process)[0]
        first.kill()
        until(lambda: len(living := children_of(process)) == 2 and first not in living)
        assert 200 == report(store, url, 9)
        children = children_of(process)
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(30)

    assert [] == [one for one in children if one.is_running()]
    with store.transaction() as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM smsflow_receipt_inbox)"
            " + (SELECT count(*) FROM smsflow_stray_receipts) AS n"
        ).fetchone()
    assert {"n": 9} == row


def test_no_process_outlives_a_parent_that_was_killed(store: Store) -> None:
    with receiver(store, workers=2) as (process, _):
        until(lambda: len(children_of(process)) == 2)
        children = children_of(process)
        process.kill()
        process.wait(10)

        until(lambda: not any(one.is_running() for one in children))


def test_a_receiver_killed_in_the_middle_loses_nothing_it_acknowledged() -> None:
    """The benchmark in small: a durable server of its own, SIGKILL under load."""
    found = measure_receipts(ReceiptsPlan(receipts=3000, connections=32), say=lambda _: None)

    assert (3000, 0, 0) == (found.receipts, found.refused, found.lost)
    assert found.acknowledged_before_kill > 0
    assert ("on", "on") == (found.fsync, found.synchronous_commit)
