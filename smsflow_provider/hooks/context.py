"""What the core wants to know of a running task, read from Airflow's context."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk.exceptions import AirflowFailException

from smsflow_provider.core.errors import (
    ConfigError,
    IllegalMoveError,
    NotApprovedError,
    SmsflowError,
)
from smsflow_provider.core.model import Origin

if TYPE_CHECKING:
    from airflow.sdk import Context

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}


def origin_of(context: Context, *, task_id: str) -> Origin:
    """Name the task of the run that *task_id* stands for."""
    ti = context["ti"]
    map_index = ti.map_index if ti.map_index is not None else -1
    return Origin(dag_id=ti.dag_id, run_id=ti.run_id, task_id=task_id, map_index=map_index)


def now_of(context: Context) -> datetime:
    """
    Tell the moment a run is about: its logical date, or when it may start if it has none.

    Relative dates of rules count from it, so that a run that is cleared and run again next week
    finds the same people by the same data.

    Returns:
        A moment with a zone.
    """
    run: Any = context.get("dag_run")
    found = context.get("logical_date") or getattr(run, "logical_date", None)
    return found or cast("datetime", run.run_after)


def actor_of(context: Context) -> str:
    """Name who started the run: a person, or the DAG itself, as on a schedule."""
    user = getattr(context.get("dag_run"), "triggering_user_name", None)
    return str(user) if user else f"dag:{dag_id_of(context)}"


def owner_of(context: Context) -> str:
    """Name this try of this task, for the lease; in a callback without a task, the run."""
    ti: Any = context.get("ti")
    if ti is None:
        return f"{dag_id_of(context)}/{context.get('run_id') or 'a callback'}"
    index = getattr(ti, "map_index", None)
    mapped = f"[{index}]" if index is not None and index >= 0 else ""
    return f"{ti.dag_id}/{ti.run_id}/{ti.task_id}{mapped} try {ti.try_number}"


def dag_id_of(context: Context) -> str:
    """Name the DAG; empty where the context has none, as in some callbacks."""
    holders: list[Any] = [context.get(name) for name in ("ti", "dag_run", "dag")]
    return next((str(each.dag_id) for each in holders if getattr(each, "dag_id", None)), "")


def is_backfill(context: Context) -> bool:
    """Whether the run fills the past."""
    kind = getattr(context["dag_run"], "run_type", "")
    return str(getattr(kind, "value", kind)) == "backfill"


def flag_of(context: Context, name: str) -> bool:
    """
    Read a yes or no from the parameters of the run. False if it has none of that name.

    Raises:
        ConfigError: The value is neither, such as ``"maybe"``.
    """
    value = (context.get("params") or {}).get(name, False)
    known = value if isinstance(value, bool) else _WORDS.get(str(value or "").strip().lower())
    if known is None:
        raise ConfigError("a run parameter must be true or false", parameter=name)
    return known


def listed(given: Any) -> list[str]:
    """Read an argument that is nothing, one text or several of them."""
    if given is None:
        return []
    return [given] if isinstance(given, str) else list(given)


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


def check_policies(**policies: str) -> None:
    """
    Check words like ``on_reject`` when a DAG is parsed, not behind the review.

    Raises:
        ConfigError: Names every argument that is neither ``skip`` nor ``fail``.
    """
    wrong = {name: given for name, given in policies.items() if given not in ("skip", "fail")}
    if wrong:
        raise ConfigError("say 'skip' or 'fail'", **wrong)


@contextmanager
def final_errors(*more: type[SmsflowError]) -> Iterator[None]:
    """
    Fail the task at once where another try could not help; other errors are tried again.

    Args:
        more: Further errors for which that is so.
    """
    final: tuple[type[SmsflowError], ...] = (ConfigError, NotApprovedError, IllegalMoveError, *more)
    try:
        yield
    except final as error:
        raise AirflowFailException(str(error)) from error
