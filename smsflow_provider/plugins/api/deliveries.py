"""Deliveries over REST: list, report, review. Reading only; Send goes through Airflow's request."""

from __future__ import annotations

from typing import Annotated, Any

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Query

from smsflow_provider.core.delivery.report import report, summary_of
from smsflow_provider.core.preparation.review import review
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.deliveries import list_deliveries
from smsflow_provider.plugins.api.access import DeliveryDep, StoreDep, may_read

router = APIRouter(tags=["deliveries"])


@router.get("/deliveries")
def read_deliveries(
    store: StoreDep,
    user: GetUserDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[int | None, Query(description="The `next` of the page before")] = None,
    state: DeliveryState | None = None,
) -> dict[str, Any]:
    """List the latest deliveries of DAGs that the caller may see, newest first."""
    page = list_deliveries(store, limit=limit, before_no=before, state=state)
    shown = [
        summary_of(delivery, figures)
        for delivery, figures in page
        if may_read(user, delivery.origin.dag_id)
    ]
    more = page[-1][0].no if len(page) == limit else None
    return {"deliveries": shown, "next": more}


@router.get("/deliveries/{delivery_id}")
def read_report(delivery: DeliveryDep, store: StoreDep) -> dict[str, Any]:
    """Report on one delivery: counts that add up."""
    return report(store, delivery.id)


@router.get("/deliveries/{delivery_id}/review")
def read_review(delivery: DeliveryDep, store: StoreDep) -> dict[str, Any]:
    """Show what a reviewer looks at: counts, exclusions, parts, sample texts, masked phones."""
    return review(store, delivery.id)
