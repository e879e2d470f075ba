"""
Erasing a person: everywhere, once and for all, but for a keyed hash that keeps texts away.

The hash comes first: from then on nothing is sent to the number, whatever happens to the rest.
Each step finds what is still there, so that a try that was killed is simply made again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from smsflow_provider.core.audience.build import uri_of
from smsflow_provider.core.audience.place import Artifact, OpenFile
from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.audience.without_person import (
    blank_in_archive,
    count_in_audience,
    find_in_archive,
    rebuild_without,
)
from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import AudienceError
from smsflow_provider.core.store.audience_files import (
    KnownFile,
    announce_file,
    iterate_files,
    mark_purged,
    register_file,
)
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.erased import remember_erased
from smsflow_provider.core.store.erasure import (
    Left,
    Person,
    Removed,
    archive_folders,
    archives_held,
    foreign_files,
    forget_lists,
    forget_messages,
    is_being_read,
    replace_file,
)
from smsflow_provider.core.store.suppressed import NOBODY

#: Whose file is not whole after this time was killed: no query and no upload takes so long.
_DEAD_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFiles:
    """How the files of audiences and archives are reached."""

    #: Opens a URI for reading in binary.
    open_file: OpenFile
    #: Finds the path behind a URI or a folder. None: it cannot be reached from here.
    at: Callable[[str], Artifact | None]
    #: Removes the file of a URI and what a killed writer left beside it; what is not there is no
    #: error.
    remove: Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What one call found, and what it had to leave."""

    removed: tuple[Removed, ...]
    left: tuple[Left, ...]

    @property
    def is_complete(self) -> bool:
        """Whether nothing was left."""
        return not self.left


def erase(
    store: Store,
    person: Person,
    *,
    files: KeptFiles,
    dry_run: bool = False,
    now: Callable[[], datetime] = utc_now,
) -> Erased:
    """
    Remove a person from lists, replies, messages, exclusions, audiences and archives.

    Messages and exclusions are emptied, so that every count stays. What a delivery may still send
    is left as it was approved, and reported; the number gets none of it, for it is cancelled as
    ``opted_out``. Reads every message, exclusion and audience that is kept, once.

    Args:
        store: Knows everything.
        person: Who.
        files: How files are reached.
        dry_run: Find and count only; not even the hash is kept.
        now: The time: what was begun a day ago and is no whole file is nobody's work any more.

    Returns:
        What was removed by place, and what was left and why. Ask again when that has changed.
    """
    if not dry_run:
        remember_erased(store, person.phone)
    removed = forget_lists(store, person, dry_run=dry_run)
    left: list[Left] = []
    # Files before messages: who has read a person from a file until then is preparing when the
    # messages are looked at, or has prepared.
    _forget_audiences(store, person, files, dry_run, now() - _DEAD_AFTER, removed, left)
    with archives_held(store) as are_ours:
        messages, waiting = forget_messages(store, person, dry_run=dry_run)
        removed += messages
        left += waiting
        if are_ours:
            for folder in archive_folders(store):
                _note(_forget_archive, store, folder, person, files, dry_run, removed, left)
        else:
            left.append(Left(what="archives", why="another process writes them"))
    return Erased(removed=tuple(one for one in removed if one.count), left=tuple(left))


def _forget_audiences(
    store: Store,
    person: Person,
    files: KeptFiles,
    dry_run: bool,  # noqa: FBT001  passed on
    dead_before: datetime,
    removed: list[Removed],
    left: list[Left],
) -> None:
    """Go through all files, and once more through those that came meanwhile, until none has."""
    seen = set[str]()
    while fresh := [found for found in iterate_files(store) if found.uri not in seen]:
        seen |= {found.uri for found in fresh}
        for found in fresh:
            if found.fingerprint:
                _note(_forget_audience, store, found, person, files, dry_run, removed, left)
            elif found.created_at > dead_before:
                left.append(Left(what=f"audience file {found.uri}", why="it is being written"))
            else:
                _note(_drop_unfinished, store, found, person, files, dry_run, removed, left)
    left += [
        Left(what=f"file {uri}", why="smsflow did not write it") for uri in foreign_files(store)
    ]


def _drop_unfinished(
    store: Store, found: KnownFile, _person: Person, *, files: KeptFiles, dry_run: bool
) -> Left | None:
    """Remove what a writer that was killed has left: nobody refers to it, and nobody can."""
    if dry_run:
        return None
    what = f"audience file {found.uri}"
    if files.at(found.uri) is None:
        return Left(what=what, why="it cannot be reached from here")
    try:
        files.remove(found.uri)
    except OSError as error:
        return Left(what=what, why=type(error).__name__)
    mark_purged(store, found.uri)
    return None


def _note(
    forget: Callable[..., Removed | Left | None],
    store: Store,
    found: Any,
    person: Person,
    files: KeptFiles,
    dry_run: bool,  # noqa: FBT001  passed on
    removed: list[Removed],
    left: list[Left],
) -> None:
    told = forget(store, found, person, files=files, dry_run=dry_run)
    if isinstance(told, Removed):
        removed.append(told)
    elif told is not None:
        left.append(told)


def _forget_audience(
    store: Store, found: KnownFile, person: Person, *, files: KeptFiles, dry_run: bool
) -> Removed | Left | None:
    """Write one audience anew without the person, let versions refer to it, drop the old file."""
    what = f"audience file {found.uri}"
    place = files.at(found.uri)
    if place is None:
        return Left(what=what, why="it cannot be reached from here")
    try:
        files.open_file(found.uri).close()
        count = _forget_rows(store, found, person, files=files, place=None if dry_run else place)
    except FileNotFoundError:
        return None
    except AudienceError as error:
        return Left(what=what, why=error.problem)
    except OSError as error:
        return Left(what=what, why=type(error).__name__)
    return Removed(place=what, count=count)


def _forget_rows(
    store: Store, found: KnownFile, person: Person, *, files: KeptFiles, place: Artifact | None
) -> int:
    """Count a person's rows, and drop them if there is a *place* for what is left."""
    old = AudienceReference(uri=found.uri, count=found.count, fingerprint=found.fingerprint)
    count = count_in_audience(old, person, open_file=files.open_file)
    if count and place is not None:
        if is_being_read(store, found.uri):
            raise AudienceError("a delivery is being prepared from it")
        _replace(store, found, old, person, files=files, place=place)
    return count


def _replace(
    store: Store,
    found: KnownFile,
    old: AudienceReference,
    person: Person,
    *,
    files: KeptFiles,
    place: Artifact,
) -> None:
    target = place.with_name(f"{uuid.uuid4().hex}.parquet")
    announce_file(store, uri_of(target), by=found.by)
    new = rebuild_without(old, person, target=target, open_file=files.open_file)
    register_file(store, new, by=found.by, made={**found.made, "erased_from": old.as_dict()})
    replace_file(store, old.uri, new_uri=new.uri, count=new.count, fingerprint=new.fingerprint)
    files.remove(old.uri)
    mark_purged(store, old.uri)


def _forget_archive(
    _store: Store, folder: str, person: Person, *, files: KeptFiles, dry_run: bool
) -> Removed | Left | None:
    what = f"archive {folder}"
    place = files.at(folder)
    if place is None:
        return Left(what=what, why="it cannot be reached from here")
    try:
        found = find_in_archive(place, person)
        count = found.messages.height + found.excluded
        if count and not dry_run:
            blank_in_archive(place, person, found=found, nobody=NOBODY)
    except OSError as error:
        return Left(what=what, why=type(error).__name__)
    return Removed(place=what, count=count)
