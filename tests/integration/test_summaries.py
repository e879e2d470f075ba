"""What is sampled and counted of a delivery, on a real store."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.delivery.activity import activity
from smsflow_provider.core.delivery.live import live, throughput
from smsflow_provider.core.delivery.message_log import (
    EXPORTED,
    exported_messages,
    message_story,
)
from smsflow_provider.core.delivery.report import causes_now, report
from smsflow_provider.core.delivery.summary import count_again, count_summary, summary
from smsflow_provider.core.errors import NotFoundError
from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.preparation.list_csv import csv_lines
from smsflow_provider.core.store import running
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery, read_figures
from smsflow_provider.core.store.lease import claim
from smsflow_provider.core.store.ledger_rows import Settled
from smsflow_provider.core.store.message_log import read_message_log
from smsflow_provider.core.store.running import (
    read_samples,
    read_summary,
    some_causes,
    write_sample,
)
from tests.prepared_delivery import approve, make_prepared
from tests.sending import tick

#: Kinds and codes by position; the others of the first 1,500 are under way.
SETTLED = {
    1: (OutcomeKind.ACCEPTED, ""),
    2: (OutcomeKind.FAILED, "30003"),
    3: (OutcomeKind.UNKNOWN, "timeout"),
    4: (OutcomeKind.NOT_SENT, "busy"),
    1200: (OutcomeKind.FAILED, "30003"),
    1201: (OutcomeKind.FAILED, "30005"),
}
EVER = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def sent(store: Store) -> Delivery:
    """A delivery of 2,000 messages of which 1,500 were taken and a few came back."""
    make_prepared(store, count=2000)
    approve(store)
    ledger = claim(store, find_delivery(store, "d1"), owner="t", lease_s=60)
    assert ledger is not None
    ledger.begin(actor="t")
    tick(ledger, wanted=1500)
    settled = [Settled(at, 0, kind, code=code) for at, (kind, code) in SETTLED.items()]
    tick(ledger, settled=settled)
    ledger.release()
    return find_delivery(store, "d1")


def change(store: Store, sql: str, *values: Any) -> None:
    with store.transaction() as connection:
        connection.execute(sql, values)


def test_a_summary_counts_what_the_log_of_messages_shows(store: Store, sent: Delivery) -> None:
    logged = [
        row["state"]
        for at in (0, 1000)
        for row in read_message_log(store, sent, after=at, limit=1000)
    ]
    shown = Counter("waiting" if state in {"prepared", "sending"} else state for state in logged)

    told = summary(store, "d1")

    [country] = told["countries"]
    assert "FR" == country["country"]
    assert dict(shown) == {kind: country[kind] for kind in shown}
    assert 2000 == country["messages"] == country["parts"]
    assert [("failed", "30003", 2), ("failed", "30005", 1), ("unknown", "timeout", 1)] == [
        (one["kind"], one["code"], one["messages"]) for one in told["causes"]
    ]


@pytest.mark.usefixtures("sent")
def test_a_person_who_opted_out_counts_once_they_had_a_message(store: Store) -> None:
    for n in (1, 1900):
        change(store, "INSERT INTO smsflow_opt_outs (phone) VALUES (%s)", 33600000000 + n)

    assert 1 == summary(store, "d1")["opted_out"]


def test_two_that_count_at_once_do_it_once(store: Store, sent: Delivery) -> None:
    with store.transaction() as other:
        other.execute(
            "SELECT pg_advisory_xact_lock(hashtext('smsflow summary'), %s)",
            [sent.preparation],
        )
        assert not count_summary(store, sent)
        assert None is read_summary(store, sent)
        assert None is summary(store, "d1")["counted_at"]
    assert count_summary(store, sent)


def test_counting_that_takes_too_long_leaves_what_was_counted(store: Store, sent: Delivery) -> None:
    assert count_summary(store, sent)
    before = read_summary(store, sent)

    assert not count_summary(store, sent, timeout_s=0.001)

    after = read_summary(store, sent)
    assert before is not None
    assert after is not None
    assert before["counted_at"] == after["counted_at"]


def test_causes_of_a_part_are_those_of_all_where_it_is_all(store: Store, sent: Delivery) -> None:
    exact = report(store, "d1")["causes"]
    figures = read_figures(store, sent)

    assert exact == [dict(row) for row in some_causes(store, sent)]
    assert (exact, True) == causes_now(store, sent, figures)
    assert exact == report(store, "d1", is_quick=True)["causes"]


def test_one_sample_is_noted_in_ten_seconds_and_flat_runs_are_short(
    store: Store, sent: Delivery
) -> None:
    assert write_sample(store, sent)
    assert not write_sample(store, sent)
    for _ in range(4):
        change(store, "UPDATE smsflow_samples SET at = at - interval '20 seconds'")
        assert write_sample(store, sent)

    rows = read_samples(store, sent, since=EVER, most=240)
    assert 2 == len(rows)
    assert {3} == {row["failed"] for row in rows}


def test_the_rate_is_what_the_last_minute_settled(store: Store, sent: Delivery) -> None:
    write_sample(store, sent)
    change(
        store,
        "UPDATE smsflow_samples SET at = at - interval '50 seconds', failed = 0, accepted = 0",
    )
    change(store, "UPDATE smsflow_deliveries SET moved_at = now() - interval '1 hour'")

    told = live(store, "d1")

    assert 5 == told["settled"]
    assert 4 / 50 == pytest.approx(told["per_s"], rel=0.1)
    assert (2000 - 5) / told["per_s"] == pytest.approx(told["left_s"])
    assert 2 == len(told["points"])
    assert "sending" == told["state"]


@pytest.mark.usefixtures("sent")
def test_one_that_is_held_has_no_rate_and_no_end(store: Store) -> None:
    change(store, "UPDATE smsflow_deliveries SET state = 'paused', pause_reason = 'daily_cap'")

    told = live(store, "d1")

    assert (None, None, None) == (told["per_s"], told["parts_per_s"], told["left_s"])
    assert "daily_cap" == told["pause_reason"]


def test_throughput_is_thinned_and_keeps_its_ends(store: Store, sent: Delivery) -> None:
    change(
        store,
        "INSERT INTO smsflow_samples SELECT %s, now() + n * interval '10 seconds', n,"
        " 0, 0, 0, 0, 0, 0 FROM generate_series(1, 3000) n",
        sent.preparation,
    )

    points = throughput(store, "d1")["points"]

    assert 200 <= len(points) <= 243
    assert 0 == points[0]["settled"]
    assert 3000 == points[-2]["accepted"]
    assert sorted(point["at"] for point in points[:-1]) == [point["at"] for point in points[:-1]]


@pytest.mark.usefixtures("sent")
def test_receipts_after_the_end_make_it_be_counted_again_once(store: Store) -> None:
    assert 1 == count_again(store)
    assert 0 == count_again(store)
    change(store, "UPDATE smsflow_chunks SET delivered = 1 WHERE chunk = 0")
    assert 1 == count_again(store)
    assert 0 == count_again(store)


@pytest.mark.usefixtures("sent")
def test_the_story_of_a_message_tells_each_step(store: Store) -> None:
    told = message_story(store, "d1", 2)

    assert ["prepared", "marked", "outcome"] == [step["event"] for step in told["steps"]]
    assert ("failed", "30003", 1) == tuple(
        told["steps"][2][name] for name in ("kind", "code", "attempt")
    )
    assert "33600000002" not in str(told)
    with pytest.raises(NotFoundError):
        message_story(store, "d1", 2001)


def test_an_export_has_every_message_once_and_whole_numbers_only_if_told(
    store: Store, sent: Delivery
) -> None:
    masked = [row for page in exported_messages(store, sent) for row in page]
    whole = [row for page in exported_messages(store, sent, whole=True) for row in page]

    assert list(range(1, 2001)) == [row[1] for row in masked]
    assert "+33600000001" == whole[0][0]
    assert not any("336000" in str(row[0]) for row in masked)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_no_cell_of_an_export_begins_a_formula(cells: list[str]) -> None:
    text = "".join(csv_lines(EXPORTED, [[("+336", *cells)]]))

    row = list(csv.reader(io.StringIO(text, newline="")))[1]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row[1:])
    assert [cell.lstrip("'") for cell in cells] == [cell.lstrip("'") for cell in row[1:]]


def test_pages_of_what_was_done_follow_each_other_newest_first(
    store: Store, sent: Delivery
) -> None:
    whole = activity(store, "d1", limit=200)["entries"]
    found: list[dict[str, Any]] = []
    before = None
    while True:
        page = activity(store, "d1", before=before, limit=1)
        found += page["entries"]
        if (before := page["next"]) is None:
            break

    assert whole == found
    assert sorted((one["at"] for one in whole), reverse=True) == [one["at"] for one in whole]
    events = [one["event"] for one in whole]
    assert {"created", "delivery_approved", "sending_began"} <= set(events)
    assert 1 == events.count("delivery_approved")
    assert datetime.fromisoformat(whole[-1]["at"]) <= sent.created_at + timedelta(seconds=1)
    with pytest.raises(ValueError, match="none of ours"):
        activity(store, "d1", before="2026-01-01T00:00:00+00:00_other_1")


def test_ranges_add_up_wherever_they_begin(
    store: Store, sent: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert count_summary(store, sent)
    whole = summary(store, sent.id)
    monkeypatch.setattr(running, "_RANGE", 7)
    assert count_summary(store, sent)
    again = summary(store, sent.id)

    told = ("countries", "encodings", "causes", "opted_out")
    assert [whole[name] for name in told] == [again[name] for name in told]
