"""
A worker that hands over by the shared pace, in a process of its own.

``python -m tests.pace_worker DSN SECONDS LIMIT FLOW PRIORITY PARTS...`` prints a line a message:
the moment of its hand-over on the monotonic clock, which all processes of a machine share, and
its parts.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator

from smsflow_provider.core.delivery.pace import Pacer, Parcel
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.pace import PaceBook


def hand_over(
    pacer: Pacer, parcels: Iterator[Parcel], *, for_s: float
) -> Iterator[tuple[float, int]]:
    """Hand *parcels* over for some seconds, each at its moment; what comes too late asks again."""
    ahead: list[Parcel] = []
    granted: list[tuple[float, Parcel]] = []
    end = time.monotonic() + for_s
    while (now := time.monotonic()) < end:
        ahead += itertools.islice(parcels, max(0, 50 - len(ahead)))
        moments = pacer.reserve(ahead, workers=1, now=now)
        granted += zip(moments, ahead, strict=False)
        ahead = ahead[len(moments) :]
        tick_ends = time.monotonic() + 0.01
        while granted and granted[0][0] < tick_ends:
            moment, one = granted.pop(0)
            time.sleep(max(0.0, moment - time.monotonic()))
            at = time.monotonic()
            if at <= moment + pacer.late_s:
                yield at, one.parts
            else:
                ahead.insert(0, one)
        time.sleep(max(0.0, tick_ends - time.monotonic()))


def main() -> None:
    """Hand over, and print it."""
    dsn, for_s, limit, flow, priority, *parts = sys.argv[1:]
    pacer = Pacer(
        PaceBook(Store(dsn)),
        gateway="sms_gateway",
        flow=flow,
        account_parts_per_s=float(limit),
        sender_parts_per_s=0,
        priority=int(priority),
        evenly=None,
    )
    parcels = (Parcel(int(own), "ACME") for own in itertools.cycle(parts))
    lines = [f"{at!r} {own}" for at, own in hand_over(pacer, parcels, for_s=float(for_s))]
    print("\n".join(lines))  # noqa: T201  this is its answer


if __name__ == "__main__":
    main()
