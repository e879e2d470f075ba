"""The messages of a delivery over REST: a page of them, one's story, all of them as CSV."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.responses import StreamingResponse

from smsflow_provider.core.delivery.message_log import (
    EXPORTED,
    exported_messages,
    message_log,
    message_story,
)
from smsflow_provider.core.states import MessageState
from smsflow_provider.core.store.archive import find_archive
from smsflow_provider.core.store.audit import write_audit
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.message_log import MOST_ROWS
from smsflow_provider.plugins.api.access import DeliveryDep, StoreDep, may_send, name_of
from smsflow_provider.plugins.api.csv_answer import csv_answer
from smsflow_provider.plugins.api.meanings import with_meanings
from smsflow_provider.plugins.api.models.log import ExportRequest, MessageLogPage, MessageStory

router = APIRouter(tags=["messages"])

_LAST = 2**31 - 1
States = Annotated[
    list[MessageState],
    Query(max_length=len(MessageState), description="Only messages in one of these; none: all"),
]
_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}}}


@router.get(
    "/deliveries/{delivery_id}/messages/log",
    response_model=MessageLogPage,
    response_model_exclude_unset=True,
)
def read_log_of_messages(
    delivery: DeliveryDep,
    store: StoreDep,
    state: States = [],  # noqa: B006  FastAPI copies
    after: Annotated[int, Query(ge=0, le=_LAST, description="The `next` of the page before")] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
) -> dict[str, Any]:
    """List messages in their order, with what became of each: masked phones, no texts."""
    page = message_log(store, delivery.id, states=state, after=after, limit=limit)
    return {**page, "messages": with_meanings(delivery, page["messages"])}


@router.get("/deliveries/{delivery_id}/messages/log/{position}", response_model=MessageStory)
def read_story_of_message(
    delivery: DeliveryDep, store: StoreDep, position: Annotated[int, Path(ge=1, le=_LAST)]
) -> dict[str, Any]:
    """Tell what happened to one message, step by step: a masked phone, no text."""
    story = message_story(store, delivery.id, position)
    (told,) = with_meanings(delivery, [story])
    return {**told, "steps": with_meanings(delivery, story["steps"])}


@router.get(
    "/deliveries/{delivery_id}/messages.csv", response_class=StreamingResponse, responses=_CSV
)
def export_messages(
    delivery: DeliveryDep,
    store: StoreDep,
    state: States = [],  # noqa: B006
) -> StreamingResponse:
    """Give all messages, with what became of each, as CSV: masked phones, no texts."""
    return _csv_of(store, delivery, states=state, whole=False)


@router.post(
    "/deliveries/{delivery_id}/messages.csv", response_class=StreamingResponse, responses=_CSV
)
def export_numbers(
    delivery: DeliveryDep, store: StoreDep, user: GetUserDep, wish: ExportRequest
) -> StreamingResponse:
    """Give the same with whole numbers where they are asked for: who may send, and it is noted."""
    if wish.numbers:
        if not may_send(user, delivery.origin.dag_id):
            raise HTTPException(403, "you may see this delivery, and not its whole numbers")
        _check_there(store, delivery)
        with store.transaction() as connection:
            write_audit(
                connection,
                actor=name_of(user),
                action="numbers_exported",
                delivery_no=delivery.no,
                facts={"state": ", ".join(wish.state)} if wish.state else {},
            )
    return _csv_of(store, delivery, states=wish.state or (), whole=wish.numbers)


def _check_there(store: Store, delivery: Delivery) -> None:
    """
    Refuse what has left the store.

    Raises:
        HTTPException: 409; it says where the messages are.
    """
    archived = find_archive(store, delivery.preparation)
    if archived is not None:
        where = f"are in {archived.uri}" if archived.uri else "were dropped without files"
        raise HTTPException(409, f"the messages have left the store: they {where}")


def _csv_of(
    store: Store, delivery: Delivery, *, states: Collection[MessageState], whole: bool
) -> StreamingResponse:
    _check_there(store, delivery)
    pages = exported_messages(store, delivery, states=states, whole=whole)
    return csv_answer(f"{delivery.id}.csv", columns=EXPORTED, pages=pages, is_marked=True)
