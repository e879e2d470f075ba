from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.delivery.identity import delivery_id_of
from smsflow_provider.core.model import Origin

NAMES = st.text(max_size=80)
ORIGINS = st.builds(
    Origin, dag_id=NAMES, run_id=NAMES, task_id=NAMES, map_index=st.integers(-1, 1000)
)


@given(ORIGINS)
def test_an_id_is_short_and_safe_in_a_url_a_file_name_and_a_command_line(origin: Origin) -> None:
    found = delivery_id_of(origin)

    assert len(found) <= 60
    assert re.fullmatch(r"[a-z0-9_][a-z0-9_-]*-[a-z2-7]{12}", found)


@given(ORIGINS)
def test_an_id_is_the_same_for_every_try(origin: Origin) -> None:
    assert delivery_id_of(origin) == delivery_id_of(
        Origin(
            dag_id=origin.dag_id,
            run_id=origin.run_id,
            task_id=origin.task_id,
            map_index=origin.map_index,
        )
    )


@given(ORIGINS, ORIGINS)
def test_two_tasks_have_two_ids(one: Origin, other: Origin) -> None:
    assert (one == other) == (delivery_id_of(one) == delivery_id_of(other))


@pytest.mark.parametrize(
    ("dag_id", "task_id", "start"),
    [
        ("shop.spring_sale", "sms", "spring_sale-sms-"),
        ("Spring Sale", "group.sms", "spring-sale-group-sms-"),
        ("春", "短信", "delivery-"),
        ("", "", "delivery-"),
        ("x" * 90, "sms", "x" * 47 + "-"),
    ],
)
def test_an_id_says_what_it_is_where_it_can(dag_id: str, task_id: str, start: str) -> None:
    found = delivery_id_of(Origin(dag_id=dag_id, run_id="r1", task_id=task_id))

    assert found.startswith(start)
    assert len(start) + 12 == len(found)
