"""Sources of people that need Airflow: connections, object storage, a task's function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.sdk import BaseHook, ObjectStoragePath

from smsflow_provider.core.audience.choice import SourceKind
from smsflow_provider.core.audience.files import FileBatches
from smsflow_provider.core.audience.place import Artifact, artifact_path
from smsflow_provider.core.audience.query import Parameters, QueryBatches
from smsflow_provider.core.audience.source import Source
from smsflow_provider.core.errors import AudienceError
from smsflow_provider.hooks.config import SmsflowConfig

if TYPE_CHECKING:
    import pyarrow as pa
    from airflow.sdk import Context


class SqlSource:
    """
    People from a query on any Airflow connection that is a database.

    Args:
        conn_id: The connection; its provider must be installed.
        sql: One query. Placeholders are those of the connection's driver.
        parameters: Values for them; bound by the driver, never put into the text.
    """

    def __init__(self, conn_id: str, *, sql: str, parameters: Parameters = None) -> None:
        self._conn_id = conn_id
        self._sql = sql
        self._parameters = parameters

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
            hook.get_conn, sql=self._sql, parameters=self._parameters, label=self._conn_id
        )
        return query.batches()


class FileSource:
    """
    People from a CSV or Parquet file in a store of files.

    Args:
        path: Where it lies. In errors only its last piece shows.
        encoding: Of a CSV file.
        delimiter: Of a CSV file. None: found out.
    """

    def __init__(
        self, path: ObjectStoragePath, *, encoding: str = "utf-8", delimiter: str | None = None
    ) -> None:
        self._path = path
        self._file = FileBatches(
            self._open, label=path.name, encoding=encoding, delimiter=delimiter
        )

    @property
    def label(self) -> str:
        """The file's name."""
        return self._file.label

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Hand out the rows; see ``Source.batches``."""
        return self._file.batches()

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


def source_of(kind: SourceKind, settings: Mapping[str, Any]) -> Source:
    """Make the source that a task's settings describe; they must have passed the check."""
    if kind is SourceKind.SQL:
        return SqlSource(
            settings["conn_id"], sql=settings["sql"], parameters=settings.get("parameters")
        )
    if kind is SourceKind.FILE:
        return FileSource(ObjectStoragePath(settings["file"]))
    return CallableSource(settings["python_callable"], arguments=settings.get("op_kwargs"))


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
