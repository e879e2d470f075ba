"""The codes of gateways with their meanings, in what is answered about a delivery."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from smsflow_provider.core.delivery.waves import sending_of
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.hooks.meanings import meanings_of


def with_meanings(delivery: Delivery, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Add ``meaning`` to *rows* about messages of *delivery*, by their ``code``; may be empty."""
    meaning_of = meanings_of(_gateways_of(delivery))
    return [{**row, "meaning": meaning_of(row["code"])} for row in rows]


def with_causes(delivery: Delivery, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Add the meanings to the ``causes`` of *answer*."""
    return {**answer, "causes": with_meanings(delivery, answer["causes"])}


def _gateways_of(delivery: Delivery) -> list[str]:
    """Name the delivery's own gateway, then the second one if it has one."""
    failover = sending_of(delivery).failover
    return [delivery.gateway, failover.gateway] if failover else [delivery.gateway]
