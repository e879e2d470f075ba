"""How a delivery goes right now, and how it went: rates from samples of exact sums."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.delivery.leaving import leaving_of
from smsflow_provider.core.delivery.report import causes_now
from smsflow_provider.core.model import FIGURES, SETTLED
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery, read_figures
from smsflow_provider.core.store.kept_connection import KeptStore
from smsflow_provider.core.store.running import (
    read_samples,
    sample_before,
    workers_alive,
)

#: The rate is that of the last so many seconds.
RATE_S: Final = 60
#: The small chart beside it shows the last so many seconds.
RECENT_S: Final = 900
#: Points of a chart, at the most, and a few.
MOST_POINTS: Final = 240


def live(store: Store, delivery_id: str) -> dict[str, Any]:
    """
    Tell how a delivery goes at this moment. Cheap: it may be asked every two seconds.

    Returns:
        JSON values: ``delivery``, ``at``, ``state``, ``pause_reason``, ``dry_run``, the figures of
        a report (``to_deliver`` to ``waiting``), ``settled``; ``per_s`` (messages settled a
        second over the last minute; None: not known, or it is not being sent), ``parts_per_s``
        (the same in parts, by the delivery's average), ``limit_per_s`` (parts; 0: no limit, None:
        not known), ``left_s`` (None: not known, or nothing moves), ``workers``, ``wave`` (``no``
        and ``until``; None: there are none), ``causes`` (see ``report``), ``causes_whole``
        (False: of a part of the messages, or of some time ago) and ``points`` of the last 15
        minutes, as ``throughput`` has them.

    Raises:
        NotFoundError: There is no such delivery.
    """
    with KeptStore(store) as kept:
        delivery = find_delivery(kept, delivery_id)
        now = utc_now()
        figures = read_figures(kept, delivery)
        settled = sum(figures[kind] for kind in SETTLED)
        per_s = _rate(kept, delivery, settled, now)
        causes, is_whole = causes_now(kept, delivery, figures)
        recent = read_samples(
            kept, delivery, since=now - timedelta(seconds=RECENT_S), most=MOST_POINTS // 2
        )
        return {
            "delivery": delivery.id,
            "at": now.isoformat(),
            "state": delivery.state.value,
            "pause_reason": _pause_reason(delivery),
            "dry_run": delivery.dry_run,
            "to_deliver": delivery.to_deliver,
            **figures,
            "settled": settled,
            "waiting": delivery.to_deliver - settled,
            **_pace(delivery, per_s, left=delivery.to_deliver - settled),
            "workers": workers_alive(kept, delivery),
            "wave": _wave(delivery),
            "causes": causes,
            "causes_whole": is_whole,
            "points": [*map(_point, recent), _point({**figures, "at": now})],
        }


def _rate(store: Store, delivery: Delivery, settled: int, now: datetime) -> float | None:
    """Messages settled a second over the last minute. None: not known, or it is not being sent."""
    if delivery.state is not DeliveryState.SENDING:
        return None
    base = sample_before(store, delivery, before=now - timedelta(seconds=RATE_S))
    began = delivery.sending_at
    if base is None or (now - base["at"]).total_seconds() < 2:
        if began is None or (now - began).total_seconds() > 2 * RATE_S:
            return None
        first, before = began, 0
    else:
        first, before = base["at"], sum(base[kind] for kind in SETTLED)
    # A gap in the samples, such as a crash leaves, makes it an average over the gap.
    passed_s = (now - max(first, delivery.moved_at)).total_seconds()
    if passed_s < 2:
        return None
    # A message that goes again takes the sum back.
    return max(0, settled - before) / passed_s


def _pace(delivery: Delivery, per_s: float | None, *, left: int) -> dict[str, Any]:
    gateways = leaving_of(delivery)["gateways"]
    each = delivery.parts / delivery.to_deliver if delivery.to_deliver else 1.0
    return {
        "per_s": per_s,
        "parts_per_s": None if per_s is None else per_s * each,
        "limit_per_s": gateways[0]["parts_per_s"] if gateways else None,
        "left_s": left / per_s if per_s and left > 0 else None,
    }


def _pause_reason(delivery: Delivery) -> str | None:
    is_paused = delivery.state is DeliveryState.PAUSED
    return (delivery.pause_reason or None) if is_paused else None


def _wave(delivery: Delivery) -> dict[str, Any] | None:
    return {"no": delivery.wave, "until": delivery.wave_until} if delivery.wave else None


def throughput(store: Store, delivery_id: str) -> dict[str, Any]:
    """
    Tell where the messages stood over time, from when sending began until now.

    Returns:
        JSON values: ``delivery``, ``sending_at``, ``ended_at`` and ``points``: about 240 at the
        most, in their order, each with ``at`` and sums: ``settled``, ``accepted``, ``delivered``,
        ``undelivered``, ``failed``, ``unknown``, ``cancelled``, ``expired``. Between two points
        the sums grew by their difference, however far they are apart.

    Raises:
        NotFoundError: There is no such delivery.
    """
    with KeptStore(store) as kept:
        delivery = find_delivery(kept, delivery_id)
        since = datetime(1970, 1, 1, tzinfo=UTC)
        rows = read_samples(kept, delivery, since=since, most=MOST_POINTS)
        now = {**read_figures(kept, delivery), "at": utc_now()}
    points = [_point(row) for row in [*_first(delivery, rows), *rows]]
    if rows and any(rows[-1][name] != now[name] for name in FIGURES):
        points.append(_point(now))
    return {
        "delivery": delivery.id,
        "sending_at": delivery.sending_at and delivery.sending_at.isoformat(),
        "ended_at": delivery.ended_at and delivery.ended_at.isoformat(),
        "points": points,
    }


def _first(delivery: Delivery, rows: list[Row]) -> list[Row]:
    """Begin with nothing at the moment sending began."""
    if not rows or delivery.sending_at is None or delivery.sending_at >= rows[0]["at"]:
        return []
    return [{**dict.fromkeys(FIGURES, 0), "at": delivery.sending_at}]


def _point(row: Row) -> dict[str, Any]:
    settled = sum(row[kind] for kind in SETTLED)
    sums = {name: row[name] for name in FIGURES}
    return {"at": row["at"].isoformat(), "settled": settled, **sums}
