"""Saved audiences over REST: what there is, who made it, and no people."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, HTTPException

from smsflow_provider.core.audience.saved_name import read_name
from smsflow_provider.core.errors import NotFoundError
from smsflow_provider.core.preparation.found import found_at
from smsflow_provider.core.store.audiences import (
    SavedAudience,
    delete_audience,
    deliveries_under_way,
    describe_audience,
    find_audience,
    list_audiences,
    list_versions,
)
from smsflow_provider.core.store.connection import Store
from smsflow_provider.plugins.api.access import (
    StoreDep,
    may_edit_all,
    may_read,
    may_read_all,
    may_start,
    name_of,
)
from smsflow_provider.plugins.api.idempotent import IdempotentRoute
from smsflow_provider.plugins.api.models.audiences import (
    AudienceDeleted,
    AudienceDetail,
    Audiences,
    AudienceVersion,
    Described,
)
from smsflow_provider.plugins.api.problems import wrong_input

router = APIRouter(tags=["audiences"], route_class=IdempotentRoute)


@router.get("/audiences", response_model=Audiences)
def read_audiences(store: StoreDep, user: GetUserDep) -> dict[str, Any]:
    """List the newest version of every saved audience that the caller may see, by name."""
    found = list_audiences(store)
    return {"audiences": [_told(one) for one in found if _may_see(user, one)]}


@router.get("/audiences/{name}", response_model=AudienceDetail)
def read_audience(name: str, store: StoreDep, user: GetUserDep) -> dict[str, Any]:
    """Show the versions of one that the caller may see, newest first; or ``name@3`` alone."""
    found, version = _readable(name, store, user)
    versions = [one for one in list_versions(store, found.name) if version in (None, one.version)]
    using = deliveries_under_way(store, found.name, version=version)
    return {
        "name": found.name,
        "versions": [_told(one) for one in versions if _may_see(user, one)],
        "found": found_at(store, found.uri),
        "used_by": [
            {"delivery": id_, "state": state, "version": of}
            for id_, state, of, dag_id in using
            if may_read(user, dag_id)
        ],
        "may_change": _may_change(user, found),
    }


@router.patch("/audiences/{name}", response_model=AudienceVersion)
def describe(name: str, said: Described, store: StoreDep, user: GetUserDep) -> dict[str, Any]:
    """Say what a saved audience is; for who may start the workflow that saved it last. Noted."""
    found, version = _readable(name, store, user)
    if version is not None:
        raise HTTPException(422, "a description is the name's: leave the version out")
    _check_may_change(user, found)
    described = describe_audience(store, found.name, said.description, actor=name_of(user))
    return _told(find_audience(store, found.name, version=described))


@router.delete("/audiences/{name}", response_model=AudienceDeleted)
def delete(
    name: str, store: StoreDep, user: GetUserDep, *, every_version: bool = False
) -> dict[str, Any]:
    """
    Delete ``name@3``; or the whole name, with ``every_version``.

    For who may start the workflows that saved them. Refused where a delivery under way was made
    from it. It is noted.
    """
    found, version = _readable(name, store, user)
    if (version is None) is not every_version:
        raise HTTPException(422, "name one version, as name@3; or say every_version=true")
    for one in list_versions(store, found.name):
        if version in (None, one.version):
            _check_may_change(user, one)
    deleted = delete_audience(store, found.name, version=version, actor=name_of(user))
    return {"name": found.name, "deleted": deleted}


def _readable(text: str, store: Store, user: BaseUser) -> tuple[SavedAudience, int | None]:
    """
    Read a name and find it; with the version that was named, if one was.

    Raises:
        NotFoundError: There is none, or the caller may not see it: the answer is the same.
    """
    with wrong_input():
        name, version = read_name(text)
    try:
        found = find_audience(store, name, version=version)
    except NotFoundError:
        raise _unknown() from None
    if not _may_see(user, found):
        raise _unknown()
    return found, version


def _unknown() -> NotFoundError:
    return NotFoundError("there is no such saved audience")


def _may_see(user: BaseUser, one: SavedAudience) -> bool:
    """Who may see the workflow that saved it; one saved by hand, who may see all workflows."""
    if one.dag_id:
        return may_read(user, one.dag_id)
    return may_read_all(user)


def _may_change(user: BaseUser, one: SavedAudience) -> bool:
    if one.dag_id:
        return may_start(user, one.dag_id)
    return may_edit_all(user)


def _check_may_change(user: BaseUser, one: SavedAudience) -> None:
    if not _may_change(user, one):
        raise HTTPException(403, "you may see this audience, and not change it")


def _told(one: SavedAudience) -> dict[str, Any]:
    return {
        "name": one.name,
        "version": one.version,
        "description": one.description,
        "count": one.count,
        "columns": [{"name": name, "kind": kind} for name, kind in one.columns],
        "fingerprint": one.fingerprint,
        "action": one.action.value,
        "dag_id": one.dag_id,
        "run_id": one.run_id,
        "task_id": one.task_id,
        "actor": one.actor,
        "built_at": one.built_at.isoformat(),
        "created_at": one.created_at.isoformat(),
    }
