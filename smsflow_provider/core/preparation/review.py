"""What a reviewer looks at before saying Send: counts, exclusions, parts, real messages."""

from __future__ import annotations

from typing import Any, Final

from smsflow_provider.core.preparation.diff import changes_since_previous
from smsflow_provider.core.preparation.found import found_of
from smsflow_provider.core.preparation.preview import messages_at
from smsflow_provider.core.store.archive import find_archive
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import (
    Delivery,
    excluded_of,
    find_delivery,
    read_log,
)
from smsflow_provider.core.store.progress import read_progress
from smsflow_provider.core.store.samples import names_of_samples

_WEIGHTS: Final = {"error": 0, "warning": 1, "info": 2}


def review(store: Store, delivery_id: str) -> dict[str, Any]:
    """
    Show one preparation. Texts are shown, they are what is reviewed; phones are masked.

    Returns:
        JSON values: ``delivery``, ``label``, ``state``, ``fingerprint``, ``gateway``,
        ``dry_run``, ``archived`` (``at`` and ``uri``, None: its messages are in the store),
        ``targeted``, ``excluded`` (by reason), ``waterfall`` (reason, excluded, left),
        ``to_deliver``, ``parts``, ``encodings``, ``by_parts``, ``senders``, ``languages``,
        ``regions``, ``details``, ``log`` (level, event, problem; errors first, then warnings),
        ``cost`` (None: it is not known), ``changes``
        (since the former run of the same task, None without one; see ``changes_since_previous``),
        ``audience`` (how it was found, None: it is not known; see ``found_of``),
        ``samples`` (see ``preview``) and ``progress`` (None: it is not being prepared; see
        ``read_progress``).

    Raises:
        NotFoundError: There is no such delivery.
    """
    delivery = find_delivery(store, delivery_id)
    figures = delivery.figures
    archived = find_archive(store, delivery.preparation)
    return {
        "delivery": delivery.id,
        "label": delivery.label,
        "state": delivery.state.value,
        "fingerprint": delivery.fingerprint,
        "gateway": delivery.gateway,
        "dry_run": delivery.dry_run,
        "prepared_at": delivery.prepared_at and delivery.prepared_at.isoformat(),
        "archived": archived and {"at": archived.at.isoformat(), "uri": archived.uri},
        "audience": found_of(store, delivery),
        "targeted": delivery.targeted,
        "excluded": excluded_of(delivery),
        "waterfall": _waterfall(delivery),
        "to_deliver": delivery.to_deliver,
        "parts": delivery.parts,
        "encodings": dict(figures.get("encodings", {})),
        "by_parts": dict(figures.get("by_parts", {})),
        "senders": dict(figures.get("senders", {})),
        "languages": dict(figures.get("languages", {})),
        "regions": dict(figures.get("regions", {})),
        "details": list(figures.get("details", [])),
        "log": _log(store, delivery),
        "cost": figures.get("cost"),
        "changes": changes_since_previous(store, delivery),
        "samples": messages_at(store, delivery, list(names_of_samples(delivery))),
        "progress": read_progress(store, [delivery]).get(delivery.no),
    }


def _log(store: Store, delivery: Delivery) -> list[dict[str, Any]]:
    """Read the log with what weighs most first, and the order of time within a level."""
    lines = [
        {"level": row["level"], "event": row["event"], "problem": row["problem"]}
        for row in read_log(store, delivery)
    ]
    return sorted(lines, key=lambda line: _WEIGHTS.get(line["level"], len(_WEIGHTS)))


def _waterfall(delivery: Delivery) -> list[dict[str, Any]]:
    """Say how many are left after each reason, from the targeted down to those to deliver."""
    left = delivery.targeted
    steps = []
    for reason, count in excluded_of(delivery).items():
        left -= count
        steps.append({"reason": reason, "excluded": count, "left": left})
    return steps


def counts_of(delivery: Delivery) -> dict[str, Any]:
    """Sum a preparation up in ids and counts, as it travels between tasks."""
    return {
        "delivery": delivery.id,
        "state": delivery.state.value,
        "targeted": delivery.targeted,
        "excluded": delivery.excluded,
        "to_deliver": delivery.to_deliver,
        "parts": delivery.parts,
    }
