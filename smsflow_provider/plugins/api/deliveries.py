"""Deliveries over REST: list, report, log of messages. Reading only."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Query

from smsflow_provider.core.delivery.message_log import message_log
from smsflow_provider.core.delivery.report import report, summaries_of
from smsflow_provider.core.model import DeliveryKind
from smsflow_provider.core.states import DeliveryState, MessageState
from smsflow_provider.core.store.deliveries import list_deliveries
from smsflow_provider.core.store.message_log import MOST_ROWS
from smsflow_provider.plugins.api.access import DeliveryDep, StoreDep, may_read

router = APIRouter(tags=["deliveries"])


@router.get("/deliveries")
def read_deliveries(
    store: StoreDep,
    user: GetUserDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[int | None, Query(description="The `next` of the page before")] = None,
    state: DeliveryState | None = None,
    kind: DeliveryKind | Literal["all"] = DeliveryKind.CAMPAIGN,
) -> dict[str, Any]:
    """List the latest deliveries of DAGs that the caller may see, newest first."""
    wanted = None if kind == "all" else kind
    page = list_deliveries(store, limit=limit, before_no=before, state=state, kind=wanted)
    shown = [one for one in page if may_read(user, one[0].origin.dag_id)]
    more = page[-1][0].no if len(page) == limit else None
    return {"deliveries": summaries_of(store, shown), "next": more}


@router.get("/deliveries/{delivery_id}")
def read_report(delivery: DeliveryDep, store: StoreDep) -> dict[str, Any]:
    """Report on one delivery: counts that add up."""
    return report(store, delivery.id)


@router.get("/deliveries/{delivery_id}/messages/log")
def read_log_of_messages(
    delivery: DeliveryDep,
    store: StoreDep,
    state: MessageState | None = None,
    after: Annotated[
        int, Query(ge=0, le=2**31 - 1, description="The `next` of the page before")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
) -> dict[str, Any]:
    """List messages in their order, with what became of each: masked phones, no texts."""
    return message_log(store, delivery.id, state=state, after=after, limit=limit)
