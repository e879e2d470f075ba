"""
Erasing a person: everywhere, once and for all, but for a keyed hash that keeps texts away.

The hash comes first: from then on nothing is sent to the number, whatever happens to the rest.
Each step finds what is still there, so that a try that was killed is simply made again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

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
    erasing = _Erasing(store=store, person=person, files=files, dry_run=dry_run)
    erasing.removed.extend(forget_lists(store, person, dry_run=dry_run))
    # Files before messages: who has read a person from a file until then is preparing when the
    # messages are looked at, or has prepared.
    erasing.forget_audiences(dead_before=now() - _DEAD_AFTER)
    with archives_held(store) as are_ours:
        messages, waiting = forget_messages(store, person, dry_run=dry_run)
        erasing.removed.extend(messages)
        erasing.left.extend(waiting)
        if are_ours:
            erasing.forget_archives()
        else:
            erasing.left.append(Left(what="archives", why="another process writes them"))
    removed = tuple(one for one in erasing.removed if one.count)
    return Erased(removed=removed, left=tuple(erasing.left))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Erasing:
    """One person who is being erased from files, and what was found so far."""

    store: Store
    person: Person
    files: KeptFiles
    dry_run: bool
    removed: list[Removed] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)

    def forget_audiences(self, *, dead_before: datetime) -> None:
        """Go through all files, and once more through those that came meanwhile, until none has."""
        seen = set[str]()
        while fresh := [one for one in iterate_files(self.store) if one.uri not in seen]:
            seen |= {found.uri for found in fresh}
            for found in fresh:
                self._note(self._forget_file(found, dead_before=dead_before))
        for uri in foreign_files(self.store):
            self.left.append(Left(what=f"file {uri}", why="smsflow did not write it"))

    def forget_archives(self) -> None:
        """Go through all archives."""
        for folder in archive_folders(self.store):
            self._note(self._forget_archive(folder))

    def _note(self, told: Removed | Left | None) -> None:
        if isinstance(told, Removed):
            self.removed.append(told)
        elif told is not None:
            self.left.append(told)

    def _forget_file(self, found: KnownFile, *, dead_before: datetime) -> Removed | Left | None:
        if found.fingerprint:
            return self._forget_audience(found)
        if found.created_at > dead_before:
            return Left(what=f"audience file {found.uri}", why="it is being written")
        return None if self.dry_run else self._drop_unfinished(found)

    def _drop_unfinished(self, found: KnownFile) -> Left | None:
        """Remove what a writer that was killed has left: nobody refers to it, and nobody can."""
        what = f"audience file {found.uri}"
        if self.files.at(found.uri) is None:
            return Left(what=what, why="it cannot be reached from here")
        try:
            self.files.remove(found.uri)
        except OSError as error:
            return Left(what=what, why=type(error).__name__)
        mark_purged(self.store, found.uri)
        return None

    def _forget_audience(self, found: KnownFile) -> Removed | Left | None:
        """Write one audience anew without the person, let versions refer to it, drop the old."""
        what = f"audience file {found.uri}"
        place = self.files.at(found.uri)
        if place is None:
            return Left(what=what, why="it cannot be reached from here")
        try:
            self.files.open_file(found.uri).close()
            count = self._forget_rows(found, place=place)
        except FileNotFoundError:
            return None
        except AudienceError as error:
            return Left(what=what, why=error.problem)
        except OSError as error:
            return Left(what=what, why=type(error).__name__)
        return Removed(place=what, count=count)

    def _forget_rows(self, found: KnownFile, *, place: Artifact) -> int:
        """Count a person's rows, and drop them."""
        old = AudienceReference(uri=found.uri, count=found.count, fingerprint=found.fingerprint)
        count = count_in_audience(old, self.person, open_file=self.files.open_file)
        if count and not self.dry_run:
            if is_being_read(self.store, found.uri):
                raise AudienceError("a delivery is being prepared from it")
            self._replace(found, old, place=place)
        return count

    def _replace(self, found: KnownFile, old: AudienceReference, *, place: Artifact) -> None:
        store, by = self.store, found.by
        target = place.with_name(f"{uuid.uuid4().hex}.parquet")
        announce_file(store, uri_of(target), by=by)
        new = rebuild_without(old, self.person, target=target, open_file=self.files.open_file)
        register_file(store, new, by=by, made={**found.made, "erased_from": old.as_dict()})
        replace_file(store, old.uri, new_uri=new.uri, count=new.count, fingerprint=new.fingerprint)
        self.files.remove(old.uri)
        mark_purged(store, old.uri)

    def _forget_archive(self, folder: str) -> Removed | Left:
        what = f"archive {folder}"
        place = self.files.at(folder)
        if place is None:
            return Left(what=what, why="it cannot be reached from here")
        try:
            found = find_in_archive(place, self.person)
            count = found.messages.height + found.excluded
            if count and not self.dry_run:
                blank_in_archive(place, self.person, found=found, nobody=NOBODY)
        except OSError as error:
            return Left(what=what, why=type(error).__name__)
        return Removed(place=what, count=count)
