"""
New versions of saved audiences out of old ones: with more people, or with fewer.

No version is ever changed. A new file is written and registered first, and only then one short
transaction makes it the next version, if the version it was made from is still the newest; if not,
it is made again from the one that is. Killed at any point, the former version is the newest.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from functools import partial
from typing import Final

from smsflow_provider.core.audience.build import build_audience, uri_of
from smsflow_provider.core.audience.place import Artifact, OpenFile, safe_name
from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.audience.saved import SavedBy, reference_of, save
from smsflow_provider.core.audience.saved_name import check_name
from smsflow_provider.core.audience.saved_sources import Appended, Reduced
from smsflow_provider.core.audience.source import OnEmpty, Source
from smsflow_provider.core.errors import NotFoundError, SupersededError
from smsflow_provider.core.model import Origin
from smsflow_provider.core.store.audience_files import register_file, write_announced
from smsflow_provider.core.store.audiences import Action, SavedAudience, find_audience
from smsflow_provider.core.store.connection import Store

#: How often a version is made anew because another one came first.
_TRIES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFiles:
    """Where the files of audiences lie, and how they are opened."""

    #: The artifacts folder.
    folder: Artifact
    #: Opens a URI for reading in binary.
    open_file: OpenFile

    def new(self, name: str) -> Artifact:
        """Name a file for the next version of a name; two calls never give the same."""
        return self.folder / "saved" / safe_name(name) / f"{uuid.uuid4().hex}.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of a saved audience."""

    name: str
    #: The version there is now.
    version: int
    #: Its rows.
    count: int
    #: Rows that came.
    added: int = 0
    #: Rows that went; of an append, those in whose place newer ones came.
    removed: int = 0


def append_people(
    store: Store,
    name: str,
    people: AudienceReference,
    *,
    files: SavedFiles,
    by: SavedBy,
    create: bool = False,
    description: str | None = None,
) -> Change:
    """
    Make the next version of a saved audience: its rows, and behind them those of *people*.

    Who has the same ``recipient_id`` or the same phone as one of *people* is replaced: the newest
    row counts (see ``PersonKeys``). Within either nothing is left out: two rows of one person stay
    two. Where ids are row numbers, only phones are compared, and the rows are numbered anew.

    Bounded memory: batches of 50,000 rows, and some 25 bytes for each of *people*.

    Args:
        store: Keeps the versions.
        name: The saved audience.
        people: Who comes, with the same columns.
        files: Where the new file goes.
        by: Who does it.
        create: Save *people* as the first version if nobody saved the name; else that is an error.
        description: What the name is. None: as before.

    Raises:
        NotFoundError: Nobody saved the name; with near ones.
        AudienceError: Not a name, other columns, types that do not go together, or only one of the
            two has ids of people.
        SupersededError: Others saved the name all the time; nothing was saved.
    """
    check_name(name)

    def make() -> Change:
        base = _base_of(store, name, create=create)
        if base is None:
            version = save(store, name, people, base=0, description=description, **asdict(by))
            return Change(name=name, version=version, count=people.count, added=people.count)
        merged = Appended(label=name, old=reference_of(base), new=people, open_file=files.open_file)
        made = _written(store, base, merged, files=files, by=by)
        version = save(
            store,
            name,
            made,
            base=base.version,
            action=Action.APPEND,
            description=description,
            **asdict(by),
        )
        removed = base.count + people.count - made.count
        return Change(
            name=name, version=version, count=made.count, added=people.count, removed=removed
        )

    return _again(make)


def remove_people(
    store: Store,
    name: str,
    people: AudienceReference | Collection[str],
    *,
    files: SavedFiles,
    by: SavedBy,
    action: Action = Action.DELETE,
) -> Change:
    """
    Make the next version of a saved audience without some people.

    Where nobody of them is in it, there is no new version. It is as old as the one before
    (``built_at``): nobody was computed anew.

    Args:
        store: Keeps the versions.
        name: The saved audience.
        people: Who goes: the people of another audience, by id or by phone as in
            ``append_people``; or ids.
        files: Where the new file goes.
        by: Who does it.
        action: Why.

    Raises:
        NotFoundError: Nobody saved the name; with near ones.
        AudienceError: Ids are given, and those of the audience are row numbers; or only one of the
            two has ids of people.
        SupersededError: Others saved the name all the time; nothing was saved.
    """
    check_name(name)

    def make() -> Change:
        base = find_audience(store, name)
        source = Reduced(
            label=name, old=reference_of(base), without=people, open_file=files.open_file
        )
        made = _written(store, base, source, files=files, by=by)
        removed = base.count - made.count
        if not removed:
            return Change(name=name, version=base.version, count=base.count)
        version = save(
            store,
            name,
            made,
            base=base.version,
            action=action,
            built_at=base.built_at,
            **asdict(by),
        )
        return Change(name=name, version=version, count=made.count, removed=removed)

    return _again(make)


def _again(make: Callable[[], Change]) -> Change:
    """Make a version, and make it anew from the newest one when another came first."""
    for _ in range(_TRIES - 1):
        try:
            return make()
        except SupersededError:
            continue
    return make()


def _base_of(store: Store, name: str, *, create: bool) -> SavedAudience | None:
    try:
        return find_audience(store, name)
    except NotFoundError:
        if not create:
            raise
        return None


def _written(
    store: Store, base: SavedAudience, source: Source, *, files: SavedFiles, by: SavedBy
) -> AudienceReference:
    """Write a file that retention knows of before its first byte is there."""
    target = files.new(base.name)
    origin = Origin(dag_id=by.dag_id, run_id=by.run_id, task_id=by.task_id)
    build = partial(build_audience, source, target=target, on_empty=OnEmpty.CONTINUE)
    made = write_announced(store, uri_of(target), build, by=origin)
    assert made is not None
    register_file(store, made, by=origin, made={"base": f"{base.name}@{base.version}"})
    return made
