"""Reading a frozen audience from wherever Airflow's object storage keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smsflow_provider.core.audience.read import AudienceFile
    from smsflow_provider.core.audience.reference import AudienceReference
    from smsflow_provider.core.preparation.listed_audience import ListedAudience
    from smsflow_provider.core.store.connection import Store


def open_audience(reference: AudienceReference) -> AudienceFile:
    """Find the file of an audience, to be read as often as it takes. Reads nothing yet."""
    from smsflow_provider.core.audience.read import AudienceFile  # noqa: PLC0415  loads polars

    return AudienceFile(reference=reference, open_file=_open_file)


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


def _open_file(uri: str) -> Any:
    from airflow.sdk import ObjectStoragePath  # noqa: PLC0415  not at DAG parse time

    return ObjectStoragePath(uri).open("rb")  # type: ignore[no-untyped-call]
