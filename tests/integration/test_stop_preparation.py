"""A preparation that is stopped leaves nothing, and can be seen while it runs."""

from __future__ import annotations

from typing import Any

import pytest

from smsflow_provider.core.delivery.control import stop
from smsflow_provider.core.delivery.report import report, summaries_of
from smsflow_provider.core.errors import IllegalMoveError, SupersededError
from smsflow_provider.core.model import DeliveryKind, Origin
from smsflow_provider.core.preparation.review import review
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import (
    Delivery,
    ensure_delivery,
    find_delivery,
    list_deliveries,
    read_log,
)
from smsflow_provider.core.store.prepared import (
    Published,
    begin_preparation,
    message_frame,
    report_progress,
    writing_preparation,
)
from smsflow_provider.core.store.samples import positions_of_recipients
from tests.core.preparation.preparing import partitions_of
from tests.prepared_delivery import make_messages, make_prepared


def begin(store: Store) -> Delivery:
    """Begin to prepare ``d1``."""
    origin = Origin(dag_id="shop.sale", run_id="r1", task_id="sms")
    kind = DeliveryKind.CAMPAIGN
    ensure_delivery(store, "d1", kind=kind, label="Sale", origin=origin, actor="test")
    return begin_preparation(
        store,
        "d1",
        label="Sale",
        gateway="sms_gateway",
        dry_run=False,
        template={},
        settings={},
        audience={"count": 3},
        validity_s=3600,
        actor="test",
    )


def write(store: Store, begun: Delivery, meanwhile: Any = lambda: None) -> None:
    """Write three messages, do something else, publish."""
    with writing_preparation(store, begun) as writer:
        writer.write_messages(message_frame(make_messages(3)))
        meanwhile()
        writer.publish(
            Published(fingerprint="f", targeted=3, excluded=0, to_deliver=3, parts=3, figures={})
        )


def test_a_preparation_that_is_stopped_is_a_draft_again(store: Store) -> None:
    begin(store)
    stopped = stop(store, "d1", actor="maria")

    assert (DeliveryState.DRAFT, "maria") == (stopped.state, stopped.moved_by)
    (line,) = read_log(store, stopped)
    assert ("preparation_stopped", {"by": "maria"}) == (line["event"], line["facts"])


def test_whoever_prepares_it_finds_out_with_the_next_word_of_progress(store: Store) -> None:
    begun = begin(store)
    report_progress(store, begun, {"targeted": 10})
    stop(store, "d1", actor="maria")

    with pytest.raises(SupersededError, match="stopped"):
        report_progress(store, begun, {"targeted": 20})


def test_one_that_is_stopped_while_it_writes_cannot_publish_and_leaves_nothing(
    store: Store,
) -> None:
    begun = begin(store)

    with pytest.raises(SupersededError, match="stopped"):
        write(store, begun, lambda: stop(store, "d1", actor="maria"))

    assert [] == partitions_of(store)
    assert DeliveryState.DRAFT is find_delivery(store, "d1").state
    assert 0 == report(store, "d1")["to_deliver"]


def test_a_stopped_preparation_can_be_begun_anew(store: Store) -> None:
    begin(store)
    stop(store, "d1", actor="maria")
    write(store, begin(store))

    assert (DeliveryState.READY, 3) == (
        (delivery := find_delivery(store, "d1")).state,
        delivery.to_deliver,
    )


def test_a_stop_that_comes_when_all_is_prepared_is_refused(store: Store) -> None:
    write(store, begin(store))

    with pytest.raises(IllegalMoveError):
        stop(store, "d1", actor="maria")

    assert DeliveryState.READY is find_delivery(store, "d1").state


def test_a_draft_cannot_be_stopped(store: Store) -> None:
    begin(store)
    stop(store, "d1", actor="maria")

    with pytest.raises(IllegalMoveError):
        stop(store, "d1", actor="maria")


def test_progress_shows_while_it_is_prepared_and_not_afterwards(store: Store) -> None:
    begun = begin(store)
    silent = report(store, "d1")["progress"]
    report_progress(store, begun, {"step": "texts", "rows": 20})
    told = report(store, "d1")["progress"]
    listed = summaries_of(store, list_deliveries(store))
    shown = review(store, "d1")["progress"]
    write(store, begun)

    assert silent["begun_at"]
    assert silent["told_at"] is None
    assert ("texts", 20) == (told["step"], told["rows"])
    assert told["told_at"] > told["begun_at"]
    assert [told] == [one["progress"] for one in listed]
    assert told == shown
    assert "progress" not in report(store, "d1")
    assert review(store, "d1")["progress"] is None


def test_the_old_progress_does_not_show_when_it_is_prepared_again(store: Store) -> None:
    report_progress(store, begin(store), {"rows": 20})
    begin(store)

    assert "rows" not in report(store, "d1")["progress"]


def test_recipients_are_found_by_their_ids_all_at_once(store: Store) -> None:
    delivery = make_prepared(store, count=5)

    assert {"r2": [2], "r5": [5]} == positions_of_recipients(store, delivery, ["r5", "x", "r2"])
    assert {} == positions_of_recipients(store, delivery, [])
    assert {} == positions_of_recipients(store, begin(store), ["r2"])
