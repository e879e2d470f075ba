"""
Review and send over REST: how a delivery stands, Send, and Reject.

A decision is recorded first; it holds from then on. Then Airflow's waiting task is told, with the
caller's own credentials. Killed between the two, or where Airflow does not answer, the decision
stands and the task still waits: the same request again tells it once more.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Request, Response

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.delivery.actions import DECIDED, Caller, actions_of, turn_of, version_of
from smsflow_provider.core.delivery.approval import decide_once
from smsflow_provider.core.delivery.four_eyes import Person
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.approvals import (
    Approval,
    Decision,
    Question,
    find_approval,
    find_question,
)
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.kept_connection import KeptStore
from smsflow_provider.plugins.api.access import (
    DeliveryDep,
    SendableDeliveryDep,
    StoreDep,
    actor_of,
    may_send,
    may_start,
)
from smsflow_provider.plugins.api.airflow_api import ENDED, WAITING, Told, answer_question
from smsflow_provider.plugins.api.dags import state_of, waits_until
from smsflow_provider.plugins.api.idempotent import IdempotentRoute
from smsflow_provider.plugins.api.models.approve import (
    Decides,
    DecisionAnswer,
    DeliveryHeader,
    Rejects,
    Unheard,
)

router = APIRouter(tags=["approval"], route_class=IdempotentRoute)

_DO = {
    Told.YES: "",
    Told.NO: "Airflow's task does not know of it yet: ask for the same again",
    Told.ENDED: "Airflow's task has ended before: clear it, and it finds the decision",
}
_UNTOLD: dict[int | str, dict[str, Any]] = {
    202: {"model": DecisionAnswer, "description": "Decided; Airflow could not be told: ask again"}
}
#: How long a decision that was made may be on its way to Airflow's task.
_ON_ITS_WAY = timedelta(seconds=15)
_OPTIONS = {Decision.SEND: "Send", Decision.REJECT: "Reject"}


@router.get("/deliveries/{delivery_id}/header", response_model=DeliveryHeader)
def read_header(delivery: DeliveryDep, store: StoreDep, user: GetUserDep) -> dict[str, Any]:
    """Tell what a delivery is, how it stands, whose turn it is, and what the caller may do."""
    return header_of(store, delivery, user)


@router.post("/deliveries/{delivery_id}/send", response_model=DecisionAnswer, responses=_UNTOLD)
async def send_delivery(
    delivery: SendableDeliveryDep,
    decides: Decides,
    store: StoreDep,
    user: GetUserDep,
    request: Request,
    response: Response,
) -> dict[str, Any]:
    """
    Say Send to the very content that was reviewed.

    Takes some seconds where the question was asked just now: Airflow must have digested it. 202
    where the decision is recorded and Airflow could not be told. 409 where the delivery was
    prepared again, or somebody decided otherwise.
    """
    return await _decide(
        delivery, Decision.SEND, decides, store=store, user=user, call=(request, response)
    )


@router.post("/deliveries/{delivery_id}/reject", response_model=DecisionAnswer, responses=_UNTOLD)
async def reject_delivery(
    delivery: SendableDeliveryDep,
    decides: Rejects,
    store: StoreDep,
    user: GetUserDep,
    request: Request,
    response: Response,
) -> dict[str, Any]:
    """Reject the content that was reviewed, with a reason: nothing of it leaves. See Send."""
    return await _decide(
        delivery, Decision.REJECT, decides, store=store, user=user, call=(request, response)
    )


async def _decide(
    delivery: Delivery,
    decision: Decision,
    decides: Decides,
    *,
    store: Store,
    user: BaseUser,
    call: tuple[Request, Response],
) -> dict[str, Any]:
    request, response = call
    made = await asyncio.to_thread(
        decide_once,
        store,
        delivery.id,
        fingerprint=decides.fingerprint,
        decision=decision,
        person=person_of(user),
        comment=decides.comment,
        via="dashboard",
    )
    question = await asyncio.to_thread(find_question, store, delivery)
    told = Told.YES  # a task that has not asked yet finds the decision by itself
    if question is not None:
        told = await answer_question(
            request, question.task, option=_OPTIONS[decision], comment=decides.comment
        )
    response.status_code = 200 if told is Told.YES else 202
    found = await asyncio.to_thread(find_delivery, store, delivery.id)
    return {
        "header": await asyncio.to_thread(header_of, store, found, user),
        "already": not made.is_new,
        "told": told is Told.YES,
        "do": _DO[told],
    }


def person_of(user: BaseUser) -> Person:
    """Name *user* by id and name."""
    return Person(id=actor_of(user), name=str(user.get_name() or ""))


def header_of(store: Store, delivery: Delivery, user: BaseUser) -> dict[str, Any]:
    """Compose the head of a delivery's page; shape: ``DeliveryHeader``."""
    dag_id = delivery.origin.dag_id
    caller = Caller(
        person=person_of(user),
        may_start=may_start(user, dag_id),
        may_send=may_send(user, dag_id),
    )
    with KeptStore(store) as kept:
        approval, question = find_approval(kept, delivery), find_question(kept, delivery)
    return {
        "delivery": delivery.id,
        **_plain(delivery),
        "dag_id": dag_id,
        "run_id": delivery.origin.run_id,
        "task_id": delivery.origin.task_id,
        "authors": list(delivery.authors),
        "cost": delivery.figures.get("cost"),
        "senders": sorted(delivery.figures.get("senders", {})),
        "version": version_of(delivery),
        "pause_reason": delivery.pause_reason or None,
        "four_eyes": bool(delivery.settings.get("four_eyes")),
        "reviewers": list(delivery.settings.get("reviewers", [])),
        "turn": turn_of(delivery, caller),
        "actions": actions_of(delivery, caller),
        "decision": _decision_of(approval),
        "question": _question_of(question),
        "expires_at": _end_of_review(delivery, question),
        "unheard": _unheard(delivery, approval, question),
    }


_PLAIN = (
    *("label", "kind", "state", "gateway", "dry_run", "created_at", "created_by", "prepared_at"),
    *("sending_at", "ended_at", "moved_at", "targeted", "to_deliver", "parts", "fingerprint"),
)


def _plain(delivery: Delivery) -> dict[str, Any]:
    values = {name: getattr(delivery, name) for name in _PLAIN}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def _decision_of(approval: Approval | None) -> dict[str, Any] | None:
    if approval is None:
        return None
    return {
        "decision": approval.decision,
        "by": approval.decided_by,
        "name": approval.decided_by_name,
        "at": approval.decided_at.isoformat(),
        "comment": approval.comment,
        "via": approval.via,
        "expires_at": approval.expires_at and approval.expires_at.isoformat(),
    }


def _end_of_review(delivery: Delivery, question: Question | None) -> str | None:
    """Tell until when the very content may be decided about; None also where nobody is asked."""
    if question is None or delivery.state is not DeliveryState.READY:
        return None
    if question.fingerprint != delivery.fingerprint:
        return None  # prepared again since: nobody was asked about this yet
    until = waits_until(question.task)
    return None if until is None else until.astimezone(UTC).isoformat()


def _unheard(
    delivery: Delivery, approval: Approval | None, question: Question | None
) -> Unheard | None:
    """Tell why Airflow does not act on *approval*; None: it does, or there is none."""
    if approval is None or question is None or delivery.state not in DECIDED:
        return None
    state = state_of(question.task)
    if state == WAITING and utc_now() - approval.decided_at > _ON_ITS_WAY:
        return Unheard.WAITS
    if state in ENDED and delivery.state is DeliveryState.APPROVED:
        return Unheard.ENDED
    return None


def _question_of(question: Question | None) -> dict[str, Any] | None:
    if question is None:
        return None
    return {**asdict(question.task), "opened_at": question.opened_at.isoformat()}
