"""Saved audiences: a reference kept under a name, and found again by it."""

from __future__ import annotations

from smsflow_provider.core.audience.reference import AudienceReference, Column
from smsflow_provider.core.audience.saved_name import name_problem, read_name
from smsflow_provider.core.errors import AudienceError
from smsflow_provider.core.store.audiences import find_audience, save_audience
from smsflow_provider.core.store.connection import Store


def find_saved(store: Store, text: str) -> AudienceReference:
    """
    Find a saved audience by ``name`` (the newest) or ``name@version``.

    Copies nothing: two deliveries of one saved audience read the same file.

    Raises:
        AudienceError: Not a name.
        NotFoundError: Nobody saved it; with near names.
    """
    name, version = read_name(text)
    found = find_audience(store, name, version=version)
    return AudienceReference(
        uri=found.uri,
        count=found.count,
        fingerprint=found.fingerprint,
        columns=tuple(Column(name=column, kind=kind) for column, kind in found.columns),
    )


def save(
    store: Store, name: str, reference: AudienceReference, *, dag_id: str = "", run_id: str = ""
) -> int:
    """
    Keep a reference under a name as its next version; see ``save_audience``.

    Raises:
        AudienceError: Not a name to save under.
    """
    problem = name_problem(name)
    if problem:
        raise AudienceError("a saved audience cannot be named so", name=name, reason=problem)
    kinds = [(column.name, column.kind) for column in reference.columns]
    return save_audience(store, name, reference, columns=kinds, dag_id=dag_id, run_id=run_id)
