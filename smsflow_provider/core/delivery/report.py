"""What happened to a delivery, in numbers that add up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smsflow_provider.core.delivery.summary import SMALL
from smsflow_provider.core.model import SETTLED, DeliveryKind
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.archive import Archived, find_archive
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import (
    Delivery,
    excluded_of,
    find_delivery,
    read_causes,
    read_figures,
)
from smsflow_provider.core.store.kept_connection import KeptStore
from smsflow_provider.core.store.progress import read_progress
from smsflow_provider.core.store.running import read_summary, some_causes


def report(store: Store, delivery_id: str, *, is_quick: bool = False) -> dict[str, Any]:
    """
    Report on one delivery. Holds counts and ids only.

    Args:
        is_quick: Somebody waits: the causes of a large delivery are those that were counted last,
            or those of a part of its messages (see ``causes_now``).

    Returns:
        JSON values: ``delivery``, ``label``, ``kind``, ``state``, ``dag_id``, ``run_id``,
        ``dry_run``, ``created_at``, ``targeted``, ``excluded`` (by reason), ``to_deliver``,
        ``parts``, ``accepted`` (ever, with those delivered or not since), ``delivered``,
        ``undelivered``, ``failed``, ``unknown``, ``cancelled``, ``expired``, ``waiting`` (not
        settled yet), ``causes``.
        targeted = sum of excluded + to_deliver; to_deliver = accepted + failed + unknown +
        cancelled + expired + waiting. Without a complete preparation all of them are 0. While it is
        being prepared also ``progress`` (see ``read_progress``); while it is paused
        ``pause_reason`` (a ``PauseReason``); with waves ``wave``: ``no``, and ``until``, the last
        position that may leave (None: all); of a proof also ``proof``: ``of``
        (the delivery it shows), ``no``, ``by``, ``numbers``, ``messages``, ``marked``,
        ``parts_unmarked`` (what it had been without the mark), ``opted_out`` and ``quarantined``
        (how many of the numbers are). Once its messages are archived also ``archived``: ``at`` and
        ``uri`` (empty: they were dropped without files).

    Raises:
        NotFoundError: There is no such delivery.
    """
    with KeptStore(store) as kept:
        delivery = find_delivery(kept, delivery_id)
        figures = read_figures(kept, delivery)
        archived = find_archive(kept, delivery.preparation)
        causes = _causes_of(kept, delivery, archived, figures if is_quick else None)
        progress = read_progress(kept, [delivery]).get(delivery.no)
    summary = summary_of(delivery, figures, progress=progress)
    return {**summary, "causes": causes, **archived_facts(archived)}


def archived_facts(archived: Archived | None) -> dict[str, Any]:
    """Tell under ``archived`` where the messages of a delivery are. Empty: in the store."""
    if archived is None:
        return {}
    return {"archived": {"at": archived.at.isoformat(), "uri": archived.uri}}


def _causes_of(
    store: Store, delivery: Delivery, archived: Archived | None, quickly: dict[str, int] | None
) -> list[Any]:
    """Read the causes; those of archived messages were kept with the figures."""
    if archived is not None:
        return list(delivery.figures.get("causes", []))
    if quickly is not None:
        return causes_now(store, delivery, quickly)[0]
    return [dict(row) for row in read_causes(store, delivery)]


def causes_now(
    store: Store, delivery: Delivery, figures: dict[str, int]
) -> tuple[list[dict[str, Any]], bool]:
    """
    Read causes while somebody waits, however large the delivery is.

    A small one is counted. Of a large one what was counted last is given, or else the causes of
    some of its messages.

    Returns:
        ``kind``, ``code`` and ``messages``, at most 50; and whether they are of all messages that
        ended badly by now.
    """
    if delivery.to_deliver <= SMALL:
        return [dict(row) for row in read_causes(store, delivery)], True
    bad = sum(figures[kind] for kind in SETTLED if kind != "accepted")
    kept = read_summary(store, delivery) if bad else None
    if kept is None:
        found = [dict(row) for row in some_causes(store, delivery)] if bad else []
    else:
        found = [one for one in kept["document"]["causes"] if one["kind"] != "undelivered"]
    return found, sum(one["messages"] for one in found) == bad


def summaries_of(
    store: Store, page: Sequence[tuple[Delivery, dict[str, int]]]
) -> list[dict[str, Any]]:
    """Sum up a page of deliveries, each with its figures. See ``report``; without ``causes``."""
    progress = read_progress(store, [delivery for delivery, _ in page])
    return [
        summary_of(delivery, figures, progress=progress.get(delivery.no))
        for delivery, figures in page
    ]


def summary_of(
    delivery: Delivery, figures: dict[str, int], *, progress: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Put a delivery and its figures into one JSON value. See ``report``."""
    settled = sum(figures[k] for k in SETTLED)
    return {
        "delivery": delivery.id,
        "label": delivery.label,
        "kind": delivery.kind.value,
        "state": delivery.state.value,
        "dag_id": delivery.origin.dag_id,
        "run_id": delivery.origin.run_id,
        "dry_run": delivery.dry_run,
        "created_at": delivery.created_at.isoformat(),
        "targeted": delivery.targeted,
        "excluded": excluded_of(delivery),
        "to_deliver": delivery.to_deliver,
        "parts": delivery.parts,
        **figures,
        "waiting": delivery.to_deliver - settled,
        **({"progress": progress} if progress else {}),
        **_held_back(delivery),
        **({"proof": _proof_of(delivery)} if delivery.kind is DeliveryKind.PROOF else {}),
    }


def _held_back(delivery: Delivery) -> dict[str, Any]:
    """Tell why messages that could leave do not."""
    told: dict[str, Any] = {}
    if delivery.state is DeliveryState.PAUSED and delivery.pause_reason:
        told["pause_reason"] = delivery.pause_reason
    if delivery.wave:
        told["wave"] = {"no": delivery.wave, "until": delivery.wave_until}
    return told


def _proof_of(delivery: Delivery) -> dict[str, Any]:
    """Tell what is shown to whom; of a proof that has no messages yet only the first three."""
    of = delivery.settings.get("proof", {}).get("of", "")
    first = {"of": of, "no": delivery.proof_no, "by": delivery.created_by}
    return {**first, **delivery.figures.get("proof", {})}
