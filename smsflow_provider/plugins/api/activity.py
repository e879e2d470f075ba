"""What was done about a delivery over REST."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from smsflow_provider.core.delivery.activity import SOURCES, activity
from smsflow_provider.plugins.api.access import DeliveryDep, StoreDep
from smsflow_provider.plugins.api.models.activity import ActivityPage

router = APIRouter(tags=["activity"])

_PLACE = rf"^[0-9T:.+-]{{19,40}}_({'|'.join(SOURCES)})_[0-9]{{1,18}}$"


@router.get("/deliveries/{delivery_id}/activity", response_model=ActivityPage)
def read_activity(
    delivery: DeliveryDep,
    store: StoreDep,
    before: Annotated[
        str | None, Query(pattern=_PLACE, description="The `next` of the page before")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """List who did what and when, over all preparations, newest first."""
    try:
        return activity(store, delivery.id, before=before, limit=limit)
    except ValueError:
        raise HTTPException(422, "`before` is none of a page before") from None
