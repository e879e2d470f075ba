"""Nobody is there twice in an audience by rules."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.audience.rules.plan import Column, Kind, Output, Plan
from smsflow_provider.core.audience.rules.unique import each_once
from smsflow_provider.core.errors import AudienceError

KEY = Output(name="recipient_id", column=Column(name="id", kind=Kind.TEXT))
PHONE = Output(name="phone", column=Column(name="tel", kind=Kind.TEXT))


def passed(keys: Sequence[Sequence[object]], *outputs: Output) -> int:
    plan = Plan(table="crm.people", key="id", outputs=outputs or (PHONE, KEY), steps=())
    batches = [
        pa.RecordBatch.from_pydict({"phone": ["+33600000001"] * len(each), "recipient_id": each})
        for each in keys
    ]
    return sum(batch.num_rows for batch in each_once(iter(batches), plan=plan, label="crm"))


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=4))
def test_rows_pass_exactly_when_every_key_is_there_once(keys: list[list[int]]) -> None:
    flat = sorted(key for each in keys for key in each)
    lengths = iter(flat)
    ordered = [[next(lengths) for _ in each] for each in keys]

    if len(set(flat)) == len(flat):
        assert len(flat) == passed(ordered)
    else:
        with pytest.raises(AudienceError):
            passed(ordered)


def test_the_error_names_the_column_and_no_value() -> None:
    with pytest.raises(AudienceError, match="same in several rows") as caught:
        passed([["k1"], ["k1"]])

    assert ("crm.people", "id") == (caught.value.facts["table"], caught.value.facts["key"])
    assert "k1" not in str(caught.value)


def test_empty_keys_are_for_others_to_refuse() -> None:
    assert 4 == passed([[None, None], [None, "a"]])


def test_without_the_key_nothing_is_looked_at() -> None:
    assert 2 == passed([["a", "a"]], PHONE)
