"""How far, how quickly, how long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.delivery.progress import ProgressMeter
from smsflow_provider.core.model import SETTLED


def test_the_first_look_knows_no_rate() -> None:
    progress = ProgressMeter(to_deliver=100).look({"accepted": 10}, now=5.0)

    assert (None, None, 90) == (progress.per_s, progress.left_s, progress.left)
    assert "10 of 100 (accepted 10)" == str(progress)


def test_the_rate_says_how_long_it_will_take() -> None:
    meter = ProgressMeter(to_deliver=1_000_000)
    meter.look({"accepted": 0}, now=0.0)

    progress = meter.look({"accepted": 4000, "unknown": 1000}, now=5.0)

    assert (1000.0, 995.0) == (progress.per_s, progress.left_s)
    assert "5,000 of 1,000,000 (accepted 4,000, unknown 1,000), 1,000/s, 17 min left" == str(
        progress
    )


def test_the_rate_is_that_of_the_last_half_minute() -> None:
    meter = ProgressMeter(to_deliver=10_000)
    for now in range(0, 60, 5):
        meter.look({"accepted": now * 100}, now=float(now))
    for now in range(60, 115, 5):
        meter.look({"accepted": 5500}, now=float(now))
    progress = meter.look({"accepted": 5500}, now=115.0)

    assert (0.0, None) == (progress.per_s, progress.left_s)


def test_receipts_are_not_counted_twice() -> None:
    progress = ProgressMeter(to_deliver=10).look({"accepted": 5, "delivered": 5}, now=0.0)

    assert 5 == progress.settled


FIGURES = st.dictionaries(st.sampled_from(SETTLED), st.integers(0, 10_000_000))


@given(st.lists(st.tuples(st.floats(0, 100), FIGURES), min_size=1), st.integers(0, 50_000_000))
def test_whatever_it_sees_it_says_something_sensible(
    looks: list[tuple[float, dict[str, int]]], to_deliver: int
) -> None:
    meter, now = ProgressMeter(to_deliver=to_deliver), 0.0
    for later, figures in looks:
        now += later
        progress = meter.look(figures, now=now)

        assert progress.left >= 0
        assert progress.per_s is None or progress.per_s >= 0
        assert str(progress)
