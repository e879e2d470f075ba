"""Pages of a delivery's messages, with their states."""

from __future__ import annotations

import json

import pytest

from smsflow_provider.cli.main import main
from smsflow_provider.core.delivery.message_log import message_log
from smsflow_provider.core.model import OutcomeKind, message_id_of
from smsflow_provider.core.states import MessageState
from smsflow_provider.core.store.archive import archive
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery
from smsflow_provider.core.store.lease import claim
from smsflow_provider.core.store.ledger_rows import Settled
from smsflow_provider.core.store.message_log import read_message_log
from tests.integration.test_archive import age, make_finished
from tests.prepared_delivery import approve, make_prepared
from tests.sending import tick

#: Kinds by position, over three chunks; the others are not taken.
SETTLED = {
    1: OutcomeKind.ACCEPTED,
    2: OutcomeKind.FAILED,
    3: OutcomeKind.UNKNOWN,
    4: OutcomeKind.NOT_SENT,
    1500: OutcomeKind.FAILED,
}


def make_sent(store: Store) -> None:
    """Take 1,500 of 2,500 messages; a few came back, and one was reported on."""
    make_prepared(store, count=2500)
    approve(store)
    ledger = claim(store, find_delivery(store, "d1"), owner="t", lease_s=60)
    assert ledger is not None
    ledger.begin(actor="t")
    tick(ledger, wanted=1500)
    tick(ledger, settled=[Settled(position, 0, kind) for position, kind in SETTLED.items()])
    ledger.release()


def test_pages_follow_each_other_without_a_gap(store: Store) -> None:
    make_sent(store)
    delivery = find_delivery(store, "d1")
    found: list[int] = []
    while page := read_message_log(store, delivery, after=found[-1] if found else 0, limit=999):
        found += [row["position"] for row in page]

    assert list(range(1, 2501)) == found


@pytest.mark.parametrize(
    "state",
    ["prepared", "sending", "accepted", "delivered", "failed", "unknown", "cancelled", "nonsense"],
)
def test_a_state_gives_what_filtering_all_of_them_gives(store: Store, state: str) -> None:
    make_sent(store)
    delivery = find_delivery(store, "d1")
    everything = [
        row
        for after in range(0, 2500, 500)
        for row in read_message_log(store, delivery, after=after, limit=500)
    ]
    expected = [row for row in everything if row["state"] == state]

    found = read_message_log(store, delivery, state=state, limit=1000)
    later = read_message_log(store, delivery, state=state, limit=1000, after=2)

    assert expected[:1000] == found
    assert [row for row in expected if row["position"] > 2][:1000] == later


def test_what_waits_for_another_attempt_counts_as_sending(store: Store) -> None:
    make_sent(store)

    page = read_message_log(store, find_delivery(store, "d1"), state="sending", limit=1)

    assert [4] == [row["position"] for row in page]


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_has_a_length_within_bounds(store: Store, limit: int) -> None:
    make_prepared(store, count=1)

    with pytest.raises(ValueError, match="page"):
        read_message_log(store, find_delivery(store, "d1"), limit=limit)


def test_people_see_masked_numbers_page_by_page(store: Store) -> None:
    make_sent(store)

    first = message_log(store, "d1", state=MessageState.FAILED, limit=1)
    second = message_log(store, "d1", state=MessageState.FAILED, limit=1, after=first["next"])
    last = message_log(store, "d1", state=MessageState.FAILED, limit=1, after=second["next"])

    assert [[2], [1500], []] == [
        [one["position"] for one in page["messages"]] for page in (first, second, last)
    ]
    assert [2, 1500, None] == [page["next"] for page in (first, second, last)]
    (one,) = first["messages"]
    assert ("failed", "·") == (one["state"], one["phone"][4])
    delivery = find_delivery(store, "d1")
    assert one["message_id"] == message_id_of(delivery.no, delivery.preparation, 2)


def test_the_command_prints_a_page_and_says_how_to_go_on(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_sent(store)
    words = ["log", "d1", "--store", store_dsn]

    assert 0 == main([*words, "--limit", "3"])
    lines = capsys.readouterr().out.splitlines()
    assert ["accepted", "failed", "unknown"] == [line.split()[2] for line in lines[:3]]
    assert "Perhaps there are more: --after 3" == lines[3]
    assert 0 == main([*words, "--state", "failed", "--after", "2", "--json"])
    assert [1500] == [one["position"] for one in json.loads(capsys.readouterr().out)["messages"]]
    assert 0 == main([*words, "--state", "delivered"])
    assert "There is none of these.\n" == capsys.readouterr().out
    assert 1 == main([*words, "--limit", "1001"])


def test_of_an_archived_delivery_it_says_where_the_messages_are(store: Store) -> None:
    make_finished(store)
    age(store, 31)
    archive(store, "d1", folder=None)

    page = message_log(store, "d1")

    assert ([], None, "") == (page["messages"], page["next"], page["archived"]["uri"])
