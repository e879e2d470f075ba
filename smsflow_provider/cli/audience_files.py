"""Where the command line puts files of audiences, and how it makes one of a file of people."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from smsflow_provider.cli.reach import stdout_kept

if TYPE_CHECKING:
    from smsflow_provider.core.audience.place import Artifact
    from smsflow_provider.core.audience.reference import AudienceReference
    from smsflow_provider.core.audience.saved_changes import SavedFiles
    from smsflow_provider.core.store.connection import Store


def files_of(args: argparse.Namespace) -> SavedFiles:
    """Say where files go: ``--artifacts``, else as Airflow is configured."""
    from smsflow_provider.core.audience.saved_changes import SavedFiles  # noqa: PLC0415  polars

    return SavedFiles(folder=_folder_of(args), open_file=open_artifact)


def _folder_of(args: argparse.Namespace) -> Artifact:
    given = args.artifacts
    if given and "://" not in given:
        return Path(given).absolute()
    with stdout_kept():
        from airflow.sdk import ObjectStoragePath  # noqa: PLC0415  takes seconds

        from smsflow_provider.hooks.config import SmsflowConfig  # noqa: PLC0415  same

        return cast("Artifact", ObjectStoragePath(given or SmsflowConfig.read().artifacts))


def open_artifact(uri: str) -> BinaryIO:
    """Open the file of a URI; one of this machine without Airflow."""
    from smsflow_provider.core.audience.place import local_path  # noqa: PLC0415

    path = local_path(uri)
    if path is not None:
        return path.open("rb")
    with stdout_kept():
        from smsflow_provider.hooks.audience import open_artifact as opened  # noqa: PLC0415  slow

        return cast("BinaryIO", opened(uri))


def build_from_file(store: Store, args: argparse.Namespace) -> AudienceReference:
    """
    Make an audience of a file of people.

    Raises:
        AudienceError: The file cannot be read, or holds nobody.
    """
    from smsflow_provider.core.audience.build import build_audience, uri_of  # noqa: PLC0415  polars
    from smsflow_provider.core.audience.file_options import read_file_options  # noqa: PLC0415
    from smsflow_provider.core.audience.files import FileBatches  # noqa: PLC0415
    from smsflow_provider.core.errors import AudienceError  # noqa: PLC0415
    from smsflow_provider.core.model import Origin  # noqa: PLC0415
    from smsflow_provider.core.store.audience_files import (  # noqa: PLC0415
        register_file,
        write_announced,
    )

    path = Path(args.file)
    if not path.is_file():
        raise AudienceError("there is no such file", file=args.file)
    options = read_file_options(
        {name: getattr(args, name) for name in ("delimiter", "encoding", "bad_lines")}
    )
    source = FileBatches(lambda: path.open("rb"), label=path.name, options=options)
    target = files_of(args).new(args.name)
    build = partial(
        build_audience,
        source,
        target=target,
        phone_column=args.phone_column,
        id_column=args.id_column,
    )
    made = write_announced(store, uri_of(target), build, by=Origin())
    assert made is not None
    facts = source.facts()
    if facts.get("bad_lines"):
        print(f"smsflow: bad lines left out: {facts['bad_lines']:,}", file=sys.stderr)
    register_file(store, made, made={"source": "file", "label": path.name, **facts})
    return made
