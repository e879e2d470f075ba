"""Reading a frozen audience from wherever Airflow's object storage keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk.exceptions import AirflowNotFoundException

from smsflow_provider.core.model import Origin
from smsflow_provider.hooks.store import StoreHook, dsn_of

if TYPE_CHECKING:
    from smsflow_provider.core.audience.place import Artifact
    from smsflow_provider.core.audience.read import AudienceFile
    from smsflow_provider.core.audience.reference import AudienceReference
    from smsflow_provider.core.audience.saved import Freshness
    from smsflow_provider.core.audience.saved_changes import SavedFiles
    from smsflow_provider.core.preparation.listed_audience import ListedAudience
    from smsflow_provider.core.store.connection import Store


def open_audience(reference: AudienceReference) -> AudienceFile:
    """Find the file of an audience, to be read as often as it takes. Reads nothing yet."""
    from smsflow_provider.core.audience.read import AudienceFile  # noqa: PLC0415  loads polars

    return AudienceFile(reference=reference, open_file=open_artifact)


def read_listed_audiences(
    store: Store, names: Sequence[str], *, region: str | None
) -> list[ListedAudience]:
    """
    Read the numbers of saved audiences, by ``name`` for the newest or ``name@version``.

    Args:
        store: Knows them.
        names: Each once.
        region: Country of numbers written the national way.

    Raises:
        NotFoundError: Nobody saved one of them; with near names.
        AudienceError: Not a name, or a file is gone.
    """
    from smsflow_provider.core.audience.layout import PHONE  # noqa: PLC0415  loads polars
    from smsflow_provider.core.audience.saved import find_saved  # noqa: PLC0415
    from smsflow_provider.core.preparation.listed_audience import read_listed  # noqa: PLC0415

    files = {name: open_audience(find_saved(store, name)) for name in names}
    return [
        read_listed(name, (frame[PHONE] for frame in file.frames([PHONE])), region=region)
        for name, file in files.items()
    ]


def register_built(
    reference: AudienceReference, *, origin: Origin, made: Mapping[str, Any], store_conn_id: str
) -> None:
    """
    Tell the store of a file that a task wrote, so that retention removes it some day.

    Without a connection to a store nothing is told: audiences can be built without one.

    Args:
        reference: To the file.
        origin: The task that wrote it.
        made: How its people were found; no value of a row.
        store_conn_id: Connection of the store.

    Raises:
        StoreError: There is a store, and it cannot be told.
    """
    from smsflow_provider.core.store.audience_files import register_file  # noqa: PLC0415  psycopg

    store = _store_if_any(store_conn_id)
    if store is not None:
        register_file(store, reference, by=origin, made=made)


def write_built(
    target: Artifact,
    write: Callable[[], AudienceReference | None],
    *,
    origin: Origin,
    store_conn_id: str,
) -> AudienceReference | None:
    """
    Write the file of a task, and tell the store of it before, as ``register_built`` does after.

    A task that is killed in between leaves at most a file that retention knows of; one that finds
    its people unfit to be written leaves nothing that anybody would wait for.
    """
    from smsflow_provider.core.audience.build import uri_of  # noqa: PLC0415  loads polars
    from smsflow_provider.core.store.audience_files import write_announced  # noqa: PLC0415  psycopg

    store = _store_if_any(store_conn_id)
    if store is None:
        return write()
    return write_announced(store, uri_of(target), write, by=origin)


def _store_if_any(conn_id: str) -> Store | None:
    from smsflow_provider.core.store.connection import Store  # noqa: PLC0415  psycopg

    try:
        return Store(dsn_of(StoreHook.get_connection(conn_id)))
    except AirflowNotFoundException:
        return None


def find_built(store: Store, origin: Origin) -> AudienceReference | None:
    """
    Find the file a task of a run wrote before. None: it wrote none, or it was removed.

    Its columns are read from the file.
    """
    from smsflow_provider.core.audience.read import described  # noqa: PLC0415  loads polars
    from smsflow_provider.core.audience.reference import AudienceReference  # noqa: PLC0415
    from smsflow_provider.core.store.audience_files import find_run_file  # noqa: PLC0415  psycopg

    file = find_run_file(store, by=origin)
    if file is None:
        return None
    reference = AudienceReference(uri=file.uri, count=file.count, fingerprint=file.fingerprint)
    return described(reference, open_file=open_artifact)


def save_built(
    store: Store, name: str, reference: AudienceReference, *, mode: str, origin: Origin
) -> int:
    """
    Keep what a task built under a name.

    Args:
        store: Keeps it.
        name: The name.
        reference: What was built.
        mode: A word of ``SaveMode``; who is appended to nothing is the first version.
        origin: The task.

    Returns:
        The version.

    Raises:
        AudienceError: Not a name; or the people cannot be appended to those who are there.
    """
    from smsflow_provider.core.audience.keeping import SaveMode  # noqa: PLC0415
    from smsflow_provider.core.audience.saved import SavedBy, save  # noqa: PLC0415  psycopg
    from smsflow_provider.core.audience.saved_changes import append_people  # noqa: PLC0415  polars

    by = SavedBy(dag_id=origin.dag_id, run_id=origin.run_id, task_id=origin.task_id)
    if mode == SaveMode.APPEND:
        change = append_people(store, name, reference, files=saved_files(), by=by, create=True)
        return change.version
    return save(store, name, reference, **asdict(by))


def saved_files() -> SavedFiles:
    """Say where the files of saved audiences go, by the configuration."""
    from airflow.sdk import ObjectStoragePath  # noqa: PLC0415  not at DAG parse time

    from smsflow_provider.core.audience.saved_changes import SavedFiles  # noqa: PLC0415  polars
    from smsflow_provider.hooks.config import SmsflowConfig  # noqa: PLC0415

    folder = cast("Artifact", ObjectStoragePath(SmsflowConfig.read().artifacts))
    return SavedFiles(folder=folder, open_file=open_artifact)


def freshness_of(max_age: str | timedelta | None, *, on_stale: str) -> Freshness | None:
    """
    Read how old a saved audience may be. None: any age.

    Raises:
        AudienceError: *max_age* is no time.

    Example:
        >>> freshness_of("2d", on_stale="warn").max_age
        datetime.timedelta(days=2)
    """
    from pydantic_core import PydanticCustomError  # noqa: PLC0415

    from smsflow_provider.core.audience.keeping import OnStale  # noqa: PLC0415
    from smsflow_provider.core.audience.saved import Freshness  # noqa: PLC0415  psycopg
    from smsflow_provider.core.errors import AudienceError  # noqa: PLC0415
    from smsflow_provider.core.workflow.duration import (  # noqa: PLC0415
        check_duration,
        read_duration,
    )

    if max_age is None:
        return None
    try:
        read = read_duration(max_age)
        if not isinstance(read, timedelta):
            raise AudienceError("max_age must be a time such as 2d", got=str(max_age))
        return Freshness(max_age=check_duration(read), on_stale=OnStale(on_stale))
    except PydanticCustomError as error:
        raise AudienceError(f"max_age {error.message()}", got=str(max_age)) from None


def open_artifact(uri: str) -> Any:
    """Open the file behind a URI of an audience, for reading in binary."""
    from airflow.sdk import ObjectStoragePath  # noqa: PLC0415  not at DAG parse time

    return ObjectStoragePath(uri).open("rb")  # type: ignore[no-untyped-call]


def remove_artifact(uri: str) -> None:
    """
    Remove the file behind a URI of an audience; one that is not there is no error.

    Raises:
        OSError: It is still there.
    """
    from airflow.sdk import ObjectStoragePath  # noqa: PLC0415  not at DAG parse time

    from smsflow_provider.core.audience.place import (  # noqa: PLC0415  same
        local_path,
        remove_whole,
    )

    remove_whole(local_path(uri) or cast("Artifact", ObjectStoragePath(uri)))
