"""How the people of a delivery were found: what a reviewer reads before the exclusions."""

from __future__ import annotations

from typing import Any, Final

from smsflow_provider.core.store.audience_files import KnownFile, known_file
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery

#: Tasks that hand on another's audience, one after the other; nobody follows more.
_HOPS: Final = 5
_TOLD: Final = ("source", "label", "dimension", "everyone", "bad_lines", "base")


def found_of(store: Store, delivery: Delivery) -> dict[str, Any] | None:
    """
    Tell how the audience of *delivery* was made, as its build task noted it.

    Where a task took over what another one had built, it is the first of them that is told. Does
    not read the file, and asks no database.

    Returns:
        JSON values: ``source`` (``rules``, ``sql``, ``file``, …), ``label`` (the connection or the
        file), ``dimension``, ``everyone`` (before the first condition), ``steps`` (``words``,
        ``count``, ``removed``; empty without rules, or where they were not counted), ``bad_lines``
        (left out of a file), ``base`` (the saved version it was made from), ``count``, ``dag_id``,
        ``run_id``, ``task_id`` and ``built_at``. What is not known is None. None: smsflow did not
        write the file, or it does not know how.
    """
    return found_at(store, str(delivery.audience.get("uri", "")))


def found_at(store: Store, uri: str) -> dict[str, Any] | None:
    """Tell how the audience of the file at *uri* was made; see ``found_of``."""
    file = known_file(store, uri)
    for _ in range(_HOPS):
        file = _taken_from(store, file) or file
    if file is None or not file.made:
        return None
    return {
        **{name: file.made.get(name) for name in _TOLD},
        "steps": list(file.made.get("steps", [])),
        "count": file.count,
        "dag_id": file.by.dag_id,
        "run_id": file.by.run_id,
        "task_id": file.by.task_id,
        "built_at": file.created_at.isoformat(),
    }


def _taken_from(store: Store, file: KnownFile | None) -> KnownFile | None:
    uri = "" if file is None else file.made.get("of", {}).get("uri", "")
    return known_file(store, uri) if uri else None
