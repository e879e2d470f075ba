"""What the core wants to know of a running task, read from Airflow's context."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException

from smsflow_provider.core.errors import ConfigError, IllegalMoveError, NotApprovedError
from smsflow_provider.core.store.deliveries import Origin

if TYPE_CHECKING:
    from airflow.sdk import Context


def origin_of(context: Context, *, task_id: str) -> Origin:
    """Name the task of the run that *task_id* stands for."""
    ti = context["ti"]
    map_index = ti.map_index if ti.map_index is not None else -1
    return Origin(dag_id=ti.dag_id, run_id=ti.run_id, task_id=task_id, map_index=map_index)


def actor_of(context: Context) -> str:
    """Name who started the run: a person, or the DAG's schedule."""
    run = context["dag_run"]
    return getattr(run, "triggering_user_name", None) or f"dag:{context['ti'].dag_id}"


def owner_of(context: Context) -> str:
    """Name this try of this task, for the lease."""
    ti = context["ti"]
    return f"{ti.dag_id}/{ti.run_id}/{ti.task_id} try {ti.try_number}"


def is_backfill(context: Context) -> bool:
    """Whether the run fills the past."""
    kind = getattr(context["dag_run"], "run_type", "")
    return str(getattr(kind, "value", kind)) == "backfill"


def param_of(context: Context, name: str) -> Any:
    """Read a parameter of the run; None if the DAG has none of that name."""
    params = context.get("params") or {}
    return params.get(name) if name in params else None


def delivery_id_from(given: object) -> str:
    """
    Read a delivery's id from what an earlier task returned, or from a text.

    Raises:
        ConfigError: It is neither.
    """
    if isinstance(given, dict) and isinstance(given.get("delivery"), str):
        return str(given["delivery"])
    if isinstance(given, str) and given:
        return given
    raise ConfigError(
        "no delivery was given: pass the output of the prepare task", got=type(given).__name__
    )


@contextmanager
def final_errors() -> Iterator[None]:
    """Fail the task at once where another try could not help; other errors are tried again."""
    try:
        yield
    except (ConfigError, NotApprovedError, IllegalMoveError) as error:
        raise AirflowFailException(str(error)) from error
