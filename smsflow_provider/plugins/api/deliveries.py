"""Deliveries over REST: lists, groups, report. Reading only."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.delivery.listing import happening, list_groups, list_page
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.model import DeliveryKind
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.delivery_list import Place, Wish, known_dags
from smsflow_provider.plugins.api.access import DeliveryDep, StoreDep, readable_dags
from smsflow_provider.plugins.api.meanings import with_causes
from smsflow_provider.plugins.api.models.deliveries import (
    DeliveryPage,
    DeliverySummary,
    GroupPage,
    Report,
)

router = APIRouter(tags=["deliveries"])

# The store's text holds no NUL.
_Text = Annotated[str | None, Query(max_length=250, pattern=r"^[^\x00]*$")]
_Before = Annotated[
    str | None,
    Query(pattern="^[0-9]{1,17}-[0-9]{1,18}$", description="The `next` of the page before"),
]


def visible_dags(store: StoreDep, user: GetUserDep) -> list[str]:
    """Name the DAGs with deliveries that the caller may see, also those Airflow knows no more."""
    return sorted(readable_dags(user, known_dags(store)))


VisibleDagsDep = Annotated[list[str], Depends(visible_dags)]


def wish_of(
    visible: VisibleDagsDep,
    *,
    state: Annotated[list[DeliveryState] | None, Query(description="One of these")] = None,
    kind: Annotated[
        Literal["campaign", "proof", "direct", "all"] | None,
        Query(description="Else all but proofs, which are shown with what they are of"),
    ] = None,
    dag_id: _Text = None,
    run_id: _Text = None,
    q: Annotated[
        str | None,
        Query(
            max_length=250, pattern=r"^[^\x00]*$", description="Stands in the label or the DAG's id"
        ),
    ] = None,
    since: Annotated[AwareDatetime | None, Query(description="Made then or later")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Made before")] = None,
    ended_since: Annotated[AwareDatetime | None, Query(description="Ended then or later")] = None,
    before: _Before = None,
) -> Wish:
    """Read which deliveries the caller asks for, of those they may see."""
    return Wish(
        dags=[one for one in visible if dag_id in (None, one)],
        states=state,
        kinds=_kinds_of(kind),
        run_id=run_id,
        text=q,
        since=since,
        until=until,
        ended_since=ended_since,
        before=Place.from_text(before) if before else None,
    )


def _kinds_of(kind: str | None) -> tuple[DeliveryKind, ...]:
    if kind is None:
        return tuple(one for one in DeliveryKind if one is not DeliveryKind.PROOF)
    return tuple(DeliveryKind) if kind == "all" else (DeliveryKind(kind),)


@router.get("/deliveries", response_model=DeliveryPage)
def read_deliveries(
    store: StoreDep,
    wish: Annotated[Wish, Depends(wish_of)],
    attention: Annotated[bool, Query(description="Only those that need a person")] = False,  # noqa: FBT002
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """List deliveries of DAGs that the caller may see, newest first."""
    return list_page(store, wish, limit=limit, now=utc_now(), needs_attention=attention)


@router.get("/deliveries/groups", response_model=GroupPage)
def read_groups(
    store: StoreDep,
    visible: VisibleDagsDep,
    q: _Text = None,
    before: _Before = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
) -> dict[str, Any]:
    """List workflows that the caller may see by their latest delivery, newest first."""
    place = Place.from_text(before) if before else None
    wish = Wish(dags=visible, text=q, before=place)
    return list_groups(store, wish, limit=limit, now=utc_now())


@router.get("/deliveries/summary", response_model=DeliverySummary)
def read_summary(
    store: StoreDep,
    visible: VisibleDagsDep,
    today: Annotated[
        AwareDatetime | None, Query(description="When the caller's day began; else that of UTC")
    ] = None,
    most: Annotated[int, Query(ge=0, le=20, description="Deliveries of each kind")] = 0,
) -> dict[str, Any]:
    """Tell what needs a person and what is being sent, of DAGs that the caller may see."""
    now = utc_now()
    began = today or now.replace(hour=0, minute=0, second=0, microsecond=0)
    return happening(store, visible, today=began, now=now, most=most)


@router.get("/deliveries/{delivery_id}", response_model=Report, response_model_exclude_unset=True)
def read_report(delivery: DeliveryDep, store: StoreDep) -> dict[str, Any]:
    """Report on one delivery: counts that add up."""
    return with_causes(delivery, report(store, delivery.id, is_quick=True))
