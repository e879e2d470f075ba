"""Until when a delivery is spread out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smsflow_provider.core.content.sending_settings import Spread
from smsflow_provider.core.delivery.pace_spread import end_of


@pytest.mark.parametrize(
    ("began", "finish_by", "zone", "end"),
    [
        ("2026-11-22T12:00", "18:00", "UTC", "2026-11-22T18:00"),
        ("2026-11-22T18:00", "18:00", "UTC", "2026-11-23T18:00"),
        ("2026-11-22T23:30", "02:00", "Europe/Paris", "2026-11-23T01:00"),
        # The clocks go back in the night to the 25th, and forward in that to the 29th of March.
        ("2026-10-24T17:00", "18:00", "Europe/Paris", "2026-10-25T17:00"),
        ("2026-03-28T18:00", "18:00", "Europe/Paris", "2026-03-29T16:00"),
    ],
)
def test_the_next_such_time_of_day_is_the_end(
    began: str, finish_by: str, zone: str, end: str
) -> None:
    found = end_of(
        Spread(finish_by=finish_by, time_zone=zone), datetime.fromisoformat(began + "+00:00")
    )

    assert datetime.fromisoformat(end + "+00:00") == found.astimezone(UTC)


def test_a_duration_counts_from_the_beginning() -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)

    assert noon + timedelta(hours=4) == end_of(Spread(over_s=4 * 3600), noon)
