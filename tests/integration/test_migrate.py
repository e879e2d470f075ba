"""Migrations on a real server: from nothing, twice, two at once, and what they say."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator

import pytest

from smsflow_provider.core.errors import SchemaError, StoreUnreachableError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import list_deliveries
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.core.store.migrate import (
    check_schema,
    current_revision,
    drop,
    migrate,
    newest_revision,
)
from smsflow_provider.testing.gateway import RecordingGateway
from tests.prepared_delivery import approve, make_prepared
from tests.sending import run_send


@pytest.fixture
def empty(postgres: EmbeddedPostgres) -> Iterator[Store]:
    """A database with nothing in it."""
    name = f"e_{uuid.uuid4().hex[:12]}"
    yield Store(postgres.create_database(name))
    postgres.drop_database(name)


def tables_of(store: Store) -> list[str]:
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class"
            " WHERE relname LIKE 'smsflow%%' AND relkind IN ('r', 'p', 'v') ORDER BY relname"
        ).fetchall()
    return [str(row["relname"]) for row in rows]


def functions_of(store: Store) -> list[str]:
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT proname FROM pg_proc WHERE proname LIKE 'smsflow%%'"
        ).fetchall()
    return [str(row["proname"]) for row in rows]


def put_revision(store: Store, revision: str) -> None:
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_alembic_version SET version_num = %s", (revision,))


def test_an_empty_database_has_no_revision_and_says_what_mends_it(empty: Store) -> None:
    assert current_revision(empty) is None

    with pytest.raises(SchemaError, match="smsflow db migrate") as caught:
        check_schema(empty)
    assert {"found": None, "needed": newest_revision()} == caught.value.facts


def test_a_table_that_is_not_there_names_the_command_too(empty: Store) -> None:
    with pytest.raises(SchemaError, match="smsflow db migrate"):
        list_deliveries(empty)


def test_migrating_makes_the_newest_schema_and_again_changes_nothing(empty: Store) -> None:
    assert newest_revision() == migrate(empty)
    make_prepared(empty, count=3)
    before = tables_of(empty)

    assert newest_revision() == migrate(empty) == check_schema(empty) == current_revision(empty)

    assert before == tables_of(empty)
    approve(empty)
    assert 3 == run_send(empty, RecordingGateway())["accepted"]


def test_two_at_once_make_one_schema(empty: Store) -> None:
    barrier = threading.Barrier(2)
    told: list[object] = []

    def work() -> None:
        barrier.wait(10)
        try:
            told.append(migrate(empty))
        except Exception as error:  # noqa: BLE001  the test looks at it
            told.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert [newest_revision()] * 2 == told
    with empty.transaction() as connection:
        row = connection.execute("SELECT count(*) AS n FROM smsflow_keys").fetchone()
    assert row is not None
    assert 2 == row["n"]


def test_every_installation_has_a_signing_key_of_its_own(empty: Store, store: Store) -> None:
    migrate(empty)
    query = "SELECT secret FROM smsflow_keys"
    keys = set()
    for one in (empty, store):
        with one.transaction() as connection:
            keys |= {bytes(row["secret"]) for row in connection.execute(query)}

    assert 4 == len(keys)
    assert {32} == {len(key) for key in keys}


def test_dropping_removes_everything_of_ours_and_nothing_else(store: Store) -> None:
    make_prepared(store, count=2)
    make_prepared(store, count=2, delivery_id="d2")
    with store.transaction() as connection:
        connection.execute("CREATE TABLE customers (id int)")

    drop(store)

    assert ["smsflow_alembic_version"] == tables_of(store)
    assert [] == functions_of(store)
    with store.transaction() as connection:
        connection.execute("SELECT * FROM customers")
    assert newest_revision() == migrate(store)
    assert [] == list_deliveries(store)


def test_dropping_what_is_not_there_changes_nothing(empty: Store) -> None:
    drop(empty)

    assert current_revision(empty) is None


@pytest.mark.parametrize("revision", ["0000", "9999"])
def test_a_schema_that_is_older_or_newer_is_refused_with_both_revisions(
    store: Store, revision: str
) -> None:
    put_revision(store, revision)

    with pytest.raises(SchemaError) as caught:
        check_schema(store)
    assert {"found": revision, "needed": newest_revision()} == caught.value.facts


def test_a_store_out_of_reach_is_said_without_its_password() -> None:
    store = Store("postgresql://smsflow:secret@127.0.0.1:1/smsflow")

    for act in (migrate, check_schema, drop):
        with pytest.raises(StoreUnreachableError) as caught:
            act(store)
        assert "127.0.0.1" == caught.value.facts["host"]
        assert "secret" not in f"{caught.value}{store!r}"
