"""A few first, then more, then the rest, with a look in between."""

from __future__ import annotations

from typing import Any

import pytest

from smsflow_provider.core.delivery.control import pause, resume
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from tests.governed import count, let_wait_pass, lines_of, look, make_going


def waves(*shares: str, wait: str = "1h", **more: Any) -> dict[str, Any]:
    rule = more.pop("pause_when", {"failed": "25%", "after": 500})
    return {"waves": {"shares": shares, "wait": wait, **more}, "pause_when": rule}


def standing(delivery: Delivery) -> tuple[str, int, int | None]:
    return (delivery.state.value, delivery.wave, delivery.wave_until)


def test_waves_follow_each_other_and_then_the_rest_leaves(store: Store) -> None:
    delivery = make_going(store, sending=waves("1%", "10%", wait="0s"))
    assert ("sending", 1, 20) == standing(delivery)
    count(store, delivery, accepted=19)
    assert ("sending", 1, 20) == standing(look(store, delivery))
    assert [] == lines_of(store, delivery, "wave_ended")

    count(store, delivery, accepted=1)
    look(store, delivery)
    assert ("sending", 2, 200) == standing(look(store, delivery))
    count(store, delivery, accepted=180)
    look(store, delivery)
    assert ("sending", 3, None) == standing(look(store, delivery))
    assert ("sending", 3, None) == standing(look(store, delivery))
    assert [
        {"by": "worker", "wave": 2, "until": 200},
        {"by": "worker", "wave": 3, "until": 2000},
    ] == lines_of(store, delivery, "wave_begun")


def test_a_wave_that_has_ended_is_waited_for_before_the_next_one(store: Store) -> None:
    delivery = make_going(store, sending=waves("1%"))
    count(store, delivery, accepted=20)
    look(store, delivery)
    assert ("sending", 1, 20) == standing(look(store, delivery))
    assert [{"wave": 1, "messages": 20}] == lines_of(store, delivery, "wave_ended")

    let_wait_pass(store, delivery)

    assert ("sending", 2, None) == standing(look(store, delivery))


@pytest.mark.parametrize("kind", ["failed", "unknown", "cancelled", "expired"])
def test_a_wave_has_ended_whatever_became_of_its_messages(store: Store, kind: str) -> None:
    delivery = make_going(store, sending=waves("1%", wait="0s", pause_when={"failed": None}))
    count(store, delivery, **{kind: 20})
    look(store, delivery)

    assert ("sending", 2, None) == standing(look(store, delivery))


def test_messages_that_go_again_have_not_ended(store: Store) -> None:
    delivery = make_going(store, sending=waves("1%", wait="0s"))
    count(store, delivery, accepted=19, waiting=1)
    look(store, delivery)

    assert ("sending", 1, 20) == standing(look(store, delivery))


def test_a_wave_is_judged_at_its_end_however_small_it_is(store: Store) -> None:
    delivery = make_going(store, sending=waves("1%", wait="0s"))
    count(store, delivery, accepted=14, failed=6)
    look(store, delivery)

    found = look(store, delivery)

    assert (("paused", 1, 20), "failures") == (standing(found), found.pause_reason)


def test_receipts_that_come_while_it_is_waited_count(store: Store) -> None:
    delivery = make_going(store, sending=waves("1%"))
    count(store, delivery, accepted=20)
    look(store, delivery)
    count(store, delivery, undelivered=6)
    assert ("sending", 1, 20) == standing(look(store, delivery))

    let_wait_pass(store, delivery)

    assert ("paused", 1, 20) == standing(look(store, delivery))


def test_who_resumes_a_wave_that_was_judged_lets_the_next_one_leave(store: Store) -> None:
    delivery = make_going(store, sending=waves("1%", "10%", wait="0s", ask=True))
    count(store, delivery, accepted=14, failed=6)
    look(store, delivery)
    look(store, delivery)

    found = resume(store, "d1", actor="ann")

    assert (("sending", 2, 200), "") == (standing(found), found.pause_reason)
    assert ("sending", 2, 200) == standing(look(store, delivery))
    assert "ann" == lines_of(store, delivery, "wave_begun")[0]["by"]


def test_a_person_is_asked_between_waves_and_resuming_is_the_answer(store: Store) -> None:
    delivery = make_going(store, sending=waves("1%", "10%", wait="0s", ask=True))
    count(store, delivery, accepted=20)
    look(store, delivery)

    asked = look(store, delivery)

    assert (("paused", 1, 20), "wave") == (standing(asked), asked.pause_reason)
    assert ("paused", 1, 20) == standing(look(store, delivery))
    assert ("sending", 2, 200) == standing(resume(store, "d1", actor="ann"))
    assert ("sending", 2, 200) == standing(resume(store, "d1", actor="bob"))


def test_an_ordinary_pause_while_a_wave_waits_skips_no_look(store: Store) -> None:
    delivery = make_going(store, sending=waves("1%", ask=True))
    count(store, delivery, accepted=20)
    look(store, delivery)
    pause(store, "d1", actor="ann")
    let_wait_pass(store, delivery)

    assert ("sending", 1, 20) == standing(resume(store, "d1", actor="ann"))
    asked = look(store, delivery)
    assert (("paused", 1, 20), "wave") == (standing(asked), asked.pause_reason)


def test_who_resumes_in_the_middle_of_a_wave_stays_in_it(store: Store) -> None:
    rule = {"failed": "25%", "after": 5}
    delivery = make_going(store, sending=waves("1%", pause_when=rule))
    count(store, delivery, failed=5)
    assert ("paused", 1, 20) == standing(look(store, delivery))

    assert ("sending", 1, 20) == standing(resume(store, "d1", actor="ann"))


def test_a_wave_over_several_chunks_ends_with_the_last_of_them(store: Store) -> None:
    delivery = make_going(store, count=3000, sending=waves("50%", wait="0s"))
    count(store, delivery, 1, accepted=1000)
    look(store, delivery)
    assert [] == lines_of(store, delivery, "wave_ended")
    count(store, delivery, 1001, accepted=500)
    look(store, delivery)

    assert ("sending", 2, None) == standing(look(store, delivery))


@pytest.mark.parametrize("total", [1, 2, 3])
def test_small_deliveries_end_with_waves_too(store: Store, total: int) -> None:
    delivery = make_going(store, count=total, sending=waves("1%", "10%", wait="0s"))
    left = total
    for _ in range(4 * total):
        until = find_delivery(store, "d1").wave_until or total
        if until > total - left:
            count(store, delivery, accepted=until - (total - left))
            left = total - until
        look(store, delivery)

    found = find_delivery(store, "d1")
    assert (0, None) == (left, found.wave_until)
    assert DeliveryState.SENDING is found.state


def test_a_delivery_without_messages_has_no_wave(store: Store) -> None:
    delivery = make_going(store, count=0, sending=waves("1%", wait="0s", ask=True))

    assert ("sending", 0, None) == standing(look(store, delivery))
