"""Pause, resume, stop and resend over REST, and the switch for everything."""

from __future__ import annotations

from typing import Any, Literal

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from smsflow_provider.core.delivery.control import pause, resume, stop
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.delivery.resend import resend
from smsflow_provider.core.delivery.send import close_stopped
from smsflow_provider.core.delivery.switch import REASON_LIMIT, find_switch, switch_off, switch_on
from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.store.switch import Switch
from smsflow_provider.plugins.api.access import (
    SendableDeliveryDep,
    StoreDep,
    SwitchingUserDep,
    actor_of,
)

router = APIRouter(tags=["control"])


class Nothing(BaseModel):
    """An empty JSON object: a form of another site cannot send one."""

    model_config = ConfigDict(extra="forbid")


class Again(BaseModel):
    """What is to go again."""

    model_config = ConfigDict(extra="forbid")

    kinds: set[Literal[OutcomeKind.FAILED, OutcomeKind.EXPIRED]] = Field(min_length=1)


class Turned(BaseModel):
    """Why the switch is turned. People read it; no number and no text in it."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="", max_length=REASON_LIMIT)


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


@router.post("/deliveries/{delivery_id}/resend")
def resend_delivery(
    delivery: SendableDeliveryDep, again: Again, store: StoreDep, user: GetUserDep
) -> dict[str, Any]:
    """
    Let messages of a finished delivery go again that failed or expired; answers with its report.

    ``resent`` says how many wait. Nothing leaves before the send task runs again: clear it.
    """
    count = resend(store, delivery.id, kinds=frozenset(again.kinds), actor=actor_of(user))
    return {**report(store, delivery.id), "resent": count, "do": "clear the send task of its run"}


@router.get("/switch")
def read_switch(store: StoreDep) -> dict[str, Any]:
    """Tell how the switch for everything stands, who turned it last, when and why."""
    return _told(find_switch(store))


@router.post("/switch/off")
def turn_off(turned: Turned, store: StoreDep, user: SwitchingUserDep) -> dict[str, Any]:
    """Switch everything off: what is being sent pauses; ``paused`` lists it."""
    switch, paused = switch_off(store, actor=actor_of(user), reason=turned.reason)
    return {**_told(switch), "paused": paused}


@router.post("/switch/on")
def turn_on(turned: Turned, store: StoreDep, user: SwitchingUserDep) -> dict[str, Any]:
    """Switch on again. Nothing goes on by itself: resume what is to go on."""
    return _told(switch_on(store, actor=actor_of(user), reason=turned.reason))


def _told(switch: Switch) -> dict[str, Any]:
    return {
        "is_off": switch.is_off,
        "reason": switch.reason,
        "by": switch.by,
        "at": switch.at and switch.at.isoformat(),
    }
