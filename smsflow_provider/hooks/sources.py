"""Sources of people that need Airflow: connections, object storage, a task's function."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.sdk import BaseHook, ObjectStoragePath

from smsflow_provider.core.audience.build import pick_of
from smsflow_provider.core.audience.choice import SourceKind
from smsflow_provider.core.audience.file_options import PLAIN, FileOptions, read_file_options
from smsflow_provider.core.audience.files import FileBatches
from smsflow_provider.core.audience.limits import Limits
from smsflow_provider.core.audience.place import Artifact, artifact_path
from smsflow_provider.core.audience.query import Parameters, QueryBatches
from smsflow_provider.core.audience.referenced import ReferenceBatches, reference_of
from smsflow_provider.core.audience.source import Pick, Source, all_columns
from smsflow_provider.core.errors import AudienceError
from smsflow_provider.hooks.audience import open_artifact
from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.http_source import http_source_of
from smsflow_provider.hooks.rule_source import database_of, limits_of, rules_source, table_sql

if TYPE_CHECKING:
    import pyarrow as pa
    from airflow.sdk import Context

log = logging.getLogger(__name__)


class SqlSource:
    """
    People from a query on any Airflow connection that is a database.

    Args:
        conn_id: The connection; its provider must be installed.
        sql: One query. Placeholders are those of the connection's driver.
        parameters: Values for them; bound by the driver, never put into the text.
        limits: What the query may cost.
    """

    def __init__(
        self,
        conn_id: str,
        *,
        sql: str,
        parameters: Parameters = None,
        limits: Limits = Limits(),  # noqa: B008  frozen
    ) -> None:
        self._conn_id = conn_id
        self._sql = sql
        self._parameters = parameters
        self._limits = limits

    @property
    def label(self) -> str:
        """The connection's id."""
        return self._conn_id

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Hand out the rows; see ``Source.batches``."""
        hook = BaseHook.get_hook(self._conn_id)
        if not isinstance(hook, DbApiHook):
            raise AudienceError(
                "this connection is not a database", conn_id=self._conn_id, hook=type(hook).__name__
            )
        query = QueryBatches(
            hook.get_conn,
            sql=self._sql,
            parameters=self._parameters,
            label=self._conn_id,
            limits=self._limits,
        )
        return query.batches()


class FileSource:
    """
    People from a CSV, Parquet or Excel file in a store of files.

    Args:
        path: Where it lies. In errors only its last piece shows, unless it cannot be opened.
        options: What a person said about it.
        pick: Which columns to read.
    """

    def __init__(
        self,
        path: ObjectStoragePath,
        *,
        options: FileOptions = PLAIN,
        pick: Pick = all_columns,
    ) -> None:
        self._path = path
        self._file = FileBatches(self._open, label=path.name, options=options, pick=pick)

    @property
    def label(self) -> str:
        """The file's name."""
        return self._file.label

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Hand out the rows; see ``Source.batches``. Logs the lines that were left out."""
        yield from self._file.batches()
        found = self._file.facts()
        if "bad_lines" in found:
            log.warning(
                "Bad lines left out: %d, the first: %s",
                found["bad_lines"],
                "; ".join(found["first_bad_lines"]),
            )

    def facts(self) -> Mapping[str, Any]:
        """Tell how the file was read, and how many lines were left out; see ``told_by``."""
        return self._file.facts()

    def _open(self) -> BinaryIO:
        try:
            return cast("BinaryIO", cast("Any", self._path).open("rb"))
        except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
            raise AudienceError(
                "the file of the audience cannot be opened",
                file=str(self._path),
                cause=type(error).__name__,
            ) from None


class CallableSource:
    """
    People from a function that returns a pandas ``DataFrame``, or yields several.

    What the function raises itself passes through as it is.

    Args:
        function: Called once, with *arguments* by name.
        arguments: Passed on.
    """

    def __init__(
        self, function: Callable[..., object], *, arguments: Mapping[str, Any] | None = None
    ) -> None:
        self._function = function
        self._arguments = dict(arguments or {})

    @property
    def label(self) -> str:
        """The function's name."""
        return getattr(self._function, "__name__", type(self._function).__name__)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Hand out the rows; see ``Source.batches``."""
        from smsflow_provider.core.audience.frame import frame_batches  # noqa: PLC0415  pandas

        return frame_batches(self._function(**self._arguments), label=self.label)


def source_of(
    kind: SourceKind, settings: Mapping[str, Any], *, now: Callable[[], datetime]
) -> Source:
    """
    Make the source that a task's settings describe; they must have passed the check.

    Args:
        kind: What ``choose_source`` found.
        settings: Fields of the task, rendered.
        now: Tells the moment relative dates of rules count from, with a zone.

    Raises:
        AudienceError: The rules, the table or the limits cannot be used.
    """
    if kind is SourceKind.SQL:
        return SqlSource(
            settings["conn_id"],
            sql=settings["sql"],
            parameters=settings.get("parameters"),
            limits=limits_of(settings),
        )
    if kind is SourceKind.TABLE:
        return _table_source(settings)
    if kind is SourceKind.RULES:
        return rules_source(settings, now=now(), folder=SmsflowConfig.read().rules)
    return _other_source(kind, settings)


def _other_source(kind: SourceKind, settings: Mapping[str, Any]) -> Source:
    """Make the source of people who are in no database."""
    if kind is SourceKind.FILE:
        return FileSource(
            ObjectStoragePath(settings["file"]),
            options=read_file_options(settings.get("file_options")),
            pick=_pick_of(settings, label=settings["file"].rpartition("/")[2]),
        )
    if kind is SourceKind.HTTP:
        return http_source_of(settings, pick=_pick_of(settings, label=settings["conn_id"]))
    if kind is SourceKind.REFERENCE:
        return ReferenceBatches(reference_of(settings["reference"]), open_file=open_artifact)
    return CallableSource(settings["python_callable"], arguments=settings.get("op_kwargs"))


def _pick_of(settings: Mapping[str, Any], *, label: str) -> Pick:
    return pick_of(
        columns=settings.get("columns") or (),
        phone_column=settings.get("phone_column", "phone"),
        id_column=settings.get("id_column"),
        label=label,
    )


def _table_source(settings: Mapping[str, Any]) -> SqlSource:
    database = database_of(settings["conn_id"])
    sql = table_sql(
        settings["table"],
        columns=settings.get("columns") or (),
        phone_column=settings.get("phone_column", "phone"),
        id_column=settings.get("id_column"),
        dialect=database.dialect,
    )
    return SqlSource(settings["conn_id"], sql=sql, limits=limits_of(settings))


def artifact_of(context: Context, *, token: str) -> Artifact:
    """
    Name the file this execution of a task may write; see ``artifact_path``.

    Args:
        context: Airflow's.
        token: New for each execution.
    """
    ti = context["ti"]
    return artifact_path(
        cast("Artifact", ObjectStoragePath(SmsflowConfig.read().artifacts)),
        dag_id=ti.dag_id,
        run_id=ti.run_id,
        task_id=ti.task_id,
        map_index=-1 if ti.map_index is None else ti.map_index,
        try_number=ti.try_number,
        token=token,
    )
