"""
The review of a delivery over REST: what is looked at before somebody says Send.

Nothing here changes a delivery. Look-ups by number are posted, since addresses are logged; their
answers, and whole numbers above all, are not kept to be given again under a key.
"""

from __future__ import annotations

from typing import Annotated, Any

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Query, Response

from smsflow_provider.core.delivery.leaving import leaving_of
from smsflow_provider.core.delivery.why import why
from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.preparation.excluded import excluded_for
from smsflow_provider.core.preparation.named import read_numbers
from smsflow_provider.core.preparation.preview import MOST_SHOWN, preview
from smsflow_provider.core.preparation.review import review
from smsflow_provider.core.preparation.unmask import unmask
from smsflow_provider.core.store.exclusions import MOST_EXCLUDED
from smsflow_provider.core.store.kept_connection import KeptStore
from smsflow_provider.core.store.samples import Pick
from smsflow_provider.plugins.api.access import (
    DeliveryDep,
    StoreDep,
    UnmaskableDeliveryDep,
    may_send,
    name_of,
)
from smsflow_provider.plugins.api.models.review import (
    ExclusionPage,
    Position,
    PreparedMessages,
    RecipientId,
    ReviewDocument,
    ShownPhones,
    UnmaskRequest,
    WhyAnswer,
    WhyRequest,
)
from smsflow_provider.plugins.api.problems import wrong_input

router = APIRouter(tags=["review"])


@router.get("/deliveries/{delivery_id}/review", response_model=ReviewDocument)
def read_review(delivery: DeliveryDep, store: StoreDep, user: GetUserDep) -> dict[str, Any]:
    """
    Show what a reviewer looks at: counts, exclusions, parts, sample texts, masked phones.

    And how it will leave: ``leaving``, with its pace, waves, gateways and workers.
    """
    # It looks at the store six times; opening a connection takes longer than most of that.
    with KeptStore(store) as kept:
        found = review(kept, delivery.id)
    return {
        **found,
        "leaving": leaving_of(delivery),
        "may_unmask": may_send(user, delivery.origin.dag_id),
    }


@router.get("/deliveries/{delivery_id}/messages", response_model=PreparedMessages)
def read_messages(
    delivery: DeliveryDep,
    store: StoreDep,
    position: Annotated[list[Position], Query(max_length=MOST_SHOWN)] = [],  # noqa: B006  FastAPI copies
    recipient: Annotated[list[RecipientId], Query(max_length=MOST_SHOWN)] = [],  # noqa: B006
    pick: Annotated[list[Pick], Query()] = [],  # noqa: B006
) -> dict[str, Any]:
    """
    Show prepared messages: texts, parts, cost, masked phones. Without a choice: every sample.

    A recipient is named by the id of the audience. Numbers are refused: addresses are logged.
    """
    return preview(store, delivery.id, positions=position, recipients=recipient, picks=pick)


@router.get("/deliveries/{delivery_id}/exclusions", response_model=ExclusionPage)
def read_exclusions(
    delivery: DeliveryDep,
    store: StoreDep,
    reason: Exclusion,
    after: Annotated[
        int, Query(ge=0, le=2**31 - 1, description="The `next` of the page before")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_EXCLUDED)] = 50,
) -> dict[str, Any]:
    """List who gets no text for one reason, in the order of the audience: masked phones."""
    return excluded_for(store, delivery.id, reason=reason, after=after, limit=limit)


@router.post("/deliveries/{delivery_id}/why", response_model=WhyAnswer)
def tell_why(delivery: DeliveryDep, store: StoreDep, request: WhyRequest) -> dict[str, Any]:
    """Say why one person gets a text or not, by number or by id. Changes nothing."""
    if request.number is None:
        return why(store, delivery.id, recipient_id=request.recipient_id)
    region = request.region or delivery.settings.get("region")
    with wrong_input():
        (phone,) = read_numbers([request.number], region=region)
    return why(store, delivery.id, phone=phone)


@router.post("/deliveries/{delivery_id}/unmask", response_model=ShownPhones)
def show_numbers(
    delivery: UnmaskableDeliveryDep,
    request: UnmaskRequest,
    store: StoreDep,
    user: GetUserDep,
    response: Response,
) -> dict[str, Any]:
    """Show the whole numbers of some messages. Who saw which is noted. For who may send only."""
    response.headers["Cache-Control"] = "no-store"
    with wrong_input():
        return unmask(
            store,
            delivery.id,
            positions=request.positions,
            fingerprint=request.fingerprint,
            actor=name_of(user),
        )
