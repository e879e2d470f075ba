"""The task that says who: it freezes an audience and hands on a small reference."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from smsflow_provider.core.audience.limits import USUAL_ROWS, USUAL_TIME
from smsflow_provider.core.errors import AudienceError
from smsflow_provider.hooks.context import final_errors, now_of, origin_of
from smsflow_provider.hooks.rules import rules_data
from smsflow_provider.hooks.store import StoreHook

if TYPE_CHECKING:
    from airflow.sdk import Context

    from smsflow_provider.core.audience.choice import SourceKind
    from smsflow_provider.core.audience.reference import AudienceReference
    from smsflow_provider.core.audience.rules.rule import Rule
    from smsflow_provider.core.audience.source import OnEmpty


#: What decides where the people come from; checked together, in the task.
_SETTINGS = (
    "audience",
    "rules",
    "dimension",
    "columns",
    "regardless_of_consent",
    "table",
    "sql",
    "conn_id",
    "parameters",
    "time_limit",
    "row_limit",
    "count_steps",
    "file",
    "file_options",
    "http",
    "reference",
    "python_callable",
    "op_kwargs",
    "phone_column",
    "id_column",
    "on_empty",
    "save_as",
    "save_mode",
    "max_age",
    "on_stale",
    "refresh",
)


class BuildAudienceOperator(BaseOperator):
    """
    Compute who a delivery is for, and freeze it in one Parquet file.

    Give exactly one source: ``audience``, ``rules`` with ``dimension``, ``table`` or ``sql`` with
    ``conn_id``, ``file``, ``http`` with ``conn_id``, ``reference``, or ``python_callable``. Returns
    ``uri``, ``count`` and ``fingerprint``; never rows, never a phone number. Run again, it computes
    the audience anew (see *refresh*) and leaves the earlier file alone. It checks no number and
    leaves nobody out: the preparation does.

    :param audience: A saved audience, ``name`` for the newest or ``name@version``. Nothing is
        copied. (templated)
    :param rules: Conditions people must meet, as data or as ``col("age").at_least(18)``. Checked
        when the DAG is parsed, bound to the dimension when the task runs. (templated)
    :param dimension: Whom the rules are about: ``<rules folder>/dimensions/<name>.yaml``.
        (templated)
    :param columns: Columns of the source to keep, for the template; of rules, the dimension's.
        (templated)
    :param regardless_of_consent: Also take people who did not consent, where the dimension knows.
        (templated)
    :param table: A table, ``schema.table`` or ``table``: the columns of phones and ids, and
        *columns*, are read. (templated)
    :param sql: A query on *conn_id*, or the name of a ``.sql`` file. (templated)
    :param conn_id: Connection of any database whose provider is installed, or of the API; of rules,
        the dimension's own if not given. (templated)
    :param time_limit: Longest time of a query, from asking to the last row, such as ``90m``; None:
        no limit.
    :param row_limit: Most rows of a query; beyond it there is no audience. None: no limit.
    :param count_steps: Count how many are left after each condition of *rules*, in a second query
        beside the first, and log it.
    :param parameters: Values for the query's placeholders, bound by the driver. (templated)
    :param file: A CSV, Parquet or Excel file: a path or a URI such as ``s3://bucket/people.csv``.
        (templated)
    :param file_options: How the file is to be read, where it does not say so itself: ``delimiter``,
        ``encoding``, ``sheet``, ``bad_lines`` (``fail`` or ``skip``). (templated)
    :param http: An API behind *conn_id*: ``endpoint``, ``rows``, ``fields``, ``pages`` and so on.
        (templated)
    :param reference: What another task returned: ``uri``, ``count`` and ``fingerprint`` of an
        audience. (templated)
    :param python_callable: A function that returns a pandas ``DataFrame``, or yields several.
    :param op_kwargs: Its arguments, by name. (templated)
    :param phone_column: The source's column of phones.
    :param id_column: The source's column that identifies a recipient; if not given, a column
        ``recipient_id``, else the row's number.
    :param on_empty: What to do when there is nobody: ``fail``, ``skip`` the tasks that follow, or
        ``continue``.
    :param save_as: Also keep the audience under this name, as its next version. (templated)
    :param save_mode: ``update``: the version is these people. ``append``: those of the version
        before, and these; see ``append_people``. The task hands on these people either way.
    :param max_age: How long ago the people of *audience* may have been computed, such as ``2d``.
    :param on_stale: When they are older: ``fail``, or ``warn`` and go on.
    :param refresh: ``each_try``: the people are computed whenever the task runs. ``each_run``: once
        in a run; tried again or cleared, the task hands on those who were found first.
    :param store_conn_id: Connection of the store. Without one, no file is ever removed.
    """

    template_fields: Sequence[str] = (
        "audience",
        "rules",
        "dimension",
        "columns",
        "regardless_of_consent",
        "conn_id",
        "table",
        "sql",
        "parameters",
        "file",
        "file_options",
        "http",
        "reference",
        "op_kwargs",
        "save_as",
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {
        "rules": "json",
        "sql": "sql",
        "parameters": "json",
    }
    ui_color = "#d9ead3"

    def __init__(
        self,
        *,
        audience: str | None = None,
        rules: Mapping[str, Any] | Sequence[Any] | Rule | None = None,
        dimension: str | None = None,
        columns: Sequence[str] = (),
        regardless_of_consent: bool = False,
        table: str | None = None,
        sql: str | None = None,
        conn_id: str | None = None,
        parameters: Mapping[str, Any] | Sequence[Any] | None = None,
        time_limit: str | timedelta | None = USUAL_TIME,
        row_limit: int | None = USUAL_ROWS,
        count_steps: bool = True,
        file: str | None = None,
        file_options: Mapping[str, str] | None = None,
        http: Mapping[str, Any] | None = None,
        reference: Mapping[str, Any] | str | None = None,
        python_callable: Callable[..., Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        phone_column: str = "phone",
        id_column: str | None = None,
        on_empty: str = "fail",
        save_as: str | None = None,
        save_mode: str = "update",
        max_age: str | timedelta | None = None,
        on_stale: str = "fail",
        refresh: str = "each_try",
        store_conn_id: str = "smsflow_store",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.audience = audience
        self.rules = rules_data(rules)
        self.dimension = dimension
        self.columns = columns
        self.regardless_of_consent = regardless_of_consent
        self.table = table
        self.sql = sql
        self.conn_id = conn_id
        self.parameters = parameters
        self.time_limit = time_limit
        self.row_limit = row_limit
        self.count_steps = count_steps
        self.file = file
        self.file_options = file_options
        self.http = http
        self.reference = reference
        self.python_callable = python_callable
        self.op_kwargs = op_kwargs
        self.phone_column = phone_column
        self.id_column = id_column
        self.on_empty = on_empty
        self.save_as = save_as
        self.save_mode = save_mode
        self.max_age = max_age
        self.on_stale = on_stale
        self.refresh = refresh
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
            reference = self._kept(context) or self._built(context, kind, on_empty)
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
        from smsflow_provider.hooks.audience import freshness_of  # noqa: PLC0415

        name = str(self.audience)
        with final_errors():
            freshness = freshness_of(self.max_age, on_stale=self.on_stale)
        # Too old is no final error: another try may find a version that was saved meanwhile.
        reference = find_saved(
            StoreHook(self.store_conn_id).store(),
            name,
            freshness=freshness,
            warn=lambda words: self.log.warning("%s", words),
        )
        return reference if reference.count or is_empty_fine(on_empty, label=name) else None

    def _kept(self, context: Context) -> AudienceReference | None:
        """Find whom this task of this run found before, if it is to find them once."""
        from smsflow_provider.core.audience.keeping import Refresh  # noqa: PLC0415
        from smsflow_provider.hooks.audience import find_built  # noqa: PLC0415

        if self.refresh != Refresh.EACH_RUN:
            return None
        origin = origin_of(context, task_id=self.task_id)
        try:
            reference = find_built(StoreHook(self.store_conn_id).store(), origin)
        except AudienceError as error:
            self.log.warning("The people this run found before are computed anew: %s", error)
            return None
        if reference is not None:
            self.log.info("The people this run found before stay: they are not computed anew")
        return reference

    def _built(
        self, context: Context, kind: SourceKind, on_empty: OnEmpty
    ) -> AudienceReference | None:
        from smsflow_provider.core.audience.build import build_audience  # noqa: PLC0415
        from smsflow_provider.core.audience.choice import SourceKind  # noqa: PLC0415
        from smsflow_provider.core.audience.source import told_by  # noqa: PLC0415
        from smsflow_provider.hooks.audience import register_built, write_built  # noqa: PLC0415
        from smsflow_provider.hooks.sources import artifact_of, source_of  # noqa: PLC0415

        with final_errors():
            source = source_of(kind, self._settings(), now=partial(now_of, context))
        target = artifact_of(context, token=uuid.uuid4().hex)
        origin = origin_of(context, task_id=self.task_id)
        build = partial(
            build_audience,
            source,
            target=target,
            phone_column=self.phone_column,
            id_column=self.id_column,
            columns=() if kind is SourceKind.RULES else self.columns,
            on_empty=on_empty,
        )
        reference = write_built(target, build, origin=origin, store_conn_id=self.store_conn_id)
        if reference is not None:
            made = {"source": str(kind), "label": source.label, **told_by(source)}
            register_built(reference, origin=origin, made=made, store_conn_id=self.store_conn_id)
        return reference

    def _save(self, context: Context, reference: AudienceReference) -> None:
        from smsflow_provider.hooks.audience import save_built  # noqa: PLC0415

        if not self.save_as:
            return
        version = save_built(
            StoreHook(self.store_conn_id).store(),
            self.save_as,
            reference,
            mode=self.save_mode,
            origin=origin_of(context, task_id=self.task_id),
        )
        self.log.info("Audience saved as %s@%d", self.save_as, version)
