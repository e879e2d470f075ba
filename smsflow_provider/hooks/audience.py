"""Reading a frozen audience from wherever Airflow's object storage keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smsflow_provider.core.audience.reference import AudienceReference


def read_columns(reference: AudienceReference) -> Iterator[Mapping[str, Sequence[Any]]]:
    """
    Read an audience as columns, about 50,000 rows at a time.

    Raises:
        AudienceError: The file is gone, or, behind the last batch, its content is another one.
    """
    from airflow.sdk import ObjectStoragePath  # noqa: PLC0415  not at DAG parse time

    from smsflow_provider.core.audience.read import read_audience  # noqa: PLC0415  loads polars

    def open_file(uri: str) -> Any:
        return ObjectStoragePath(uri).open("rb")  # type: ignore[no-untyped-call]

    for frame in read_audience(reference, open_file=open_file, check_content=True):
        yield frame.to_dict(as_series=False)
