"""Where a frozen audience lies: a path nobody else writes to, a file that is whole or absent."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self

from smsflow_provider.core.errors import AudienceError

#: Opens a URI for reading in binary.
OpenFile = Callable[[str], BinaryIO]

_UNSAFE = re.compile(r"^\.|[^A-Za-z0-9_.-]")
_LONGEST_NAME = 100


class Artifact(Protocol):
    """
    A path in a store of files: a ``pathlib.Path``, an ``ObjectStoragePath``, or alike.

    ``rename`` must put a whole file in place at once, as file systems and object stores do.
    """

    @property
    def name(self) -> str:
        """The last piece of the path."""

    @property
    def parent(self) -> Self:
        """The folder."""

    def with_name(self, name: str, /) -> Self:
        """Name a neighbour in the same folder."""

    def __truediv__(self, name: str, /) -> Self:
        """Go down."""

    def mkdir(self, *, parents: bool, exist_ok: bool) -> None:
        """Make the folder."""

    def open(self, mode: str, /) -> Any:
        """Open the file."""

    def rename(self, target: Any, /) -> Any:
        """Move the file."""

    def unlink(self, missing_ok: bool = ...) -> None:  # noqa: FBT001  as pathlib has it
        """Remove the file."""


def artifact_path(
    folder: Artifact,
    *,
    dag_id: str,
    run_id: str,
    task_id: str,
    map_index: int,
    try_number: int,
    token: str,
) -> Artifact:
    """
    Name the file of one execution of one task: ``{dag}/{run}/{task}.{try}-{token}.parquet``.

    Airflow may run the same try twice at once (a worker that was given up lives on). So the name
    ends in a token: a late double writes a file of its own, and nobody's input ever changes under
    their hands. What nobody refers to any more is waste, and left to retention.

    Args:
        folder: The artifacts folder.
        dag_id: Any text; like the others, made safe for file names without two becoming one.
        run_id: The run.
        task_id: The task.
        map_index: Index of a mapped task; -1 when it is not mapped.
        try_number: The try, from 1: for people who look at the folder.
        token: A new random text per execution.

    Example:
        >>> str(
        ...     artifact_path(
        ...         Path("/a"), dag_id="team.sale", run_id="manual 1", task_id="who", map_index=-1,
        ...         try_number=2, token="c0ffee",
        ...     )
        ... )
        '/a/team.sale/manual_1-317a65a8/who.2-c0ffee.parquet'
    """
    mapped = f".{map_index}" if map_index >= 0 else ""
    name = f"{safe_name(task_id)}{mapped}.{try_number}-{safe_name(token)}.parquet"
    return folder / safe_name(dag_id) / safe_name(run_id) / name


def safe_name(text: str) -> str:
    """
    Make a file name out of any text; two texts never share one.

    Letters, digits, ``_``, ``-`` and inner dots stay. A text with anything else, or a long one,
    ends in a piece of its hash; what stands before that is only for people.

    Example:
        >>> safe_name("weekly_offer"), safe_name("..")
        ('weekly_offer', '_.-5ec1f7e7')
    """
    cleaned = _UNSAFE.sub("_", text)[:_LONGEST_NAME]
    if cleaned == text and text and not _HASHED.search(text):
        return text
    return f"{cleaned}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


#: A text that already looks hashed is hashed again, or it could be another one's name.
_HASHED = re.compile(r"-[0-9a-f]{8}$")


def put_whole(local: Path, target: Artifact) -> None:
    """
    Copy a finished file to its place, so that *target* is the whole file or does not exist.

    Writes a neighbour that ends in ``.part`` and renames it. A crash leaves at most the
    neighbour, which nobody refers to; an error removes it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    try:
        with local.open("rb") as source, part.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
        part.rename(target)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def remove_whole(target: Artifact) -> None:
    """
    Remove a file that ``put_whole`` wrote, and what it left behind if it was killed.

    What is not there is no error. On a file system the folder goes with its last file.

    Raises:
        OSError: It is still there.
    """
    target.unlink(missing_ok=True)
    target.with_name(f"{target.name}.part").unlink(missing_ok=True)
    if isinstance(target, Path):
        # An object store has no folders, and what its libraries call rmdir removes what is inside.
        with suppress(OSError):
            target.parent.rmdir()


def local_path(uri: str) -> Path | None:
    """
    Find the path of a file of this machine; None: it lies elsewhere.

    Example:
        >>> local_path("file:///artifacts/who is it.parquet")
        PosixPath('/artifacts/who is it.parquet')
        >>> local_path("s3://bucket/who.parquet")
    """
    return Path(uri.removeprefix("file://")) if uri.startswith("file:///") else None


def open_found(uri: str, *, open_file: OpenFile) -> BinaryIO:
    """
    Open the file of an audience.

    Raises:
        AudienceError: It is gone.
    """
    try:
        return open_file(uri)
    except FileNotFoundError:
        raise AudienceError(
            "the audience's file is gone: run the task that builds it again", uri=uri
        ) from None
