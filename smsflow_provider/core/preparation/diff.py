"""What differs between two preparations: people, texts, settings, cost; or since the former run."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.mask import mask_phone
from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.store.compare import Changes, Missing, compare_rows, previous_delivery
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import Delivery, excluded_of, find_delivery


def diff(store: Store, before_id: str | None, after_id: str, *, limit: int = 20) -> dict[str, Any]:
    """
    Say what differs between the preparations of two deliveries.

    Reads all their messages: seconds for a million. Texts of samples are shown, they are what is
    compared; phones are masked. A preparation that was replaced cannot be compared any more: its
    rows are dropped with the publishing of the next.

    Args:
        before_id: None: the delivery of the former run of the same task.
        limit: Samples of each kind, 0 or more.

    Returns:
        JSON values: all of ``changes``, and ``rows_gone`` (ids of deliveries whose messages are
        not kept any more; then the rest is None), ``recipients`` (``stayed``, and ``came`` and
        ``gone``, each with ``count``, ``reasons``, ``samples``), ``messages`` (of those who
        stayed: counts by what changed, and ``samples``).

    Raises:
        NotFoundError: There is no such delivery.
        ConfigError: One has no complete preparation, or there is no former run.
    """
    after = find_delivery(store, after_id)
    before = (
        previous_delivery(store, after) if before_id is None else find_delivery(store, before_id)
    )
    if before is None:
        raise ConfigError("there is no former delivery of the same task", delivery=after_id)
    for one in (before, after):
        if one.fingerprint is None:
            raise ConfigError(
                "the delivery has no complete preparation: there is nothing to compare",
                delivery=one.id,
                state=one.state.value,
            )
    return {**changes(before, after), **_rows(store, before, after, limit=limit)}


def changes_since_previous(store: Store, delivery: Delivery) -> dict[str, Any] | None:
    """
    Say what changed since the former run, without reading any message: for a review.

    Returns:
        See ``changes``. None: there is no former run, or no complete preparation.
    """
    if delivery.fingerprint is None:
        return None
    before = previous_delivery(store, delivery)
    return None if before is None else changes(before, delivery)


def changes(before: Delivery, after: Delivery) -> dict[str, Any]:
    """
    Compare what two deliveries say of themselves; no message is read.

    Returns:
        JSON values: ``is_same`` (equal fingerprints: the same in every respect), ``before`` and
        ``after`` (delivery, label, state, run_id, created_at, fingerprint), ``figures`` (name to
        before, after and difference), ``exclusions`` (the same by reason), ``cost`` (``before``,
        ``after`` and ``difference``: amounts as text, None where one is not known or the
        currencies differ; ``currency``), ``settings`` (path, before, after) and ``template``
        (part, and its unified ``diff``).
    """
    return {
        "is_same": before.fingerprint == after.fingerprint,
        "before": _name_of(before),
        "after": _name_of(after),
        "figures": {
            name: _pair(getattr(before, name), getattr(after, name))
            for name in ("targeted", "excluded", "to_deliver", "parts")
        },
        "exclusions": _exclusions(before, after),
        "cost": _cost(before, after),
        "settings": _settings(before, after),
        "template": _template(before.template, after.template),
    }


def _name_of(delivery: Delivery) -> dict[str, Any]:
    return {
        "delivery": delivery.id,
        "label": delivery.label,
        "state": delivery.state.value,
        "run_id": delivery.origin.run_id,
        "created_at": delivery.created_at.isoformat(),
        "fingerprint": delivery.fingerprint,
    }


def _pair(before: int, after: int) -> dict[str, int]:
    return {"before": before, "after": after, "difference": after - before}


def _exclusions(before: Delivery, after: Delivery) -> dict[str, dict[str, int]]:
    one, other = excluded_of(before), excluded_of(after)
    return {
        reason.value: _pair(one.get(reason.value, 0), other.get(reason.value, 0))
        for reason in Exclusion
        if reason.value in one or reason.value in other
    }


def _cost(before: Delivery, after: Delivery) -> dict[str, Any]:
    one, other = before.figures.get("cost") or {}, after.figures.get("cost") or {}
    totals = one.get("total"), other.get("total")
    difference = None
    if None not in totals and one.get("currency") == other.get("currency"):
        difference = str(Decimal(str(totals[1])) - Decimal(str(totals[0])))
    return {
        "before": totals[0],
        "after": totals[1],
        "difference": difference,
        "currency": {"before": one.get("currency", ""), "after": other.get("currency", "")},
        "is_complete": {
            "before": bool(one.get("is_complete")),
            "after": bool(other.get("is_complete")),
        },
    }


def _settings(before: Delivery, after: Delivery) -> list[dict[str, Any]]:
    """List every setting that differs; of lists the whole."""
    one, other = dict(_paths_of(before)), dict(_paths_of(after))
    return [
        {"path": path, "before": one.get(path), "after": other.get(path)}
        for path in sorted({*one, *other})
        if one.get(path) != other.get(path)
    ]


def _paths_of(delivery: Delivery) -> Iterator[tuple[str, Any]]:
    yield "template.name", delivery.template.get("name")
    yield from _flat("template", delivery.template.get("settings", {}))
    yield from _flat("settings", delivery.settings)
    yield from _flat("audience", delivery.audience)


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(f"{path}.{key}", inner)
    else:
        yield path, value


def _template(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Compare the texts of two templates, part by part."""
    one, other = dict(_texts_of(before)), dict(_texts_of(after))
    return [
        {"part": part, "diff": _unified(one.get(part, ""), other.get(part, ""))}
        for part in dict.fromkeys([*one, *other])
        if one.get(part) != other.get(part)
    ]


def _texts_of(template: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "body", str(template.get("body", ""))
    for group in ("variants", "blocks"):
        for name, text in sorted((template.get(group) or {}).items()):
            yield f"{group}.{name}", str(text)


def _unified(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), "before", "after", lineterm="", n=2
    )
    return list(lines)


def _rows(store: Store, before: Delivery, after: Delivery, *, limit: int) -> dict[str, Any]:
    found = compare_rows(store, before, after, limit=max(limit, 0))
    if isinstance(found, list):
        return {"rows_gone": found, "recipients": None, "messages": None}
    counted = ("changed", "text", "sender", "parts", "encoding")
    return {
        "rows_gone": [],
        "recipients": {
            "stayed": found.counts["stayed"],
            "came": _people(found.counts["came"], found.came),
            "gone": _people(found.counts["gone"], found.gone),
        },
        "messages": {
            **{name: found.counts[name] for name in counted},
            "samples": _changed(found),
        },
    }


def _people(count: int, missing: Missing) -> dict[str, Any]:
    samples = [{**_person(row), "reason": row["reason"]} for row in missing.rows]
    return {"count": count, "reasons": missing.reasons, "samples": samples}


def _person(row: Row) -> dict[str, Any]:
    return {"recipient_id": row["recipient_id"], "to_masked": mask_phone(row["phone"])}


def _changed(found: Changes) -> list[dict[str, Any]]:
    names = ("sender", "text", "parts", "encoding")
    return [
        {
            **_person(row),
            "before": {name: row[f"{name}_before"] for name in names},
            "after": {name: row[f"{name}_after"] for name in names},
        }
        for row in found.changed
    ]
