"""The one home of the time. Everything else takes it as an argument."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Read the clock: an aware time in UTC."""
    return datetime.now(tz=UTC)  # noqa: TID251  the one home of the clock
