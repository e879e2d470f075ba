"""Who may do what: Airflow's own authorisation, asked for the DAG that a delivery belongs to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Annotated, Final

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import (
    DagAccessEntity,
    DagDetails,
)
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import Depends, HTTPException

from smsflow_provider.core.errors import NotFoundError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.hooks.find_store import find_store
from smsflow_provider.plugins.api.teams import Teams, teams_of


def reach_store() -> Store:
    """Find the store, per request: connections may change while the server runs."""
    return find_store()


StoreDep = Annotated[Store, Depends(reach_store)]

#: What stands for every DAG: none has this id, so a right on some DAGs by name does not cover it,
#: and no team is alone with it.
#: Asked with no id at all, an auth manager may say whether there is *any* such DAG, as FAB's does.
_EVERY_DAG: Final = "*"


def _may(
    user: BaseUser, dag_id: str, *, method: ResourceMethod, entity: DagAccessEntity | None = None
) -> bool:
    """Ask the auth manager; who has not logged in only looks: what people do is noted by name."""
    if method != "GET" and not actor_of(user):
        return False
    manager = get_auth_manager()
    return all(
        manager.is_authorized_dag(
            method=method,
            access_entity=entity,
            details=DagDetails(id=dag_id, team_name=team),
            user=user,
        )
        for team in teams_of([dag_id])[dag_id]
    )


def _may_any(
    user: BaseUser, *, method: ResourceMethod, entity: DagAccessEntity | None = None
) -> bool:
    """Ask without naming a DAG: some auth managers say whether it is so for any of them."""
    return get_auth_manager().is_authorized_dag(method=method, access_entity=entity, user=user)


def _may_all(
    user: BaseUser, *, method: ResourceMethod, entity: DagAccessEntity | None = None
) -> bool:
    """Ask for every DAG: both without naming one, and by the id that none has."""
    unnamed = _may_any(user, method=method, entity=entity)
    return unnamed and _may(user, _EVERY_DAG, method=method, entity=entity)


def may_read(user: BaseUser, dag_id: str) -> bool:
    """Whether *user* may see the DAG *dag_id*."""
    return bool(dag_id) and _may(user, dag_id, method="GET")


def readable_dags(user: BaseUser, dag_ids: Collection[str]) -> set[str]:
    """Name those of *dag_ids* that *user* may see."""
    manager = get_auth_manager()
    groups: dict[Teams, set[str]] = defaultdict(set)
    for dag_id, teams in teams_of(dag_ids).items():
        groups[teams].add(dag_id)
    for teams, ids in groups.items():
        for team in teams:
            ids.intersection_update(
                manager.filter_authorized_dag_ids(
                    dag_ids=set(ids), user=user, method="GET", team_name=team
                )
            )
    return set[str]().union(*groups.values())


def may_start(user: BaseUser, dag_id: str) -> bool:
    """Whether *user* may start a run of the DAG: then also send a proof of what it prepared."""
    return _may(user, dag_id, method="POST", entity=DagAccessEntity.RUN)


def may_send(user: BaseUser, dag_id: str) -> bool:
    """Whether *user* may answer the review of a delivery of the DAG: then also hold or stop it."""
    return _may(user, dag_id, method="PUT", entity=DagAccessEntity.HITL_DETAIL)


def may_read_any(user: BaseUser) -> bool:
    """Whether *user* may see a DAG at all."""
    return _may_any(user, method="GET")


def may_read_all(user: BaseUser) -> bool:
    """Whether *user* may see every DAG."""
    return _may_all(user, method="GET")


def may_edit_all(user: BaseUser) -> bool:
    """Whether *user* may edit every DAG."""
    return _may_all(user, method="PUT")


def may_send_all(user: BaseUser) -> bool:
    """Whether *user* may answer the review of every DAG: then also switch everything off and on."""
    return _may_all(user, method="PUT", entity=DagAccessEntity.HITL_DETAIL)


def check_reader(user: GetUserDep) -> None:
    """
    Refuse who may see no DAG: a login alone shows nothing of what is sent.

    Raises:
        HTTPException: 403.
    """
    if not may_read_any(user):
        raise HTTPException(403, "only who may see a DAG may see this")


def actor_of(user: BaseUser) -> str:
    """
    Tell Airflow's id of *user*, as it names who answers a review: a number with FAB.

    Empty: nobody logged in, and FAB lets everybody have the role that it gives the public.
    """
    return str(user.get_id() or "")


def name_of(user: BaseUser) -> str:
    """Name *user* where it is noted what they did, as Airflow's own log does."""
    return str(user.get_name() or "") or actor_of(user)


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


def _delivery_for(may: Callable[[BaseUser, str], bool], refusal: str) -> Callable[..., Delivery]:
    """Make a dependency: a delivery with whose DAG the caller *may* do something, else a 403."""

    def find(delivery: DeliveryDep, user: GetUserDep) -> Delivery:
        if not may(user, delivery.origin.dag_id):
            raise HTTPException(403, refusal)
        return delivery

    return find


def _user_for_all(refusal: str) -> Callable[..., BaseUser]:
    """Make a dependency: a caller who may answer the review of every DAG, else a 403."""

    def name(user: GetUserDep) -> BaseUser:
        if not may_send_all(user):
            raise HTTPException(403, refusal)
        return user

    return name


#: A delivery of which the caller may send a proof.
ProvableDeliveryDep = Annotated[
    Delivery,
    Depends(_delivery_for(may_start, "you may see this delivery, and not send a proof of it")),
]
#: One that the caller may send, reject, pause, resume and stop.
SendableDeliveryDep = Annotated[
    Delivery,
    Depends(
        _delivery_for(
            may_send,
            "you may see this delivery, and not decide about it, pause, resume or stop it",
        )
    ),
]
#: One of which the caller may see whole numbers.
UnmaskableDeliveryDep = Annotated[
    Delivery,
    Depends(
        _delivery_for(may_send, "you may see this delivery, and not the numbers of its people")
    ),
]
#: Who may turn the switch.
SwitchingUserDep = Annotated[
    BaseUser, Depends(_user_for_all("only who may send every delivery may turn the switch"))
]
#: Who may see and change the lists of numbers.
AdministratorDep = Annotated[
    BaseUser,
    Depends(_user_for_all("only who may send every delivery may see or change these lists")),
]
