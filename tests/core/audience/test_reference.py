from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.audience.reference import AudienceReference, Column, near_hint
from smsflow_provider.core.errors import AudienceError

GOOD: dict[str, Any] = {"uri": "s3://b/who.parquet", "count": 3, "fingerprint": "0a" * 32}


def test_a_reference_travels_as_three_facts_and_no_columns() -> None:
    reference = AudienceReference(**GOOD, columns=(Column(name="phone", kind="text"),))

    assert GOOD == reference.as_dict()


@given(
    uri=st.text(min_size=1),
    count=st.integers(min_value=0),
    fingerprint=st.text(alphabet="0123456789abcdef", min_size=64, max_size=64),
)
def test_what_was_written_is_read_again(uri: str, count: int, fingerprint: str) -> None:
    reference = AudienceReference(uri=uri, count=count, fingerprint=fingerprint)

    assert reference == AudienceReference.from_dict(reference.as_dict())


@pytest.mark.parametrize("given", [None, "file:///a.parquet", 7, [GOOD]])
def test_what_is_no_mapping_is_refused_by_its_type(given: object) -> None:
    with pytest.raises(AudienceError, match="build_audience") as caught:
        AudienceReference.from_dict(given)
    assert {"got": type(given).__name__} == caught.value.facts


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"uri": ""}, "uri must be a text"),
        ({"uri": None}, "uri must be a text"),
        ({"count": -1}, "count must be a whole number, 0 or more"),
        ({"count": True}, "count must be a whole number, 0 or more"),
        ({"count": "3"}, "count must be a whole number, 0 or more"),
        ({"fingerprint": "0a"}, "fingerprint must be 64 hexadecimal digits"),
        ({"fingerprint": None}, "fingerprint must be 64 hexadecimal digits"),
        ({"rows": []}, "unknown key 'rows'"),
        ({"cuont": 3}, "unknown key 'cuont' (did you mean 'count'?)"),
    ],
)
def test_a_bad_fact_is_named(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(AudienceError) as caught:
        AudienceReference.from_dict(GOOD | change)
    assert [problem] == caught.value.facts["problems"]


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(AudienceError) as caught:
        AudienceReference.from_dict({"count": "many", "ur": "x"})
    assert [
        "uri is missing",
        "fingerprint is missing",
        "unknown key 'ur' (did you mean 'uri'?)",
        "count must be a whole number, 0 or more",
    ] == caught.value.facts["problems"]


def test_a_near_name_is_found_whatever_its_case() -> None:
    assert " (did you mean 'Phone'?)" == near_hint(" phone", ["id", "Phone"])
    assert "" == near_hint("zzz", ["id", "Phone"])
    assert "" == near_hint("phone", [])
