"""Lists of many deliveries: groups, pages, and what needs a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smsflow_provider.core.delivery.attention import Attention, watched
from smsflow_provider.core.delivery.listing import happening, list_groups, list_page
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.delivery_list import OPEN_STATES, Place, Wish, known_dags

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
#: Straight into the table: the moves of a delivery are not what is tried here.
FILL = """
INSERT INTO smsflow_deliveries (id, kind, label, dag_id, run_id, task_id, state,
                                created_at, moved_at, ended_at, created_by, moved_by)
SELECT format('d%%s', n), 'campaign', format('Label %%s', n),
       format('team.flow_%%s', n %% 40), format('r%%s', n),
       CASE WHEN n %% 80 < 40 THEN 'sms' ELSE 'mail' END, %(state)s, at, at,
       CASE WHEN %(state)s = 'finished' THEN at END, 'ann', 'ann'
  FROM generate_series(%(first)s::int, %(last)s::int) AS n,
       LATERAL (SELECT %(now)s - n * interval '1 minute' AS at) AS made
"""


def fill(store: Store, first: int, last: int, *, state: str = "finished") -> None:
    with store.transaction() as connection:
        connection.execute(FILL, {"first": first, "last": last, "state": state, "now": NOW})


@pytest.fixture
def deliveries(store: Store) -> Store:
    """A store of 4,010 deliveries of 40 workflows with two tasks each; the first ten wait."""
    fill(store, 1, 10, state="ready")
    fill(store, 11, 4_010)
    return store


def pages_of(store: Store, wish: Wish, **how: Any) -> list[list[str]]:
    """Walk all pages: the ids of each."""
    pages: list[list[str]] = []
    place: str | None = ""
    while place is not None:
        before = Place.from_text(place) if place else None
        page = list_page(store, _behind(wish, before), now=NOW, **how)
        pages.append([row["delivery"] for row in page["deliveries"]])
        place = page["next"]
    return pages


def _behind(wish: Wish, before: Place | None) -> Wish:
    return Wish(dags=wish.dags, states=wish.states, text=wish.text, before=before)


def test_a_workflow_is_one_row_for_each_of_its_tasks(deliveries: Store) -> None:
    dags = known_dags(deliveries)
    first = list_groups(deliveries, Wish(dags=dags), limit=25, now=NOW)
    place = Place.from_text(first["next"])
    second = list_groups(deliveries, Wish(dags=dags, before=place), limit=25, now=NOW)
    rows = [*first["groups"], *second["groups"]]

    assert 40 == len(dags)
    assert None is second["next"]
    assert 80 == len({(row["dag_id"], row["task_id"]) for row in rows}) == len(rows)
    # 4,010 deliveries of 40 workflows: each has a hundred, half of each task.
    assert {50} == {row["occurrences"] for row in rows}
    assert "team.flow_1" == rows[0]["dag_id"]
    assert "d1" == rows[0]["last"]["delivery"]
    assert 10 == sum(row["attention"] for row in rows)


def test_groups_hold_only_workflows_that_may_be_shown(deliveries: Store) -> None:
    found = list_groups(deliveries, Wish(dags=["team.flow_7", "nobody.knows"]), limit=5, now=NOW)

    assert {"team.flow_7"} == {row["dag_id"] for row in found["groups"]}
    assert [] == list_groups(deliveries, Wish(dags=[]), limit=5, now=NOW)["groups"]


def test_counts_stop_at_a_hundred(deliveries: Store) -> None:
    told = happening(deliveries, None, today=NOW - timedelta(minutes=30), now=NOW, most=3)

    assert {"attention": 10, "sending": 0, "finished_today": 20, "all": 100} == told["counts"]
    assert ["d1", "d2", "d3"] == [row["delivery"] for row in told["attention"]]
    assert [] == told["sending"]


@pytest.mark.parametrize("dags", [["team.flow_3", "team.flow_4"], None])
def test_pages_are_full_and_hold_each_delivery_once(
    deliveries: Store, dags: list[str] | None
) -> None:
    pages = pages_of(deliveries, Wish(dags=dags, text="flow_3"), limit=70)

    expected = [n for n in range(1, 4_011) if n % 40 in ({3} if dags else {3, *range(30, 40)})]
    assert [f"d{n}" for n in expected] == [one for page in pages for one in page]
    assert {70} == {len(page) for page in pages[:-1]}


def test_deliveries_made_at_the_same_moment_are_paged_by_their_number(store: Store) -> None:
    fill(store, 1, 7, state="ready")
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_deliveries SET created_at = %s", [NOW])

    for how in ({}, {"needs_attention": True}):
        pages = pages_of(store, Wish(), limit=3, **how)
        assert [["d7", "d6", "d5"], ["d4", "d3", "d2"], ["d1"]] == pages


def test_old_failures_and_old_doubts_need_nobody(store: Store) -> None:
    fill(store, 1, 1, state="preparation_failed")
    day = 24 * 60
    fill(store, 8 * day, 8 * day, state="preparation_failed")
    fill(store, 9 * day, 9 * day, state="paused")

    found = watched(store, Wish(), now=NOW)

    assert ["d1", f"d{9 * day}"] == [one.id for one in found]


def test_each_open_state_is_in_the_index_of_open_deliveries(store: Store) -> None:
    for number, state in enumerate(sorted(OPEN_STATES), start=1):
        fill(store, number, number, state=state.value)
        wish = Wish(states=[state])
        assert [[f"d{number}"]] == pages_of(store, wish, limit=5), state


def test_attention_says_why(store: Store) -> None:
    fill(store, 1, 1, state="ready")
    fill(store, 2, 2, state="paused")
    fill(store, 3, 3, state="sending")
    rows = list_page(store, Wish(), limit=9, now=NOW)["deliveries"]

    assert [Attention.WAITING_FOR_REVIEW, Attention.PAUSED, None] == [
        row["attention"] for row in rows
    ]
    assert DeliveryState.SENDING == rows[2]["state"]
