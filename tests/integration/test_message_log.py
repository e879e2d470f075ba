"""Pages of a delivery's messages, with their states."""

from __future__ import annotations

import json
from itertools import combinations, pairwise, product

import pytest

from smsflow_provider.cli.main import main
from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.delivery.message_log import message_log
from smsflow_provider.core.delivery.resend import resend
from smsflow_provider.core.model import OutcomeKind, ReceiptKind, message_id_of
from smsflow_provider.core.states import MessageState
from smsflow_provider.core.store.archive import archive
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.kept_connection import KeptStore
from smsflow_provider.core.store.lease import claim
from smsflow_provider.core.store.ledger_rows import Settled
from smsflow_provider.core.store.message_log import read_message_log
from smsflow_provider.core.store.statements import statements
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

    found = read_message_log(store, delivery, states=[state], limit=1000)
    later = read_message_log(store, delivery, states=[state], limit=1000, after=2)

    assert expected[:1000] == found
    assert [row for row in expected if row["position"] > 2][:1000] == later


#: What may stand in the store of one message: attempts that were marked, outcomes by attempt, a
#: receipt. Also what no sender leaves there: what a page says of it must be the same all the same.
LEDGERS = list(
    product(
        [(), (0,), (0, 1)],
        [
            (),
            *[((0, kind),) for kind in OutcomeKind],
            ((0, OutcomeKind.NOT_SENT), (1, OutcomeKind.ACCEPTED)),
            ((0, OutcomeKind.FAILED), (1, OutcomeKind.NOT_SENT)),
            ((0, OutcomeKind.ACCEPTED), (1, OutcomeKind.UNKNOWN)),
            ((1, OutcomeKind.EXPIRED),),
        ],
        [None, *ReceiptKind],
    )
)


def make_every_ledger(store: Store) -> Delivery:
    """Make a delivery with one message for each of ``LEDGERS``, and chunks that may hold any."""
    delivery = make_prepared(store, count=len(LEDGERS))
    one = delivery.preparation
    marks, outcomes, receipts = [], [], []
    for position, (attempts, settled, receipt) in enumerate(LEDGERS, start=1):
        marks += [(one, position, attempt) for attempt in attempts]
        outcomes += [(one, position, attempt, kind.value) for attempt, kind in settled]
        receipts += [(one, position, utc_now(), receipt.value)] if receipt else []
    with store.transaction() as connection, connection.cursor() as cursor:
        for table, columns, rows in (
            ("marks", "attempt, epoch", [(*row, 1) for row in marks]),
            ("outcomes", "attempt, kind", outcomes),
            ("receipts", "received_at, kind", receipts),
        ):
            places = ", ".join(["%s"] * len(rows[0]))
            cursor.executemany(
                f"INSERT INTO smsflow_{table} (preparation, position, {columns})"  # noqa: S608
                f" VALUES ({places})".encode(),
                rows,
            )
        cursor.execute(
            "UPDATE smsflow_chunks SET accepted = 9, failed = 1, unknown = 1, cancelled = 1,"
            " expired = 1, delivered = 1, undelivered = 1, next_position = 2"
        )
    return delivery


def test_several_states_give_what_filtering_all_of_them_gives_page_by_page(store: Store) -> None:
    delivery = make_every_ledger(store)
    everything = read_message_log(store, delivery, limit=1000)
    assert {*MessageState} == {row["state"] for row in everything}

    with KeptStore(store) as kept:
        for states in [*map(list, MessageState), *combinations(MessageState, 2), [*MessageState]]:
            found: list[Row] = []
            while page := read_message_log(
                kept,
                delivery,
                states=states,
                limit=29,
                after=found[-1]["position"] if found else 0,
            ):
                found += page
            assert [row for row in everything if row["state"] in states] == found


def test_what_expired_before_it_left_and_goes_again_is_found(store: Store) -> None:
    make_prepared(store, count=1500)
    approve(store)
    ledger = claim(store, find_delivery(store, "d1"), owner="t", lease_s=60)
    assert ledger is not None
    ledger.begin(actor="t")
    ledger.close_rest(OutcomeKind.EXPIRED, "validity_over")
    ledger.finish(actor="t")
    ledger.release()
    resend(store, "d1", kinds=frozenset({OutcomeKind.EXPIRED}), actor="t")

    page = read_message_log(store, find_delivery(store, "d1"), states=["sending"], limit=2)

    assert [1, 2] == [row["position"] for row in page]


def test_a_page_says_what_the_view_of_states_says(store: Store) -> None:
    delivery = make_every_ledger(store)
    with store.transaction() as connection:
        expected = connection.execute(
            "SELECT position, recipient_id, phone, parts, state, code, gateway_ref, changed_at"
            " FROM smsflow_message_states ORDER BY position"
        ).fetchall()

    assert expected == read_message_log(store, delivery, limit=1000)


@pytest.mark.parametrize(
    "states", [[], ["failed", "unknown"], ["undelivered"], ["accepted"], ["sending", "prepared"]]
)
def test_a_page_walks_indexes_of_its_own_partitions_between_two_positions(
    store: Store, states: list[str]
) -> None:
    """Else a page deep in a large delivery, or among many deliveries, would take seconds."""
    make_sent(store)
    make_prepared(store, count=1, delivery_id="d2")
    values = {"preparation": 1, "after": 1200, "limit": 50, "states": states}
    with store.transaction() as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        text = "EXPLAIN " + statements("message_log")["message_page"]
        plan = [str(row["QUERY PLAN"]) for row in connection.execute(text.encode(), values)]

    walks = [bound for line, bound in pairwise(plan) if "_p1_pkey on" in line]
    assert len(walks) >= 5
    assert [] == [bound for bound in walks if '"position"' not in bound]
    assert [] == [line for line in plan if "_p2" in line or "Seq Scan on smsflow_m" in line]


def test_what_waits_for_another_attempt_counts_as_sending(store: Store) -> None:
    make_sent(store)

    page = read_message_log(store, find_delivery(store, "d1"), states=["sending"], limit=1)

    assert [4] == [row["position"] for row in page]


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_has_a_length_within_bounds(store: Store, limit: int) -> None:
    make_prepared(store, count=1)

    with pytest.raises(ValueError, match="page"):
        read_message_log(store, find_delivery(store, "d1"), limit=limit)


def test_people_see_masked_numbers_page_by_page(store: Store) -> None:
    make_sent(store)

    first = message_log(store, "d1", states=[MessageState.FAILED], limit=1)
    second = message_log(store, "d1", states=[MessageState.FAILED], limit=1, after=first["next"])
    last = message_log(store, "d1", states=[MessageState.FAILED], limit=1, after=second["next"])

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
