"""The task that says who: it freezes an audience and hands on a small reference."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from smsflow_provider.hooks.context import final_errors
from smsflow_provider.hooks.store import StoreHook

if TYPE_CHECKING:
    from airflow.sdk import Context

    from smsflow_provider.core.audience.choice import SourceKind
    from smsflow_provider.core.audience.reference import AudienceReference
    from smsflow_provider.core.audience.source import OnEmpty


#: What decides where the people come from; checked together, in the task.
_SETTINGS = (
    "audience",
    "sql",
    "conn_id",
    "parameters",
    "file",
    "python_callable",
    "op_kwargs",
    "phone_column",
    "on_empty",
    "save_as",
)


class BuildAudienceOperator(BaseOperator):
    """
    Compute who a delivery is for, and freeze it in one Parquet file.

    Give exactly one source: ``audience``, ``sql`` with ``conn_id``, ``file``, or
    ``python_callable``. Returns ``uri``, ``count`` and ``fingerprint``; never rows, never a phone
    number. Run again, it computes the audience anew and leaves the earlier file alone. It checks
    no number and leaves nobody out: the preparation does.

    :param audience: A saved audience, ``name`` for the newest or ``name@version``. Nothing is
        copied. (templated)
    :param sql: A query on *conn_id*, or the name of a ``.sql`` file. (templated)
    :param conn_id: Connection of any database whose provider is installed.
    :param parameters: Values for the query's placeholders, bound by the driver. (templated)
    :param file: A CSV or Parquet file: a path or a URI such as ``s3://bucket/people.csv``.
        (templated)
    :param python_callable: A function that returns a pandas ``DataFrame``, or yields several.
    :param op_kwargs: Its arguments, by name. (templated)
    :param phone_column: The source's column of phones.
    :param id_column: The source's column that identifies a recipient; if not given, a column
        ``recipient_id``, else the row's number.
    :param on_empty: What to do when there is nobody: ``fail``, ``skip`` the tasks that follow, or
        ``continue``.
    :param save_as: Also keep the audience under this name, as its next version. (templated)
    :param store_conn_id: Connection of the store; used for *audience* and *save_as* only.
    """

    template_fields: Sequence[str] = (
        "audience",
        "sql",
        "parameters",
        "file",
        "op_kwargs",
        "save_as",
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql", "parameters": "json"}
    ui_color = "#d9ead3"

    def __init__(
        self,
        *,
        audience: str | None = None,
        sql: str | None = None,
        conn_id: str | None = None,
        parameters: Mapping[str, Any] | Sequence[Any] | None = None,
        file: str | None = None,
        python_callable: Callable[..., Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        phone_column: str = "phone",
        id_column: str | None = None,
        on_empty: str = "fail",
        save_as: str | None = None,
        store_conn_id: str = "smsflow_store",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.audience = audience
        self.sql = sql
        self.conn_id = conn_id
        self.parameters = parameters
        self.file = file
        self.python_callable = python_callable
        self.op_kwargs = op_kwargs
        self.phone_column = phone_column
        self.id_column = id_column
        self.on_empty = on_empty
        self.save_as = save_as
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Freeze the audience, or find the saved one."""
        # Arrow and polars are needed here only; parsing a DAG must not load them.
        from smsflow_provider.core.audience.choice import SourceKind, choose_source  # noqa: PLC0415
        from smsflow_provider.core.audience.source import OnEmpty  # noqa: PLC0415

        with final_errors():
            kind = choose_source(self._settings())
        on_empty = OnEmpty(self.on_empty)
        if kind is SourceKind.AUDIENCE:
            reference = self._find(on_empty)
        else:
            reference = self._build(context, kind, on_empty)
        if reference is None:
            raise AirflowSkipException("The audience is empty: there is nothing to do")
        self.log.info("Audience ready, recipients: %d", reference.count)
        self._save(context, reference)
        return reference.as_dict()

    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _SETTINGS}

    def _find(self, on_empty: OnEmpty) -> AudienceReference | None:
        from smsflow_provider.core.audience.build import is_empty_fine  # noqa: PLC0415
        from smsflow_provider.core.audience.saved import find_saved  # noqa: PLC0415

        name = str(self.audience)
        reference = find_saved(StoreHook(self.store_conn_id).store(), name)
        return reference if reference.count or is_empty_fine(on_empty, label=name) else None

    def _build(
        self, context: Context, kind: SourceKind, on_empty: OnEmpty
    ) -> AudienceReference | None:
        from smsflow_provider.core.audience.build import build_audience  # noqa: PLC0415
        from smsflow_provider.hooks.sources import artifact_of, source_of  # noqa: PLC0415

        return build_audience(
            source_of(kind, self._settings()),
            target=artifact_of(context, token=uuid.uuid4().hex),
            phone_column=self.phone_column,
            id_column=self.id_column,
            on_empty=on_empty,
        )

    def _save(self, context: Context, reference: AudienceReference) -> None:
        from smsflow_provider.core.audience.saved import save  # noqa: PLC0415

        if not self.save_as:
            return
        ti = context["ti"]
        store = StoreHook(self.store_conn_id).store()
        version = save(store, self.save_as, reference, dag_id=ti.dag_id, run_id=ti.run_id)
        self.log.info("Audience saved as %s@%d", self.save_as, version)
