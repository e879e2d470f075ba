"""What failures say about numbers, on a real PostgreSQL: hard at once, soft by count."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_provider.core.delivery.published import publish_rules
from smsflow_provider.core.delivery.replies import apply_all_replies
from smsflow_provider.core.model import (
    Outcome,
    OutcomeKind,
    ReceiptKind,
    Reply,
    message_id_of,
)
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.opt_outs import OptOut, iterate_opt_outs
from smsflow_provider.core.store.qualified import (
    LIMITS,
    OWN,
    SHIPPED,
    Limits,
    Qualifier,
    note_failed,
    note_final_receipts,
    read_qualifier,
)
from smsflow_provider.core.store.quarantine import add_quarantined, age_quarantine, load_quarantine
from smsflow_provider.core.store.receipts import apply_all_receipts
from smsflow_provider.core.store.replies import append_replies
from smsflow_provider.core.store.rules import publish
from smsflow_provider.testing.gateway import RecordingGateway
from tests.core.delivery.receiving import append, make_sending, received, settle, take
from tests.prepared_delivery import approve, make_prepared
from tests.sending import run_send

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TABLES = {"sms_test": {"1": "hard", "27": "soft", "8": "none", "10": "opt_out", "*": "soft"}}


@pytest.fixture
def preparation(store: Store) -> int:
    """Ten messages to ten numbers, and rules."""
    with store.transaction() as connection:
        publish(connection, SHIPPED, TABLES, is_whole=False)
    return make_prepared(store, count=10).preparation


def receipt(preparation: int, position: int = 1, **changed: Any) -> dict[str, Any]:
    row = {
        "preparation": preparation,
        "position": position,
        "kind": "undelivered",
        "code": "27",
        "conn_type": "sms_test",
        "received_at": NOON,
    }
    return row | changed


def note(store: Store, *rows: dict[str, Any]) -> int:
    with store.transaction() as connection:
        return note_final_receipts(connection, rows)


def noted(store: Store) -> list[dict[str, Any]]:
    with store.transaction() as connection:
        return connection.execute("SELECT * FROM smsflow_quarantine ORDER BY phone").fetchall()


def errors_of(store: Store) -> list[int]:
    return [row["errors"] for row in noted(store)]


def in_quarantine(store: Store) -> int:
    return len(load_quarantine(store))


def with_limits(store: Store, limits: Limits) -> None:
    with store.transaction() as connection:
        publish(connection, LIMITS, {"own": limits.as_document()}, is_whole=True)


def test_a_hard_error_quarantines_at_once(store: Store, preparation: int) -> None:
    assert 1 == note(store, receipt(preparation, code="1"))

    (row,) = noted(store)
    assert NOON == row["quarantined_at"]
    assert ("sms_test 1", "receipts", 1) == (row["reason"], row["source"], row["errors"])


def test_a_hard_error_quarantines_at_once_behind_a_soft_one(store: Store, preparation: int) -> None:
    note(store, receipt(preparation))
    assert 1 == note(store, receipt(preparation, code="1", received_at=NOON + DAY / 24))

    assert 1 == in_quarantine(store)


def test_soft_errors_quarantine_when_five_have_counted(store: Store, preparation: int) -> None:
    for day in range(4):
        assert 0 == note(store, receipt(preparation, received_at=NOON + day * DAY))
    assert [4] == errors_of(store)
    assert 0 == in_quarantine(store)

    assert 1 == note(store, receipt(preparation, received_at=NOON + 4 * DAY))
    assert 1 == in_quarantine(store)


def test_soft_errors_within_a_day_are_one(store: Store, preparation: int) -> None:
    for hour in range(0, 24, 2):
        note(store, receipt(preparation, received_at=NOON + hour * DAY / 24))

    assert [1] == errors_of(store)
    assert NOON == noted(store)[0]["last_error_at"]


def test_an_old_count_is_forgotten_by_the_next_error(store: Store, preparation: int) -> None:
    for day in (0, 1, 2, 12.1):
        note(store, receipt(preparation, received_at=NOON + day * DAY))

    assert [1] == errors_of(store)


def test_a_message_that_arrives_clears_the_count(store: Store, preparation: int) -> None:
    note(store, receipt(preparation), receipt(preparation, 2))
    note(store, receipt(preparation, kind="delivered", received_at=NOON + DAY))

    assert 1 == len(noted(store))


def test_one_that_arrived_before_the_error_clears_nothing(store: Store, preparation: int) -> None:
    note(store, receipt(preparation))
    note(store, receipt(preparation, kind="delivered", received_at=NOON - DAY))

    assert [1] == errors_of(store)


def test_a_message_that_arrives_lets_nobody_out_of_quarantine(
    store: Store, preparation: int
) -> None:
    note(store, receipt(preparation, code="1"))
    note(store, receipt(preparation, kind="delivered", received_at=NOON + DAY))

    assert 1 == in_quarantine(store)


def test_a_hand_made_entry_stays_as_it_is(store: Store, preparation: int) -> None:
    with store.transaction() as connection:
        rows = connection.execute("SELECT phone FROM smsflow_messages WHERE position = 1")
        (row,) = rows.fetchall()
    add_quarantined(store, [row["phone"]], reason="a letter came back", source="person")

    assert 0 == note(store, receipt(preparation, code="1"))
    assert ["a letter came back"] == [row["reason"] for row in noted(store)]


@pytest.mark.parametrize(
    ("kind", "code", "errors"),
    [
        ("undelivered", "8", []),
        ("accepted", "1", []),
        ("delivered", "1", []),
        ("undelivered", "never seen", [1]),
        ("undelivered", "", [1]),
        ("undelivered", "0027", [1]),
        ("undelivered", "001", [1]),
    ],
)
def test_what_counts_is_said_by_kind_and_code(
    store: Store, preparation: int, kind: str, code: str, errors: list[int]
) -> None:
    note(store, receipt(preparation, kind=kind, code=code))

    assert errors == errors_of(store)
    assert in_quarantine(store) == (code == "001")


def test_a_whole_story_in_one_batch_reads_like_one_by_one(store: Store, preparation: int) -> None:
    story = [receipt(preparation, received_at=NOON + day * DAY) for day in range(3)]
    arrived = receipt(preparation, kind="delivered", received_at=NOON + 3.5 * DAY)
    later = receipt(preparation, received_at=NOON + 5 * DAY)
    note(store, later, *reversed(story), arrived)

    assert [1] == errors_of(store)
    assert NOON + 5 * DAY == noted(store)[0]["last_error_at"]


def test_one_that_arrives_first_in_a_batch_leaves_the_error_behind_it(
    store: Store, preparation: int
) -> None:
    note(
        store,
        receipt(preparation, kind="delivered"),
        receipt(preparation, received_at=NOON + DAY),
        receipt(preparation, 2, received_at=NOON),
        receipt(preparation, 2, kind="delivered", received_at=NOON + DAY),
    )

    assert [1] == errors_of(store)


def test_receipts_of_dropped_messages_are_passed_over(store: Store, preparation: int) -> None:
    assert 0 == note(store, receipt(preparation + 99, code="1"), receipt(preparation, 4711))

    assert [] == noted(store)


def test_refusals_count_by_their_own_row_only(store: Store, preparation: int) -> None:
    rows = [
        {"position": 1, "code": "1", "conn_type": "sms_test"},
        {"position": 2, "code": "27", "conn_type": "sms_test"},
        {"position": 3, "code": "never seen", "conn_type": "sms_test"},
        {"position": 4, "code": "8", "conn_type": "sms_test"},
        {"position": 5, "code": "1", "conn_type": "sms_other"},
    ]
    with store.transaction() as connection:
        assert 1 == note_failed(connection, preparation, rows, at=NOON)

    assert [NOON, None] == [row["quarantined_at"] for row in noted(store)]
    assert {"refusals"} == {row["source"] for row in noted(store)}


def test_no_refusals_ask_the_store_nothing(store: Store) -> None:
    with store.transaction() as connection:
        connection.close()
        assert 0 == note_failed(connection, 1, [])


def test_limits_are_data(store: Store, preparation: int) -> None:
    limits = Limits(soft_errors=2, at_least_apart=timedelta(hours=1), quarantine_for=2 * DAY)
    with_limits(store, limits)
    with store.transaction() as connection:
        assert limits == read_qualifier(connection).limits
    note(store, receipt(preparation))

    assert 1 == note(store, receipt(preparation, received_at=NOON + timedelta(hours=1)))


def test_with_a_limit_of_one_the_first_soft_error_quarantines(
    store: Store, preparation: int
) -> None:
    with_limits(store, Limits(soft_errors=1))

    assert 1 == note(store, receipt(preparation))


def test_the_rows_of_an_installation_win(store: Store, preparation: int) -> None:
    with store.transaction() as connection:
        publish(connection, OWN, {"sms_test": {"1": "none", "*": "hard"}}, is_whole=True)
    note(store, receipt(preparation, code="1"), receipt(preparation, 2, code="27"))
    assert [1] == errors_of(store)
    assert 0 == in_quarantine(store)

    assert 1 == note(store, receipt(preparation, 3, code="never seen"))


def test_without_any_rules_every_error_is_soft() -> None:
    assert "soft" == Qualifier().hardness_of("sms_test", "1")
    assert Qualifier().listed("sms_test", "1") is None


def test_ageing_forgets_counts_and_lets_out_what_failures_brought(
    store: Store, preparation: int
) -> None:
    with_limits(store, Limits(quarantine_for=30 * DAY))
    note(store, receipt(preparation), receipt(preparation, 2, received_at=NOON + DAY))
    note(store, receipt(preparation, 3, code="1"))
    add_quarantined(store, [4917612345678])

    assert 0 == age_quarantine(store, now=NOON + 9 * DAY)
    assert 1 == age_quarantine(store, now=NOON + 10.5 * DAY)
    assert 1 == age_quarantine(store, now=NOON + 29 * DAY)
    assert 1 == age_quarantine(store, now=NOON + 30.5 * DAY)
    assert 0 == age_quarantine(store, now=NOON + 3000 * DAY)
    assert [4917612345678] == load_quarantine(store).to_list()


def test_by_default_a_quarantine_has_no_end(store: Store, preparation: int) -> None:
    note(store, receipt(preparation, code="1"))

    assert 0 == age_quarantine(store, now=NOON + 3000 * DAY)


_STORY = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(0, 40 * 24),
        st.sampled_from(["soft", "soft", "soft", "hard", "delivered"]),
    ),
    max_size=14,
    unique_by=lambda one: one[:2],
)


def told(preparation: int, story: Sequence[tuple[int, int, str]]) -> list[dict[str, Any]]:
    words = {
        "soft": {"code": "27"},
        "hard": {"code": "1"},
        "delivered": {"kind": "delivered", "code": ""},
    }
    return [
        receipt(preparation, position, received_at=NOON + hour * DAY / 24, **words[what])
        for position, hour, what in sorted(story, key=lambda one: one[1])
    ]


def by_the_book(story: Sequence[tuple[int, int, str]]) -> dict[int, int | str]:
    """Tell the same in plain words: errors by position, or that it is in quarantine."""
    found: dict[int, int | str] = {}
    last: dict[int, int] = {}
    for position, hour, what in sorted(story, key=lambda one: one[1]):
        before = found.get(position, 0)
        if before == "out":
            continue
        if what == "delivered":
            found.pop(position, None)
            last.pop(position, None)
        elif what == "hard":
            found[position] = "out"
        else:
            since = hour - last[position] if position in last else None
            if since is None or since > 240:
                found[position], last[position] = 1, hour
            elif since >= 24:
                found[position], last[position] = int(before) + 1, hour
            if found[position] == 5:
                found[position] = "out"
    return found


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(story=_STORY, cuts=st.lists(st.integers(0, 14), max_size=4))
def test_any_story_in_any_batches_ends_as_by_the_book(
    store: Store,
    preparation: int,
    story: list[tuple[int, int, str]],
    cuts: list[int],
) -> None:
    with store.transaction() as connection:
        connection.execute("DELETE FROM smsflow_quarantine")
        phones = {
            row["phone"]: row["position"]
            for row in connection.execute("SELECT position, phone FROM smsflow_messages")
        }
    rows = told(preparation, story)
    edges = [0, *sorted(cuts), len(rows)]
    for start, end in pairwise(edges):
        note(store, *rows[start:end])

    found = {
        phones[row["phone"]]: "out" if row["quarantined_at"] else row["errors"]
        for row in noted(store)
    }
    assert by_the_book(story) == found


def test_many_writers_at_once_neither_deadlock_nor_count_twice(
    store: Store, preparation: int
) -> None:
    """Batches in opposite orders, with errors and arrivals of the same numbers in each."""

    def batch(seed: int) -> int:
        places = [*range(1, 11)] if seed % 2 else [*range(10, 0, -1)]
        rows = [
            receipt(
                preparation, place, kind="delivered" if place % 5 == seed % 5 else "undelivered"
            )
            for place in places
        ]
        return note(store, *rows)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(batch, range(60)))

    assert set(errors_of(store)) <= {1}


def test_a_receipt_of_a_dead_number_quarantines_it_once_it_is_applied(store: Store) -> None:
    publish_rules(store, None)
    delivery, ledger = make_sending(store, count=3)
    settle(ledger, take(ledger, 3), OutcomeKind.ACCEPTED)
    dead = received(delivery, 2, ReceiptKind.UNDELIVERED, code="unknown_subscriber")
    away = received(delivery, 3, ReceiptKind.UNDELIVERED, code="absent_subscriber")
    append(store, dead, away, dead, received(delivery, 1))
    apply_all_receipts(store)
    append(store, dead, away)
    apply_all_receipts(store)

    assert [(1, "sms_simulator unknown_subscriber"), (1, "sms_simulator absent_subscriber")] == [
        (row["errors"], row["reason"]) for row in noted(store)
    ]
    assert 1 == in_quarantine(store)
    ledger.release()


def test_a_refusal_of_a_dead_number_quarantines_it_while_it_is_sent(store: Store) -> None:
    codes = ("unknown_subscriber", "number_denied", "never seen")
    delivery = make_prepared(store, count=3)
    ids = [message_id_of(delivery.no, delivery.preparation, place) for place in (1, 2, 3)]
    plays = {
        one: Outcome(message_id=one, kind=OutcomeKind.FAILED, code=code)
        for one, code in zip(ids, codes, strict=True)
    }
    publish_rules(store, None)
    approve(store)
    assert 3 == run_send(store, RecordingGateway(by_id=plays))["failed"]

    assert [("sms_simulator unknown_subscriber", "refusals")] == [
        (row["reason"], row["source"]) for row in noted(store)
    ]
    assert 1 == in_quarantine(store)


def opted_out(store: Store) -> list[OptOut]:
    return [one for page in iterate_opt_outs(store) for one in page]


def write_start(store: Store, phone: int, at: datetime) -> None:
    with store.transaction() as connection:
        one = Reply(sender=f"+{phone}", recipient="36111", body="START")
        append_replies(connection, "test", [one], at)
    apply_all_replies(store)


def test_who_opted_out_at_the_gateway_is_opted_out_and_not_quarantined(
    store: Store, preparation: int
) -> None:
    assert 0 == note(store, receipt(preparation, code="10"), receipt(preparation, 2, code="10"))

    assert [] == noted(store)
    first, _ = opted_out(store)
    assert ("", "gateway", "sms_test 10") == (first.scope, first.source, first.reason)
    assert NOON == first.created_at


def test_a_refusal_says_so_as_well_and_start_takes_it_back(store: Store, preparation: int) -> None:
    with store.transaction() as connection:
        rows = [{"position": 3, "code": "10", "conn_type": "sms_test"}]
        note_failed(connection, preparation, rows, at=NOON)
    (entry,) = opted_out(store)

    write_start(store, entry.phone, NOON + DAY)

    assert [] == opted_out(store)


def test_a_late_receipt_opts_nobody_out_who_sent_start_since(
    store: Store, preparation: int
) -> None:
    note(store, receipt(preparation, code="10"))
    (entry,) = opted_out(store)
    write_start(store, entry.phone, NOON + DAY)

    note(store, receipt(preparation, code="10", received_at=NOON + DAY / 2))
    assert [] == opted_out(store)

    note(store, receipt(preparation, code="10", received_at=NOON + 2 * DAY))
    assert 1 == len(opted_out(store))


def test_it_is_the_list_of_the_sender_where_a_stop_means_that(
    store: Store, preparation: int, tmp_path: Path
) -> None:
    (tmp_path / "keywords.yaml").write_text("opt_out_scope: sender")
    publish_rules(store, tmp_path)
    with store.transaction() as connection:
        publish(connection, SHIPPED, TABLES, is_whole=False)
    with store.transaction() as connection:
        row = connection.execute("SELECT DISTINCT sender FROM smsflow_messages").fetchone()

    note(store, receipt(preparation, code="10"))

    (entry,) = opted_out(store)
    assert row is not None
    assert (f"sender:{row['sender'].upper()}" if row["sender"] else "") == entry.scope
