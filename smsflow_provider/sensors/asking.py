"""Asking a person through Airflow: the one file that knows Airflow's human-in-the-loop API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import Param
from airflow.sdk.exceptions import TaskAwaitingInput
from airflow.sdk.execution_time.hitl import HITLUser, upsert_hitl_detail

from smsflow_provider.core.delivery.approval import COMMENT_LIMIT, Answer
from smsflow_provider.core.store.approvals import Decision

if TYPE_CHECKING:
    from airflow.sdk import Context

SEND, REJECT = "Send", "Reject"

_DECISIONS = {SEND: Decision.SEND, REJECT: Decision.REJECT}


def ask(
    context: Context, *, subject: str, body: str, assigned_users: str | list[str] | None
) -> None:
    """Write the request; asked again, an earlier answer is forgotten."""
    users = [assigned_users] if isinstance(assigned_users, str) else assigned_users or []
    comment = Param("", type=["string", "null"], maxLength=COMMENT_LIMIT, description="Comment")
    upsert_hitl_detail(
        ti_id=context["ti"].id,
        options=[SEND, REJECT],
        subject=subject,
        body=body,
        defaults=None,
        multiple=False,
        params={"comment": comment.serialize()},
        assigned_users=[HITLUser(id=user, name=user) for user in users],
    )


def wait(*, method_name: str, fingerprint: str, timeout: timedelta | None) -> NoReturn:
    """Park the task until somebody answers: no slot, no triggerer."""
    raise TaskAwaitingInput(
        method_name=method_name, kwargs={"fingerprint": fingerprint}, timeout=timeout
    )


def read_answer(event: Mapping[str, Any]) -> Answer:
    """
    Read what Airflow hands to the resumed task. Nothing in it has been validated.

    Several options at once, or one that is none of ours, are no decision.
    """
    if event.get("error_type") == "timeout" or event.get("timedout"):
        return Answer(decision=None, answered_by=None, timed_out=True)
    chosen = event.get("chosen_options") or []
    params = event.get("params_input")
    user = event.get("responded_by_user") or {}
    return Answer(
        decision=_DECISIONS.get(chosen[0]) if len(chosen) == 1 else None,
        answered_by=str(user["id"]) if user.get("id") not in {None, ""} else None,
        name=str(user.get("name") or ""),
        comment=params.get("comment", "") if isinstance(params, Mapping) else params,
    )
