"""The limit holds in every sliding second."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.simulator.throttle import Peaks, Throttle


def test_without_a_limit_everything_passes() -> None:
    throttle = Throttle()

    assert [0.0] * 100 == [throttle.wait_s(100, limit=0, now_s=0.0) for _ in range(100)]


def test_what_is_too_much_is_told_when_to_come_again() -> None:
    throttle = Throttle()

    assert 0.0 == throttle.wait_s(2, limit=3, now_s=10.0)
    assert 0.0 == throttle.wait_s(1, limit=3, now_s=10.4)
    assert 0.5 == throttle.wait_s(1, limit=3, now_s=10.5)
    assert 0.0 == throttle.wait_s(2, limit=3, now_s=11.0)
    assert 0.0 < throttle.wait_s(1, limit=3, now_s=11.1)


def test_a_batch_above_the_limit_passes_alone() -> None:
    throttle = Throttle()

    assert 0.0 == throttle.wait_s(50, limit=10, now_s=0.0)
    assert 1.0 == throttle.wait_s(50, limit=10, now_s=0.0)
    assert 0.0 == throttle.wait_s(50, limit=10, now_s=1.0)


@given(
    limit=st.integers(1, 20),
    steps=st.lists(st.tuples(st.floats(0, 0.7), st.integers(1, 5)), max_size=60),
)
def test_no_sliding_second_holds_more_than_the_limit(
    limit: int, steps: list[tuple[float, int]]
) -> None:
    throttle, now_s = Throttle(), 0.0
    passed: list[tuple[float, int]] = []
    for pause_s, count in steps:
        now_s += pause_s
        if throttle.wait_s(count, limit=limit, now_s=now_s) == 0.0:
            passed.append((now_s, count))

    for start, first in passed:
        within = [count for at, count in passed if start <= at < start + 0.999]
        assert sum(within) <= limit or [first] == within


@given(
    st.lists(st.tuples(st.floats(0, 0.7), st.sampled_from("ab"), st.integers(1, 5)), max_size=40)
)
def test_a_peak_is_the_most_of_any_sliding_second(steps: list[tuple[float, str, int]]) -> None:
    peaks, now_s = Peaks(), 0.0
    came: list[tuple[float, str, int]] = []
    for pause_s, sender, count in steps:
        now_s += pause_s
        peaks.note({sender: count}, now_s=now_s)
        came.append((now_s, sender, count))

    def most(wanted: str) -> int:
        sums = [
            sum(n for at, sender, n in came if end - 1.0 < at <= end and sender in wanted)
            for end, _, _ in came
        ]
        return max(sums, default=0)

    senders = {sender: most(sender) for sender in "ab" if most(sender)}
    assert {"all": most("ab"), "senders": senders} == peaks.as_dict()
