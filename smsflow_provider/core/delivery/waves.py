"""
How far each wave of a delivery goes.

A wave is the first positions of the delivery, in the order of its audience: an audience that is
sorted by country begins with one country. Shuffle it where the first wave is to stand for all.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from smsflow_provider.core.content.sending_settings import SendingSettings, Waves
from smsflow_provider.core.store.deliveries import Delivery


def sending_of(delivery: Delivery) -> SendingSettings:
    """Read how *delivery* leaves, from the template it was prepared with; without one, as usual."""
    settings = delivery.template.get("settings")
    kept = settings.get("sending") if isinstance(settings, dict) else None
    return SendingSettings.kept(kept or {})


def wave_bounds(total: int, waves: Waves | None) -> tuple[int, ...]:
    """
    Say where the waves of *total* messages end, but for the rest, which follows them.

    Each has at least one message. A share that would add none, or leave none, is no wave.

    Example:
        >>> wave_bounds(20_000, Waves(shares=(0.01, 0.1)))
        (200, 2000)
        >>> wave_bounds(5, Waves(shares=(0.01, 0.1, 0.5)))
        (1, 3)
    """
    bounds: list[int] = []
    for share in waves.shares if waves else ():
        # The share as it was written: 0.07 * 100 is a little more than 7 in floating point.
        until = ceil(Fraction(str(share)) * total)
        if until < total and until > (bounds[-1] if bounds else 0):
            bounds.append(until)
    return tuple(bounds)


def first_wave(total: int, waves: Waves | None) -> int | None:
    """
    Say which position is the last one of the first wave.

    Args:
        total: Messages to deliver, 0 or more.

    Returns:
        None: everything may leave at once.

    Example:
        >>> first_wave(20_000, Waves(shares=(0.01, 0.1)))
        200
        >>> first_wave(1, Waves(shares=(0.01,))) is None
        True
    """
    return next(iter(wave_bounds(total, waves)), None)


def next_wave(total: int, waves: Waves | None, *, until: int) -> int | None:
    """
    Say which position is the last one of the wave that follows the one up to *until*.

    Returns:
        None: the rest may leave.

    Example:
        >>> next_wave(20_000, Waves(shares=(0.01, 0.1)), until=200)
        2000
    """
    return next((bound for bound in wave_bounds(total, waves) if bound > until), None)
