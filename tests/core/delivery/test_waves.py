"""How far waves go, whatever the shares and the total."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.content.sending_settings import Waves
from smsflow_provider.core.content.settings import TemplateSettings
from smsflow_provider.core.delivery.waves import first_wave, next_wave, wave_bounds

SHARES = st.lists(
    st.integers(1, 9999).map(lambda n: n / 10_000), min_size=1, max_size=10, unique=True
).map(lambda found: tuple(sorted(found)))


@given(total=st.integers(0, 10_000_000), shares=SHARES)
def test_waves_grow_leave_a_rest_and_hold_at_least_one_message(
    total: int, shares: tuple[float, ...]
) -> None:
    bounds = wave_bounds(total, Waves(shares=shares))

    assert all(0 < bound < total for bound in bounds)
    assert all(earlier < later for earlier, later in pairwise(bounds))
    assert len(bounds) <= len(shares)


@given(total=st.integers(0, 10_000), shares=SHARES)
def test_wave_after_wave_ends_with_the_rest(total: int, shares: tuple[float, ...]) -> None:
    waves = Waves(shares=shares)
    seen = []
    until = first_wave(total, waves)
    while until is not None:
        seen.append(until)
        until = next_wave(total, waves, until=until)

    assert wave_bounds(total, waves) == tuple(seen)


@pytest.mark.parametrize(
    ("total", "shares", "bounds"),
    [
        (1_000_000, ("1%", "10%"), (10_000, 100_000)),
        (100, ("7%",), (7,)),
        (0, ("1%", "10%"), ()),
        (1, ("1%", "10%"), ()),
        (2, ("1%", "10%"), (1,)),
        (20, ("1%", "10%"), (1, 2)),
        (5, ("50%", "99%"), (3,)),
    ],
)
def test_shares_of_a_total(total: int, shares: tuple[str, ...], bounds: tuple[int, ...]) -> None:
    assert bounds == wave_bounds(total, Waves.model_validate({"shares": shares}))


def test_without_waves_everything_may_leave() -> None:
    assert first_wave(100, None) is None


def test_what_a_delivery_keeps_of_its_template_reads_back_the_same() -> None:
    given = TemplateSettings.model_validate(
        {
            "sender": "ACME",
            "sending": {
                "waves": {"shares": ["1%", "10%"], "wait": "30m", "ask": True},
                "pause_when": {"failed": "5%", "opted_out": "1%", "after": 20},
            },
        }
    ).sending
    kept = json.loads(json.dumps(given.model_dump(mode="json", by_alias=True)))

    assert given == type(given).model_validate(kept)
