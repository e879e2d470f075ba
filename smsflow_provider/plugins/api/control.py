"""Pause, resume and stop over REST."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from smsflow_provider.core.delivery.control import pause, resume, stop
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.delivery.send import close_stopped
from smsflow_provider.plugins.api.access import SendableDeliveryDep, StoreDep, actor_of

router = APIRouter(tags=["control"])


class Nothing(BaseModel):
    """An empty JSON object: a form of another site cannot send one."""

    model_config = ConfigDict(extra="forbid")


@router.post("/deliveries/{delivery_id}/pause")
def pause_delivery(
    delivery: SendableDeliveryDep, _: Nothing, store: StoreDep, user: GetUserDep
) -> dict[str, Any]:
    """Hold a delivery that is being sent; answers with its report."""
    pause(store, delivery.id, actor=actor_of(user))
    return report(store, delivery.id)


@router.post("/deliveries/{delivery_id}/resume")
def resume_delivery(
    delivery: SendableDeliveryDep, _: Nothing, store: StoreDep, user: GetUserDep
) -> dict[str, Any]:
    """Let a paused delivery go on; answers with its report."""
    resume(store, delivery.id, actor=actor_of(user))
    return report(store, delivery.id)


@router.post("/deliveries/{delivery_id}/stop")
def stop_delivery(
    delivery: SendableDeliveryDep, _: Nothing, store: StoreDep, user: GetUserDep
) -> dict[str, Any]:
    """
    Stop a delivery for good, or its preparation, which may be begun again; answers with its report.

    What is under way comes back first: until then the report has it as waiting.
    """
    actor = actor_of(user)
    stop(store, delivery.id, actor=actor)
    close_stopped(store, delivery.id, actor=actor)
    return report(store, delivery.id)
