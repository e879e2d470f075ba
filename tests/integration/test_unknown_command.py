"""``smsflow report --unknown``: what is in doubt, why and since when; no phone and no text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smsflow_provider.cli.main import main
from smsflow_provider.core.store.connection import Store
from tests.core.delivery.doubting import id_of, make_doubtful


@pytest.fixture
def run(store_dsn: str, capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*words: str) -> str:
        assert 0 == main([*words, "--store", store_dsn])
        return capsys.readouterr().out

    return call


def test_what_is_in_doubt_is_listed_for_people(run: Any, store: Store) -> None:
    delivery = make_doubtful(store, count=2100, doubts=[5, *range(900, 2050)], state="finished")
    lines = run("report", "d1", "--unknown").splitlines()

    assert 1151 == len(lines)
    assert [id_of(delivery, 5), "r5", "sms_gateway"] == lines[0].split()[-3:]
    assert "timeout" in lines[0]
    assert "33600000005" not in lines[0]
    assert "Hello" not in "".join(lines)


def test_what_is_in_doubt_is_listed_for_programs(run: Any, store: Store) -> None:
    make_doubtful(store, count=3, doubts=[2])
    (one,) = json.loads(run("report", "d1", "--unknown", "--json"))["unknown"]

    assert (2, "r2", "timeout", "sms_gateway") == (
        one["position"],
        one["recipient_id"],
        one["reason"],
        one["gateway"],
    )
    assert {"message_id", "marked_at", "settled_at"} < set(one)
