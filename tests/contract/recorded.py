"""The recorded answers of the gateways that come with smsflow."""

from __future__ import annotations

from pathlib import Path

from smsflow_provider.testing.recorded import Recorded, check_recorded, read_recorded

__all__ = ["Recorded", "check_recorded", "recorded_answers"]

FOLDER = Path(__file__).parents[1] / "data" / "gateways"


def recorded_answers(gateway: str) -> list[Recorded]:
    """Those of one gateway."""
    return read_recorded(FOLDER / gateway)
