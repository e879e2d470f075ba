"""People another task has frozen already."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa

from smsflow_provider.core.audience.place import OpenFile
from smsflow_provider.core.audience.read import read_empty, read_record_batches
from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.errors import AudienceError


def reference_of(given: object) -> AudienceReference:
    """
    Read what a task returned: ``uri``, ``count`` and ``fingerprint``, or the same as JSON text.

    Raises:
        AudienceError: It is something else.

    Example:
        >>> told = {"uri": "file:///a.parquet", "count": 2, "fingerprint": "0" * 64}
        >>> reference_of(json.dumps(told)).count
        2
    """
    if not isinstance(given, str):
        return AudienceReference.from_dict(given)
    try:
        return AudienceReference.from_dict(json.loads(given))
    except ValueError:
        raise AudienceError(
            "the reference is no JSON: pass task.output, or end the template in '| tojson'"
        ) from None


class ReferenceBatches:
    """
    A source over the file of another audience: as it was referred to, or not at all.

    All of it is read, whatever columns are wanted, so that its fingerprint can be compared.

    Args:
        reference: The audience.
        open_file: Opens its file.
    """

    def __init__(self, reference: AudienceReference, *, open_file: OpenFile) -> None:
        self._reference = reference
        self._open_file = open_file

    @property
    def label(self) -> str:
        """The file's name."""
        return self._reference.uri.rpartition("/")[2]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Hand out the rows; see ``Source.batches``."""
        yield read_empty(self._reference, open_file=self._open_file)
        yield from read_record_batches(
            self._reference, open_file=self._open_file, check_content=True
        )

    def facts(self) -> dict[str, object]:
        """Tell which audience it was; see ``told_by``."""
        return {"of": self._reference.as_dict()}
