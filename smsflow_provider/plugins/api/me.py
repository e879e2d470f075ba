"""Who calls, what they may do everywhere, and what there is to call."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Request

from smsflow_provider.plugins.api.access import actor_of, may_send_all
from smsflow_provider.plugins.api.models.me import Me, Rights

router = APIRouter(tags=["me"])


@router.get("/me")
def read_me(user: GetUserDep) -> Me:
    """Tell who the caller is to us, and what they may do whatever the delivery."""
    may_all = may_send_all(user)
    return Me(
        id=actor_of(user),
        name=str(user.get_name() or ""),
        may=Rights(administer=may_all, switch=may_all),
    )


@router.get("/openapi.json", include_in_schema=False)
def read_openapi(request: Request) -> dict[str, Any]:
    """Describe every operation, for who is logged in."""
    document: dict[str, Any] = request.app.openapi()
    return document
