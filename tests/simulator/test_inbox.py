"""What the simulator got is kept whole and in order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.simulator.inbox import Inbox, SubmittedMessage, read_batch

ROW = {"id": "1-1-1", "to": "+33612345678", "text": "Hello"}


def filled(*ids: str) -> Inbox:
    inbox = Inbox()
    for each in ids:
        (message,) = read_batch({"messages": [{**ROW, "id": each}]})
        inbox.put(message, status="accepted", taken_at="now")
    return inbox


def test_what_is_missing_stands_in() -> None:
    assert [
        SubmittedMessage(
            id="1-1-1",
            to="+33612345678",
            sender="",
            text="Hello",
            encoding="gsm7",
            parts=1,
            expires_at=None,
            callback_url=None,
        )
    ] == read_batch({"messages": [ROW]})


@pytest.mark.parametrize("document", [None, [], {}, {"messages": {}}, {"messages": []}, 7])
def test_a_document_without_messages_is_refused(document: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        read_batch(document)

    assert ["messages: must be a list of 1 to 100"] == caught.value.facts["problems"]


def test_more_than_100_messages_are_refused() -> None:
    assert 100 == len(read_batch({"messages": [ROW] * 100}))
    with pytest.raises(ConfigError):
        read_batch({"messages": [ROW] * 101})


def test_every_problem_is_named_by_place_and_field_without_its_value() -> None:
    rows = [
        ROW,
        {"id": "", "to": "0612345678", "text": 7, "txet": "x"},
        "secret text",
        {**ROW, "encoding": "utf8", "parts": True, "callback_url": 5},
    ]
    with pytest.raises(ConfigError) as caught:
        read_batch({"messages": rows})

    assert [
        "messages[1].txet: nobody knows it",
        "messages[1].id: must not be empty",
        "messages[1].to: must be a number with a leading plus",
        "messages[1].text: must be of type str",
        "messages[2]: must be an object",
        "messages[3].encoding: must be gsm7 or ucs2",
        "messages[3].parts: must be of type int",
        "messages[3].callback_url: must be of type str",
    ] == caught.value.facts["problems"]
    assert "0612345678" not in str(caught.value)
    assert "secret text" not in str(caught.value)


def test_a_repeated_id_is_kept_as_often_as_it_came() -> None:
    inbox = filled("a", "b", "a", "a")

    assert ["a", "b", "a", "a"] == [each.message.id for each in inbox.page(after=0, limit=10)]
    assert {"messages": 4, "accepted": 4, "refused": 0, "distinct": 2, "duplicates": 2} == (
        inbox.counts()
    )
    assert (3, 0) == (inbox.times("a"), inbox.times("c"))


@given(st.integers(0, 40), st.integers(1, 15))
def test_pages_cover_everything_once_and_in_order(count: int, limit: int) -> None:
    inbox = filled(*map(str, range(count)))
    found: list[str] = []
    after = 0
    while page := inbox.page(after=after, limit=limit):
        found += [each.message.id for each in page]
        after = page[-1].number

    assert [str(number) for number in range(count)] == found


def test_numbers_go_on_after_clearing() -> None:
    inbox = filled("a", "b")
    inbox.clear()
    (message,) = read_batch({"messages": [ROW]})
    taken = inbox.put(message, status="refused", taken_at="now")

    assert (3, "sim-3") == (taken.number, taken.ref)
    assert [taken] == inbox.page(after=0, limit=10) == inbox.page(after=2, limit=10)
    assert [] == inbox.page(after=3, limit=10)
    assert 1 == inbox.counts()["refused"]


def test_a_listed_message_is_flat() -> None:
    (taken,) = filled("a").page(after=0, limit=1)

    assert {"number": 1, "status": "accepted", "ref": "sim-1", "id": "a"}.items() <= (
        taken.as_dict().items()
    )
