"""Saved audiences: a reference kept under a name, and found again by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from smsflow_provider.core.audience.keeping import OnStale
from smsflow_provider.core.audience.limits import in_words
from smsflow_provider.core.audience.reference import AudienceReference, Column
from smsflow_provider.core.audience.saved_name import check_name, read_name
from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import AudienceError
from smsflow_provider.core.store.audiences import (
    Action,
    SavedAudience,
    find_audience,
    save_audience,
)
from smsflow_provider.core.store.connection import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How old a saved audience may be when it is read, by when its people were computed."""

    #: More than nothing.
    max_age: timedelta
    on_stale: OnStale = OnStale.FAIL

    def problem_of(self, saved: SavedAudience, *, now: datetime) -> AudienceError | None:
        """
        Say that a version is too old; None: it is not.

        A second counts; a version of the future, by a clock that is ahead, is fresh.
        """
        if now - saved.built_at <= self.max_age:
            return None
        return AudienceError(
            "the saved audience is older than max_age allows",
            audience=f"{saved.name}@{saved.version}",
            built_at=saved.built_at.isoformat(timespec="seconds"),
            max_age=in_words(self.max_age),
        )


def find_saved(
    store: Store,
    text: str,
    *,
    freshness: Freshness | None = None,
    now: Callable[[], datetime] = utc_now,
    warn: Callable[[str], None] = lambda _: None,
) -> AudienceReference:
    """
    Find a saved audience by ``name`` (the newest) or ``name@version``.

    Copies nothing: two deliveries of one saved audience read the same file.

    Args:
        store: Knows it.
        text: The name.
        freshness: How old it may be. None: any age.
        now: The time.
        warn: Told of one that is too old, where that is no error.

    Raises:
        AudienceError: Not a name, or too old.
        NotFoundError: Nobody saved it, with near names; or it was deleted.
    """
    name, version = read_name(text)
    found = find_audience(store, name, version=version)
    problem = freshness and freshness.problem_of(found, now=now())
    if problem and freshness and freshness.on_stale is OnStale.FAIL:
        raise problem
    if problem:
        warn(str(problem))
    return reference_of(found)


def reference_of(saved: SavedAudience) -> AudienceReference:
    """Make the reference to a version, with its columns."""
    return AudienceReference(
        uri=saved.uri,
        count=saved.count,
        fingerprint=saved.fingerprint,
        columns=tuple(Column(name=column, kind=kind) for column, kind in saved.columns),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedBy:
    """Who saves: the task of a run, or a person."""

    dag_id: str = ""
    run_id: str = ""
    task_id: str = ""
    actor: str = ""


def save(
    store: Store,
    name: str,
    reference: AudienceReference,
    *,
    dag_id: str = "",
    run_id: str = "",
    task_id: str = "",
    actor: str = "",
    description: str | None = None,
    action: Action | None = None,
    base: int | None = None,
    built_at: datetime | None = None,
) -> int:
    """
    Keep a reference under a name as its next version; see ``save_audience``.

    Raises:
        AudienceError: Not a name to save under.
    """
    check_name(name)
    return save_audience(
        store,
        name,
        reference,
        columns=[(column.name, column.kind) for column in reference.columns],
        dag_id=dag_id,
        run_id=run_id,
        task_id=task_id,
        actor=actor,
        description=description,
        action=action,
        base=base,
        built_at=built_at,
    )
