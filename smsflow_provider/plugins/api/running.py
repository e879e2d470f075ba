"""A delivery while it is being sent, and after: live figures, throughput, summary."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException

from smsflow_provider.core.delivery.live import live, throughput
from smsflow_provider.core.delivery.summary import count_summary, summary
from smsflow_provider.plugins.api.access import DeliveryDep, StoreDep
from smsflow_provider.plugins.api.meanings import with_causes
from smsflow_provider.plugins.api.models.running import (
    CountAgain,
    LiveAnswer,
    SummaryAnswer,
    ThroughputAnswer,
)

router = APIRouter(tags=["running"])


@router.get("/deliveries/{delivery_id}/live", response_model=LiveAnswer)
def read_live(delivery: DeliveryDep, store: StoreDep) -> dict[str, Any]:
    """Tell how a delivery goes now. Cheap: it may be asked every two seconds."""
    return with_causes(delivery, live(store, delivery.id))


@router.get("/deliveries/{delivery_id}/throughput", response_model=ThroughputAnswer)
def read_throughput(delivery: DeliveryDep, store: StoreDep) -> dict[str, Any]:
    """Tell where the messages stood over time."""
    return throughput(store, delivery.id)


@router.get("/deliveries/{delivery_id}/summary", response_model=SummaryAnswer)
def read_summary(delivery: DeliveryDep, store: StoreDep) -> dict[str, Any]:
    """Tell what became of the messages by country, cause and encoding, as counted last."""
    return with_causes(delivery, summary(store, delivery.id))


@router.post("/deliveries/{delivery_id}/summary", response_model=SummaryAnswer)
def count_again(delivery: DeliveryDep, store: StoreDep, _: CountAgain) -> dict[str, Any]:
    """Count the messages again: seconds, for millions. One at a time counts a delivery."""
    if delivery.fingerprint is not None and not count_summary(store, delivery):
        raise HTTPException(
            409, "it is being counted, there is nothing to count, or it took too long: look again"
        )
    return with_causes(delivery, summary(store, delivery.id))
