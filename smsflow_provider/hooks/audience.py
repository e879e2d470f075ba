"""Reading a frozen audience from wherever Airflow's object storage keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk.exceptions import AirflowNotFoundException

from smsflow_provider.core.model import Origin
from smsflow_provider.hooks.store import StoreHook, dsn_of

if TYPE_CHECKING:
    from smsflow_provider.core.audience.read import AudienceFile
    from smsflow_provider.core.audience.reference import AudienceReference
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
    from smsflow_provider.core.store.connection import Store  # noqa: PLC0415  same

    try:
        connection = StoreHook.get_connection(store_conn_id)
    except AirflowNotFoundException:
        return
    register_file(
        Store(dsn_of(connection)),
        reference,
        dag_id=origin.dag_id,
        run_id=origin.run_id,
        task_id=origin.task_id,
        map_index=origin.map_index,
        made=made,
    )


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
        Artifact,
        local_path,
        remove_whole,
    )

    remove_whole(local_path(uri) or cast("Artifact", ObjectStoragePath(uri)))
