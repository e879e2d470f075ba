"""Pause, resume, stop and resend over REST, and the switch for everything."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Depends

from smsflow_provider.core.delivery.actions import version_of
from smsflow_provider.core.delivery.control import pause, resume, stop
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.delivery.resend import resend
from smsflow_provider.core.delivery.seen import Seen
from smsflow_provider.core.delivery.send import close_stopped
from smsflow_provider.core.delivery.switch import find_switch, switch_off, switch_on
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery
from smsflow_provider.core.store.switch import Switch
from smsflow_provider.plugins.api.access import (
    SendableDeliveryDep,
    StoreDep,
    SwitchingUserDep,
    check_reader,
    name_of,
)
from smsflow_provider.plugins.api.idempotent import IdempotentRoute
from smsflow_provider.plugins.api.meanings import with_causes
from smsflow_provider.plugins.api.models.control import (
    Again,
    Controlled,
    OfContent,
    OfVersion,
    Resent,
    SwitchAnswer,
    SwitchedOff,
    TurnedOff,
    TurnedOn,
)

router = APIRouter(tags=["control"], route_class=IdempotentRoute)


@router.post(
    "/deliveries/{delivery_id}/pause",
    response_model=Controlled,
    response_model_exclude_unset=True,
)
def pause_delivery(
    delivery: SendableDeliveryDep, of: OfContent, store: StoreDep, user: GetUserDep
) -> dict[str, Any]:
    """Hold a delivery that is being sent; answers with its report."""
    pause(store, delivery.id, actor=name_of(user), seen=_content(of))
    return _stands(store, delivery.id)


@router.post(
    "/deliveries/{delivery_id}/resume",
    response_model=Controlled,
    response_model_exclude_unset=True,
)
def resume_delivery(
    delivery: SendableDeliveryDep, of: OfVersion, store: StoreDep, user: GetUserDep
) -> dict[str, Any]:
    """
    Let a paused delivery go on; answers with its report.

    Whoever resumes accepts why it paused: so it must be the pause that was looked at.
    """
    resume(store, delivery.id, actor=name_of(user), seen=Seen(version=of.version))
    return _stands(store, delivery.id)


@router.post(
    "/deliveries/{delivery_id}/stop",
    response_model=Controlled,
    response_model_exclude_unset=True,
)
def stop_delivery(
    delivery: SendableDeliveryDep, of: OfContent, store: StoreDep, user: GetUserDep
) -> dict[str, Any]:
    """
    Stop a delivery for good, or its preparation, which may be begun again; answers with its report.

    What is under way comes back first: until then the report has it as waiting.
    """
    actor = name_of(user)
    stop(store, delivery.id, actor=actor, seen=_content(of))
    close_stopped(store, delivery.id, actor=actor)
    return _stands(store, delivery.id)


@router.post(
    "/deliveries/{delivery_id}/resend",
    response_model=Resent,
    response_model_exclude_unset=True,
)
def resend_delivery(
    delivery: SendableDeliveryDep, again: Again, store: StoreDep, user: GetUserDep
) -> dict[str, Any]:
    """
    Let messages of a finished delivery go again that failed or expired; answers with its report.

    ``resent`` says how many wait. Nothing leaves before the send task runs again: clear it.
    """
    count = resend(
        store,
        delivery.id,
        kinds=frozenset(again.kinds),
        actor=name_of(user),
        seen=Seen(version=again.version),
    )
    stands = _stands(store, delivery.id)
    return {**stands, "resent": count, "do": "clear the send task of its run"}


@router.get("/switch", dependencies=[Depends(check_reader)])
def read_switch(store: StoreDep) -> SwitchAnswer:
    """Tell how the switch for everything stands, who turned it last, when and why."""
    return SwitchAnswer(**_told(find_switch(store)))


@router.post("/switch/off")
def turn_off(turned: TurnedOff, store: StoreDep, user: SwitchingUserDep) -> SwitchedOff:
    """Switch everything off: what is being sent pauses; ``paused`` lists it."""
    switch, paused = switch_off(store, actor=name_of(user), reason=turned.reason)
    return SwitchedOff(**_told(switch), paused=paused)


@router.post("/switch/on")
def turn_on(turned: TurnedOn, store: StoreDep, user: SwitchingUserDep) -> SwitchAnswer:
    """
    Switch on again. Nothing goes on by itself: resume what is to go on.

    409 where somebody has switched off anew since the caller looked.
    """
    actor = name_of(user)
    switch = switch_on(store, actor=actor, reason=turned.reason, seen_at=turned.version)
    return SwitchAnswer(**_told(switch))


def _content(of: OfContent) -> Seen:
    return Seen(fingerprint=of.fingerprint or "")


def _stands(store: Store, delivery_id: str) -> dict[str, Any]:
    """Report on a delivery, with what the next act about it wants."""
    found = find_delivery(store, delivery_id)
    told = with_causes(found, report(store, delivery_id))
    return {**told, "fingerprint": found.fingerprint, "version": version_of(found)}


def _told(switch: Switch) -> dict[str, Any]:
    return {
        "is_off": switch.is_off,
        "reason": switch.reason,
        "by": switch.by,
        "at": switch.at,
    }
