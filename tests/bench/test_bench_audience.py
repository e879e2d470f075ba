"""``smsflow bench audience``: both ways find the same people, and the verdict is of the ratio."""

from __future__ import annotations

from pathlib import Path

import pytest

from smsflow_provider.cli.bench.audience import (
    MOST_RATIO,
    AudiencePlan,
    AudienceResult,
    make_warehouse,
    table_of,
)
from smsflow_provider.cli.bench.audience_build import build, sql_by_rules
from smsflow_provider.core.store.connection import Store


def make_result(*, ratio: float = 1.0, peak_mb: float = 300.0) -> AudienceResult:
    return AudienceResult(
        rows=1_000,
        orders=10_000,
        count=100,
        seconds=ratio,
        by_hand_s=1.0,
        ratio=ratio,
        peak_mb=peak_mb,
        by_hand_peak_mb=200.0,
    )


def test_rules_and_sql_by_hand_find_the_same_people(store: Store, tmp_path: Path) -> None:
    make_warehouse(store, AudiencePlan(rows=1_000, orders=10_000), say=lambda _: None)
    by_rules = build(store, way="by rules", target=tmp_path / "rules.parquet")
    by_hand = build(store, way="by hand", target=tmp_path / "hand.parquet")

    assert 0 < by_rules["count"] < 1_000
    assert by_rules["people"] == by_hand["people"]


def test_the_rules_have_three_linked_conditions() -> None:
    assert sql_by_rules().count('FROM "crm"."orders"') == 3


@pytest.mark.parametrize(("ratio", "is_met"), [(MOST_RATIO, True), (MOST_RATIO + 0.01, False)])
def test_the_ratio_has_a_limit(ratio: float, *, is_met: bool) -> None:
    assert is_met == all(one.is_met for one in make_result(ratio=ratio).verdicts())


def test_memory_has_a_limit() -> None:
    assert not all(one.is_met for one in make_result(peak_mb=5_000.0).verdicts())


def test_the_table_says_how_many_were_found() -> None:
    assert table_of(make_result()).startswith("100 of 1,000 customers with 10,000 orders\n")
    assert make_result().as_dict()["ratio"] == 1.0
