"""The keys that sign callback addresses: rotated without losing a receipt, retired in time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from smsflow_provider.cli.main import main
from smsflow_provider.core.delivery.signing import read_signer
from smsflow_provider.core.delivery.tokens import Signer, inbound_name
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.keys import (
    CALLBACK,
    INBOUND,
    KeyFacts,
    list_keys,
    read_keys,
    retire,
    rotate,
)
from tests.prepared_delivery import make_prepared

NOW = timedelta(0)
WEEK = timedelta(days=7)


def shift_keys(store: Store, *, days: float) -> None:
    """Let time pass for the keys."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_keys"
            " SET created_at = created_at - %(by)s, signs_from = signs_from - %(by)s",
            {"by": timedelta(days=days)},
        )


def began(store: Store, *, began_days: float, ended_days: float | None, state: str) -> None:
    """Make a delivery that was sent some days ago; ``validity_s`` is a day."""
    delivery = make_prepared(store, count=1)
    with store.transaction() as connection:
        connection.execute("ALTER TABLE smsflow_deliveries DISABLE TRIGGER USER")
        connection.execute(
            "UPDATE smsflow_deliveries SET state = %(state)s, validity_s = 86400,"
            " sending_at = now() - %(began)s, ended_at = now() - %(ended)s::interval"
            " WHERE no = %(no)s",
            {
                "state": state,
                "began": timedelta(days=began_days),
                "ended": None if ended_days is None else timedelta(days=ended_days),
                "no": delivery.no,
            },
        )


def of_callbacks(store: Store) -> list[KeyFacts]:
    return [key for key in list_keys(store) if key.purpose == CALLBACK]


def test_a_fresh_store_has_a_key_that_signs_for_each_purpose(store: Store) -> None:
    assert [1, 1] == [len(read_keys(store)), len(read_keys(store, INBOUND))]
    assert [(CALLBACK, True), (INBOUND, True)] == [
        (key.purpose, key.is_signing) for key in list_keys(store)
    ]


def test_a_new_key_verifies_at_once_and_signs_later(store: Store) -> None:
    (old,) = read_keys(store)
    rotate(store)

    first, new = read_keys(store)
    assert old == first != new
    token = Signer([new]).token_of("2a-1-1")
    assert Signer(read_keys(store)).verify("2a-1-1", token)
    shift_keys(store, days=1)
    assert [new, old] == read_keys(store)


def test_what_the_old_key_signed_is_still_verified(store: Store) -> None:
    token = Signer(read_keys(store)).token_of("2a-1-1")
    rotate(store, signs_after=NOW)

    assert Signer(read_keys(store)).verify("2a-1-1", token)
    assert token != Signer(read_keys(store)).token_of("2a-1-1")


def test_the_key_that_signs_is_never_retired(store: Store) -> None:
    shift_keys(store, days=1000)

    assert 0 == retire(store, older_than=NOW)
    assert 1 == len(read_keys(store))


def test_an_old_key_is_retired_when_the_new_one_has_signed_for_long_enough(store: Store) -> None:
    rotate(store, signs_after=NOW)
    assert 0 == retire(store)

    shift_keys(store, days=7.1)
    assert 1 == retire(store)
    (_, new) = of_callbacks(store)
    assert new.is_signing
    assert 1 == len(read_keys(store))


def test_a_key_that_does_not_sign_yet_replaces_none(store: Store) -> None:
    rotate(store, signs_after=timedelta(days=1))

    assert 0 == retire(store, older_than=NOW)
    assert 2 == len(read_keys(store))


@pytest.mark.parametrize(
    ("began_days", "ended_days", "state", "retired"),
    [
        (30, None, "sending", 0),
        (30, None, "paused", 0),
        (30, 7.9, "finished", 0),
        (30, 8.1, "finished", 1),
        (30, 2, "stopped", 0),
        (30, 9, "sending", 0),
        (5, None, "sending", 1),
    ],
    ids=[
        "a sender may still use it",
        "a paused one too",
        "seven days and the validity have not passed",
        "they have passed",
        "a stopped one gets receipts too",
        "a resend under way",
        "it began long after the new key",
    ],
)
def test_a_key_outlives_the_deliveries_that_began_under_it(
    store: Store, began_days: float, ended_days: float | None, state: str, retired: int
) -> None:
    rotate(store, signs_after=NOW)
    shift_keys(store, days=20)
    began(store, began_days=began_days, ended_days=ended_days, state=state)

    assert retired == retire(store)


def test_keys_of_one_purpose_leave_those_of_another_alone(store: Store) -> None:
    before = read_keys(store)
    assert [] == read_keys(store, "replies")
    rotate(store, "replies")

    assert before == read_keys(store)
    (first,) = read_keys(store, "replies")
    assert all(key.is_signing for key in list_keys(store))
    assert len(first) == 32


def test_addresses_of_replies_outlive_the_keys_of_receipts(store: Store) -> None:
    """A person has entered them at the gateway: nobody would enter them again."""
    inbound, message = inbound_name("sms_kannel"), "2a-1-1"
    tokens = [read_signer(store).token_of(name) for name in (inbound, message)]
    rotate(store, signs_after=NOW)
    shift_keys(store, days=30)
    assert 1 == retire(store)

    signer = read_signer(store)
    assert signer.verify(inbound, tokens[0])
    assert not signer.verify(message, tokens[1])
    rotate(store, INBOUND, signs_after=NOW)
    assert read_signer(store).verify(inbound, tokens[0])


def test_rotating_twice_at_once_makes_two_keys(store: Store) -> None:
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: rotate(store, signs_after=NOW), range(2)))

    assert 3 == len(set(read_keys(store)))
    assert 1 == sum(key.is_signing for key in of_callbacks(store))


def test_the_command_shows_numbers_and_never_a_secret(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == main(["keys", "rotate", "--store", store_dsn])
    assert 0 == main(["keys", "retire", "--store", store_dsn])
    assert 0 == main(["keys", "show", "--store", store_dsn])

    said = capsys.readouterr().out
    assert "signs in 10 minutes" in said
    assert "0 keys retired." in said
    assert "   1  callback   0 hours    signs\n" in said
    assert "verifies, signs from" in said
    assert not any(secret.hex() in said or repr(secret) in said for secret in read_keys(store))


def test_the_command_says_why_an_older_key_stays(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == main(["keys", "retire", "--store", store_dsn])
    alone = capsys.readouterr().out
    rotate(store, signs_after=NOW)
    assert 0 == main(["keys", "retire", "--store", store_dsn])

    assert "0 keys retired.\nThe older ones stay" in capsys.readouterr().out
    assert "The older ones" not in alone


def test_an_age_that_is_none_is_refused(store_dsn: str) -> None:
    with pytest.raises(SystemExit):
        main(["keys", "retire", "--older-than", "soon", "--store", store_dsn])
