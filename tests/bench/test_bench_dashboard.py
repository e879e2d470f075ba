"""``smsflow bench dashboard``: it asks every page's question, and judges each."""

from __future__ import annotations

from typing import Any

import pytest

from smsflow_provider.cli.bench.dashboard import (
    MOST_MS,
    DashboardResult,
    routes_of,
    table_of,
)
from smsflow_provider.cli.main import main
from smsflow_provider.core.errors import ConfigError
from tests.ui.openapi import described


def test_every_question_of_the_api_can_be_asked_with_all_it_wants() -> None:
    routes = routes_of(described())

    assert "/api/v1/deliveries/bench-large/review" in routes
    assert "/api/v1/deliveries?state=ready" in routes
    assert [] == [route for route in routes if "{" in route]
    assert len(routes) == len(set(routes)) > 10


@pytest.mark.parametrize(
    "operation",
    [
        ("/api/v1/moons/{moon}", {}),
        ("/api/v1/moons", {"parameters": [{"name": "phase", "in": "query", "required": True}]}),
    ],
)
def test_a_question_that_it_does_not_know_how_to_ask_is_named(
    operation: tuple[str, dict[str, object]],
) -> None:
    path, words = operation

    with pytest.raises(ConfigError) as caught:
        routes_of({"paths": {path: {"get": words}}})

    assert path == caught.value.facts["route"]


def test_what_is_written_and_what_is_taken_home_as_a_file_is_not_asked() -> None:
    file: dict[str, Any] = {"responses": {"200": {"content": {"text/csv": {}}}}}

    assert [] == routes_of(
        {
            "paths": {
                "/api/v1/deliveries/{delivery_id}/pause": {"post": {}},
                "/api/v1/opt-outs/export": {"get": {}},
                "/api/v1/deliveries/{delivery_id}/report.txt": {"get": file},
                "/deliveries/{delivery_id}": {"get": {}},
            }
        }
    )


def test_each_question_is_judged_by_itself() -> None:
    result = DashboardResult(
        deliveries=1,
        messages=1,
        routes_ms={"GET /smsflow/api/v1/a": MOST_MS, "GET /smsflow/api/v1/b": MOST_MS + 1},
    )

    assert [True, False] == [one.is_met for one in result.verdicts()]
    assert MOST_MS + 1 == result.as_dict()["slowest_ms"]
    assert "GET /smsflow/api/v1/b" in table_of(result)


@pytest.mark.parametrize("wrong", ["0", "-1", "many"])
def test_a_number_of_deliveries_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["bench", "dashboard", "--deliveries", wrong])

    assert 2 == caught.value.code
