"""The maintenance task: what has to be done now and then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException

from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.context import dag_id_of, final_errors
from smsflow_provider.hooks.rules import publish_rules_of
from smsflow_provider.hooks.store import StoreHook
from smsflow_provider.hooks.upkeep import make_upkeep

if TYPE_CHECKING:
    from airflow.sdk import Context


class MaintainOperator(BaseOperator):
    """
    Do what has to be done now and then, like ``smsflow maintain``.

    Each chore stands alone: one that fails is in the log, the others are done, and the task fails
    at its end. It sends nothing. The rules about errors and replies are published first, as by a
    sender. Unless they are given to it, one retry is its own.

    :param only: Names of chores, such as ``retention``. Empty: all of them.
    :param store_conn_id: Connection of the store.
    """

    def __init__(
        self, *, only: Sequence[str] = (), store_conn_id: str = "smsflow_store", **kwargs: Any
    ) -> None:
        kwargs.setdefault("retries", 1)
        kwargs.setdefault("retry_delay", timedelta(seconds=30))
        super().__init__(**kwargs)
        self.only = only
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> dict[str, int]:
        """
        Do the chores.

        Returns:
            How many things each has done, by its name.
        """
        from smsflow_provider.core.delivery.maintain import maintain  # noqa: PLC0415  heavy

        with final_errors():
            chores = _chores(self.only)
            config = SmsflowConfig.read()
            upkeep = make_upkeep(config, actor=f"dag:{dag_id_of(context)}")
            store = StoreHook(self.store_conn_id).store()
        publish_rules_of(config, store)
        done = maintain(store, upkeep, only=chores, on_done=self._tell)
        failed = [one.chore.value for one in done if one.problem]
        if failed:
            raise AirflowException(f"Maintenance failed in part: {', '.join(failed)}")
        return {one.chore.value: one.count for one in done}

    def _tell(self, done: Any) -> None:
        if done.problem:
            self.log.error("Maintenance: %s", done)
        else:
            self.log.info("Maintenance: %s", done)


def _chores(names: Sequence[str]) -> list[Any]:
    """
    Read the names of chores.

    Raises:
        ConfigError: Some are none; all of them are named.
    """
    from smsflow_provider.core.delivery.maintain import Chore  # noqa: PLC0415  heavy
    from smsflow_provider.core.errors import ConfigError  # noqa: PLC0415

    known = [chore.value for chore in Chore]
    wrong = sorted(set(names) - set(known))
    if wrong:
        raise ConfigError("there are no such chores", names=wrong, known=known)
    return [Chore(name) for name in names]
