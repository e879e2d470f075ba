"""Maintenance: every chore stands alone, and retention takes what ended long ago."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from smsflow_provider.cli.main import main
from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.delivery.maintain import (
    ASKING,
    WORDS,
    Chore,
    Done,
    Upkeep,
    maintain,
)
from smsflow_provider.core.delivery.replies import apply_all_replies
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.errors import ConfigError, StoreUnreachableError
from smsflow_provider.core.gateways.base import Gateway
from smsflow_provider.core.model import Reply
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery
from smsflow_provider.core.store.opt_outs import iterate_opt_outs
from smsflow_provider.core.store.replies import append_replies, iterate_replies, prune_replies
from smsflow_provider.core.store.used_gateways import recent_gateways
from smsflow_provider.testing.gateway import RecordingGateway
from tests.integration.test_archive import age, make_finished, partitions_of

OpenGateway = Callable[[str], AbstractAsyncContextManager[Gateway]]

UNREACHABLE = "host=127.0.0.1 port=1 dbname=x user=x password=secret"


def gateways(**broken: Exception) -> OpenGateway:
    """Open a recording gateway for every connection but the *broken* ones."""

    @asynccontextmanager
    async def open_gateway(conn_id: str) -> AsyncIterator[Gateway]:
        if conn_id in broken:
            raise broken[conn_id]
        yield RecordingGateway()

    return open_gateway


def test_without_connections_no_gateway_is_asked(store: Store) -> None:
    done = [one.chore for one in maintain(store, Upkeep())]

    assert [chore for chore in Chore if chore not in ASKING] == done


def test_a_gateway_that_is_gone_is_told_and_the_others_are_asked(store: Store) -> None:
    make_finished(store, count=1)
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET template = template ||"
            ' \'{"settings": {"sending": {"failover": {"gateway": "second"}}}}\''
        )
    assert ["second", "sms_gateway"] == recent_gateways(store, days=14)
    upkeep = Upkeep(open_gateway=gateways(second=ConfigError("there is no such connection")))

    done = {one.chore: one for one in maintain(store, upkeep)}

    assert "second: there is no such connection" in done[Chore.POLLS].problem
    assert "" == done[Chore.LOOKUPS].problem


def test_every_chore_has_its_words() -> None:
    assert set(Chore) == set(WORDS)


def test_all_chores_are_done_in_their_order(store: Store) -> None:
    told: list[Done] = []

    done = maintain(store, Upkeep(open_gateway=gateways()), on_done=told.append)

    assert list(Chore) == [one.chore for one in done]
    assert done == told
    assert [""] * len(done) == [one.problem for one in done]


def test_a_chore_that_fails_is_told_and_the_others_are_done(store: Store, tmp_path: Path) -> None:
    make_finished(store)
    age(store, 30)
    with store.transaction() as connection:
        connection.execute("DROP TABLE smsflow_reservations")

    done = {one.chore: one for one in maintain(store, Upkeep(archive=tmp_path))}

    assert "db migrate" in done[Chore.STOPPED].problem
    assert "" == done[Chore.REPLACED].problem
    assert str(done[Chore.STOPPED]).startswith("failed, stopped: ")


def test_without_a_store_nothing_is_done() -> None:
    with pytest.raises(StoreUnreachableError):
        maintain(Store(UNREACHABLE), Upkeep())


def test_nothing_is_dropped_unless_retention_is_set(store: Store) -> None:
    delivery = make_finished(store)
    age(store, 4000)

    maintain(store, Upkeep())

    assert 5 == len(partitions_of(store, delivery))


def test_retention_archives_what_ended_long_ago(store: Store, tmp_path: Path) -> None:
    for number in range(1, 4):
        make_finished(store, count=2, delivery_id=f"d{number}")
    for number in (1, 2):
        age(store, 31, delivery_id=f"d{number}")
    upkeep = Upkeep(retention_days=30, archive=tmp_path)

    first = maintain(store, upkeep, only=[Chore.RETENTION])
    again = maintain(store, upkeep, only=[Chore.RETENTION])

    assert ([2], [0]) == ([one.count for one in first], [one.count for one in again])
    assert 2 == len(list(tmp_path.iterdir()))
    assert 5 == len(partitions_of(store, find_delivery(store, "d3")))


def test_small_deliveries_share_a_folder(store: Store, tmp_path: Path) -> None:
    for number in range(1, 4):
        make_finished(store, count=1, delivery_id=f"d{number}")
        age(store, 31, delivery_id=f"d{number}")
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_deliveries SET kind = 'direct' WHERE id <> 'd3'")

    maintain(store, Upkeep(retention_days=30, archive=tmp_path), only=[Chore.RETENTION])

    shared, own = (Path(report(store, name)["archived"]["uri"]) for name in ("d1", "d3"))
    assert shared == Path(report(store, "d2")["archived"]["uri"])
    assert ["d1", "d2"] == pl.read_parquet(shared / "messages.parquet")["delivery"].to_list()
    assert ["d3"] == pl.read_parquet(own / "messages.parquet")["delivery"].to_list()


def test_what_is_in_use_is_left_for_the_next_time(store: Store, tmp_path: Path) -> None:
    make_finished(store)
    age(store, 31)
    upkeep = Upkeep(retention_days=30, archive=tmp_path)
    with store.connect() as reader:
        reader.execute("SELECT 1 FROM smsflow_messages LIMIT 1")
        (done,) = maintain(store, upkeep, only=[Chore.RETENTION])

    assert (0, "") == (done.count, done.problem)
    assert [1] == [one.count for one in maintain(store, upkeep, only=[Chore.RETENTION])]


def test_an_archive_that_cannot_be_written_keeps_everything(store: Store, tmp_path: Path) -> None:
    delivery = make_finished(store)
    age(store, 31)
    blocked = tmp_path / "a file, not a folder"
    blocked.write_text("")

    (done,) = maintain(store, Upkeep(retention_days=30, archive=blocked), only=[Chore.RETENTION])

    assert "could not be archived and are still in the store" in done.problem
    assert "Not a directory" in done.problem
    assert 5 == len(partitions_of(store, delivery))


def test_less_than_eight_days_are_refused(store: Store) -> None:
    (done,) = maintain(store, Upkeep(retention_days=7), only=[Chore.RETENTION])

    assert "8 days at the least" in done.problem


def test_the_command_does_one_chore_and_answers_programs(
    store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["maintain", "--store", store_dsn, "--only", "replaced", "--json"])

    assert 0 == code
    assert [{"chore": "replaced", "count": 0, "problem": ""}] == json.loads(capsys.readouterr().out)


def test_the_command_ends_with_1_when_a_chore_fails(
    store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["maintain", "--store", store_dsn, "--retention-days", "3", "--archive", "none"]

    assert 1 == main(words)
    lines = capsys.readouterr().out.splitlines()
    assert len(Chore) - len(ASKING) == len(lines)
    assert lines[-1].startswith("failed, retention: messages are kept for 8 days")


def test_the_command_asks_gateways_through_airflow_only(
    store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == main(["maintain", "--store", store_dsn, "--only", "lookups"])
    assert "Airflow's connections" in capsys.readouterr().err


def test_the_command_asks_where_messages_go(
    store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == main(["maintain", "--store", store_dsn, "--retention-days", "30"])
    assert "--archive FOLDER" in capsys.readouterr().err


def test_the_command_archives_into_a_folder(
    store: Store, store_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_finished(store)
    age(store, 31)
    words = ["maintain", "--store", store_dsn, "--only", "retention", "--retention-days", "30"]

    assert 0 == main([*words, "--archive", str(tmp_path / "archive")])
    assert "deliveries archived: 1\n" == capsys.readouterr().out
    assert 0 == main(["report", "d1", "--store", store_dsn])
    assert f"{tmp_path}/archive/p" in capsys.readouterr().out
    assert 1 == main(["why", "+33600000001", "--delivery", "d1", "--store", store_dsn])
    assert "left the store" in capsys.readouterr().out


def replied(store: Store, days_ago: int, phone: str, body: str, *, is_applied: bool = True) -> None:
    """Let a reply have come in so many days ago."""
    with store.transaction() as connection:
        at = utc_now() - timedelta(days=days_ago)
        append_replies(
            connection, "kannel", [Reply(sender=phone, recipient="36111", body=body)], at
        )
    if is_applied:
        apply_all_replies(store)


def test_old_replies_are_forgotten_and_their_opt_outs_are_not(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    replied(store, 41, "+33612345678", "STOP")
    replied(store, 41, "+33612345679", "who is this?")
    replied(store, 39, "+33612345679", "stop it")
    replied(store, 41, "+33612345670", "nobody has read this", is_applied=False)
    words = ["maintain", "--store", store_dsn, "--only", "old_replies", "--replies-days"]

    codes = [main([*words, days]) for days in ("0", "40", "40", "29")]

    assert [0, 0, 0, 1] == codes
    told = capsys.readouterr().out.splitlines()
    assert [f"old replies forgotten: {count}" for count in (0, 2, 0)] == told[:3]
    assert told[3].startswith("failed, old_replies: replies are kept for 30 days at the least")
    left = [one.body for page in iterate_replies(store) for one in page]
    assert ["nobody has read this", "stop it"] == left
    assert 33612345678 in {one.phone for page in iterate_opt_outs(store) for one in page}


def test_replies_are_forgotten_a_page_at_a_time(store: Store) -> None:
    for number in range(5):
        replied(store, 41, f"+3361234567{number}", "hello")

    assert 5 == prune_replies(store, days=40, page=2)
