"""
Proofs over REST: send prepared messages to test numbers, and list what was sent.

A proof is sent while the caller waits: made durable first, then at most 100 texts. What has not
left after half a minute waits for the same request again.
"""

from __future__ import annotations

import time
from typing import Annotated, Any

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Query, Response

from smsflow_provider.core.delivery.report import report, summaries_of
from smsflow_provider.core.errors import SendInterruptedError
from smsflow_provider.core.store.proofs import list_proofs
from smsflow_provider.hooks.gateway import GatewayOutsideTasks
from smsflow_provider.hooks.proof import ProofWish, make_wish, send_made
from smsflow_provider.plugins.api.access import (
    DeliveryDep,
    ProvableDeliveryDep,
    StoreDep,
    name_of,
)
from smsflow_provider.plugins.api.idempotent import Key
from smsflow_provider.plugins.api.meanings import with_causes
from smsflow_provider.plugins.api.models.proofs import ProofPage, ProofReport, ProofRequest
from smsflow_provider.plugins.api.problems import wrong_input

router = APIRouter(tags=["proofs"])

#: Seconds after which nothing more is handed over within one request.
_WITHIN_S = 30.0


@router.post(
    "/deliveries/{delivery_id}/proofs",
    status_code=201,
    response_model=ProofReport,
    response_model_exclude_unset=True,
    responses={202: {"model": ProofReport, "description": "Some of it waits for the same request"}},
)
def create_proof(
    delivery: ProvableDeliveryDep,
    request: ProofRequest,
    key: Key,
    store: StoreDep,
    user: GetUserDep,
    response: Response,
) -> dict[str, Any]:
    """Send a proof. 201 with its report; 202 if some of it waits for the same request again."""
    dialect = GatewayOutsideTasks(delivery.gateway).dialect()
    wish = ProofWish(
        to=request.to,
        region=request.region,
        recipients=request.recipients,
        random=request.random,
        picks=request.picks,
        mark=request.mark,
        fingerprint=request.fingerprint,
    )
    author = name_of(user)
    with wrong_input():
        made = make_wish(store, delivery, wish, key=key, author=author, dialect=dialect)
    until = time.monotonic() + _WITHIN_S
    try:
        told = send_made(
            store,
            made,
            owner=f"rest:{author}",
            is_interrupted=lambda: time.monotonic() > until,
            hook_of=GatewayOutsideTasks,
        )
    except SendInterruptedError:
        response.status_code = 202
        told = report(store, made.id)
    return with_causes(delivery, told)


@router.get(
    "/deliveries/{delivery_id}/proofs",
    response_model=ProofPage,
    response_model_exclude_unset=True,
)
def read_proofs(
    delivery: DeliveryDep,
    store: StoreDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """List the latest proofs of one delivery, newest first: who, when, what became of them."""
    proofs = summaries_of(store, list_proofs(store, delivery, limit=limit))
    return {"delivery": delivery.id, "proofs": proofs}
