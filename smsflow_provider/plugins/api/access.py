"""Who may do what: Airflow's own authorisation, asked for the DAG that a delivery belongs to."""

from __future__ import annotations

from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import Depends

from smsflow_provider.core.errors import NotFoundError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.hooks.find_store import find_store


def reach_store() -> Store:
    """Find the store, per request: connections may change while the server runs."""
    return find_store()


StoreDep = Annotated[Store, Depends(reach_store)]


def may_read(user: BaseUser, dag_id: str) -> bool:
    """Whether *user* may see the DAG *dag_id*."""
    if not dag_id:
        return False
    details = DagDetails(id=dag_id)
    return get_auth_manager().is_authorized_dag(method="GET", details=details, user=user)


def readable_delivery(delivery_id: str, store: StoreDep, user: GetUserDep) -> Delivery:
    """
    Find a delivery that the caller may see.

    Raises:
        NotFoundError: There is none, or the caller may not see it: the answer is the same, and
            names no near ids, which would be those of others.
    """
    try:
        delivery = find_delivery(store, delivery_id)
    except NotFoundError:
        raise _unknown() from None
    if not may_read(user, delivery.origin.dag_id):
        raise _unknown()
    return delivery


def _unknown() -> NotFoundError:
    return NotFoundError("there is no such delivery")


DeliveryDep = Annotated[Delivery, Depends(readable_delivery)]
