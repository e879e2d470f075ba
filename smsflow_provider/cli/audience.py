"""``smsflow audience``: saved audiences, their versions, and who is in them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from smsflow_provider.cli.audience_files import build_from_file, files_of
from smsflow_provider.cli.control import actor_here
from smsflow_provider.cli.number_files import write_rows
from smsflow_provider.cli.reach import (
    add_json_argument,
    add_store_argument,
    print_json,
    reach_store,
)
from smsflow_provider.cli.words import counted
from smsflow_provider.core.audience.saved import SavedBy, find_saved, save
from smsflow_provider.core.audience.saved_name import read_name
from smsflow_provider.core.errors import ConfigError, NotFoundError
from smsflow_provider.core.store.audiences import (
    SavedAudience,
    delete_audience,
    describe_audience,
    find_audience,
    list_audiences,
    list_versions,
)
from smsflow_provider.core.store.connection import Store

if TYPE_CHECKING:
    from smsflow_provider.core.audience.saved_changes import Change

_WORDS: Final[Mapping[str, str]] = {
    "list": "list every saved audience",
    "show": "show the versions of one",
    "save": "save the people of a file under a new name",
    "update": "save the people of a file in the place of those under a name",
    "append": "put the people of a file behind those under a name, the newest row of each counts",
    "delete": "delete a version or a name; or take people out, as a new version",
    "describe": "say what a saved audience is",
    "diff": "compare two versions, person by person",
    "export": "write the people of a version as CSV, with their phones",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    subs = {name: actions.add_parser(name, help=words) for name, words in _WORDS.items()}
    for name, sub in subs.items():
        if name not in ("list", "diff"):
            versioned = name in ("show", "delete", "export")
            metavar = "NAME[@VERSION]" if versioned else "NAME"
            sub.add_argument("name", metavar=metavar, help="a saved audience")
    for name in ("save", "update", "append"):
        _add_file(subs[name])
    _add_deleting(subs["delete"])
    subs["describe"].add_argument("words", metavar="WORDS", help="no numbers of people in them")
    subs["diff"].add_argument("old", metavar="OLD", help="NAME@VERSION; or NAME: its last two")
    subs["diff"].add_argument("new", metavar="NEW", nargs="?", help="NAME[@VERSION]")
    subs["export"].add_argument("file", metavar="FILE", nargs="?", help="else standard output")
    for name, sub in subs.items():
        if name != "export":
            add_json_argument(sub)
        if name not in ("list", "show", "describe"):
            sub.add_argument(
                "--artifacts", metavar="FOLDER", help="where files of audiences go ([smsflow])"
            )
        add_store_argument(sub)


def _add_file(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("file", metavar="FILE", help="CSV, Parquet or Excel")
    sub.add_argument("--phone-column", default="phone", help="of the phones (%(default)s)")
    sub.add_argument("--id-column", help="of the ids; else recipient_id, else the row's number")
    sub.add_argument("--delimiter", help="of a CSV; else found out")
    sub.add_argument(
        "--bad-lines",
        choices=("fail", "skip"),
        default="fail",
        help="of a CSV: leave them out or not",
    )
    sub.add_argument("--encoding", help="of a CSV; else UTF-8")
    sub.add_argument("--description", metavar="WORDS", help="what the audience is")


def _add_deleting(sub: argparse.ArgumentParser) -> None:
    whom = sub.add_mutually_exclusive_group()
    whom.add_argument("--ids", nargs="+", metavar="ID", help="take these people out")
    whom.add_argument(
        "--people", metavar="NAME[@VERSION]", help="take out who is in another saved audience"
    )
    whom.add_argument("--every-version", action="store_true", help="delete the name as a whole")


def run(args: argparse.Namespace) -> int:
    """Do what the command line says."""
    return _ACTIONS[args.action](reach_store(args), args)


def _list(store: Store, args: argparse.Namespace) -> int:
    found = list_audiences(store)
    if args.json:
        print_json([_told(one) for one in found])
    for one in [] if args.json else found:
        print(_line(one))
    return 0


def _show(store: Store, args: argparse.Namespace) -> int:
    name, version = read_name(args.name)
    newest = find_audience(store, name, version=version)
    found = [newest] if version else list_versions(store, name)
    if args.json:
        print_json([_told(one) for one in found])
        return 0
    if newest.description:
        print(newest.description)
    for one in found:
        print(_line(one))
    columns = ", ".join(f"{column} ({kind})" for column, kind in newest.columns)
    print(f"columns: {columns}")
    return 0


def _save(store: Store, args: argparse.Namespace) -> int:
    from smsflow_provider.core.audience.saved_changes import Change  # noqa: PLC0415  polars

    base = _base_of(store, args)
    people = build_from_file(store, args)
    version = save(
        store,
        args.name,
        people,
        base=base.version if base else 0,
        description=args.description,
        actor=actor_here(),
    )
    made = Change(
        name=args.name,
        version=version,
        count=people.count,
        added=people.count,
        removed=base.count if base else 0,
    )
    return _tell(made, args)


def _base_of(store: Store, args: argparse.Namespace) -> SavedAudience | None:
    """Look what is there before a file is read: a slip of the name must not pass for another."""
    name, version = read_name(args.name)
    if version is not None:
        raise ConfigError("no version is ever changed: name the audience alone", name=args.name)
    try:
        found = find_audience(store, name)
    except NotFoundError:
        if args.action == "update":
            raise
        return None
    if args.action == "save":
        raise ConfigError(
            "this name is taken: 'update' takes other people, 'append' more", name=name
        )
    return found


def _append(store: Store, args: argparse.Namespace) -> int:
    from smsflow_provider.core.audience.saved_changes import append_people  # noqa: PLC0415  polars

    find_audience(store, args.name)
    change = append_people(
        store,
        args.name,
        build_from_file(store, args),
        files=files_of(args),
        by=SavedBy(actor=actor_here()),
        description=args.description,
    )
    return _tell(change, args)


def _delete(store: Store, args: argparse.Namespace) -> int:
    name, version = read_name(args.name)
    if args.ids or args.people:
        return _take_out(store, args, version=version)
    if (version is None) != args.every_version:
        raise ConfigError(
            "say which version, as NAME@VERSION; or NAME with --every-version", name=args.name
        )
    deleted = delete_audience(store, name, version=version)
    if args.json:
        print_json({"name": name, "deleted": deleted})
    else:
        print(f"{counted(len(deleted), 'version')} of {name} deleted.")
    return 0


def _take_out(store: Store, args: argparse.Namespace, *, version: int | None) -> int:
    from smsflow_provider.core.audience.saved_changes import remove_people  # noqa: PLC0415  polars

    if version is not None:
        raise ConfigError("no version is ever changed: name the audience alone", name=args.name)
    people = args.ids or find_saved(store, args.people)
    change = remove_people(
        store, args.name, people, files=files_of(args), by=SavedBy(actor=actor_here())
    )
    return _tell(change, args, asked=len(set(args.ids)) if args.ids else None)


def _describe(store: Store, args: argparse.Namespace) -> int:
    version = describe_audience(store, args.name, args.words)
    if args.json:
        print_json({"name": args.name, "version": version, "description": args.words})
    else:
        print(f"{args.name}@{version} is described so, and later versions will be.")
    return 0


def _diff(store: Store, args: argparse.Namespace) -> int:
    from smsflow_provider.core.audience.saved_diff import diff_audiences  # noqa: PLC0415  polars

    old, new = (args.old, args.new) if args.new else _last_two(store, args.old)
    found = diff_audiences(
        find_saved(store, old), find_saved(store, new), open_file=files_of(args).open_file
    )
    if args.json:
        print_json({"old": old, "new": new, **asdict(found)})
        return 0
    print(
        f"{old} to {new}, by {found.by}: {found.added:,} added, {found.removed:,} removed,"
        f" {found.changed:,} changed, {found.unchanged:,} the same"
    )
    for kind in ("added", "removed", "changed"):
        names = getattr(found, f"columns_{kind}")
        if names:
            print(f"columns {kind}: {', '.join(names)}")
    for row in found.rows:
        columns = f": {', '.join(row.columns)}" if row.columns else ""
        print(f"  {row.kind} {row.recipient_id} {row.phone}{columns}")
    return 0


def _last_two(store: Store, name: str) -> tuple[str, str]:
    if read_name(name)[1] is not None:
        raise ConfigError(
            "name two versions to compare, or the audience alone for its last two", name=name
        )
    newest = find_audience(store, name)
    versions = [one.version for one in list_versions(store, name)]
    if len(versions) < 2:
        raise ConfigError(
            "there is one version only: name what to compare it with",
            audience=f"{name}@{newest.version}",
        )
    return f"{name}@{versions[1]}", f"{name}@{versions[0]}"


def _export(store: Store, args: argparse.Namespace) -> int:
    from smsflow_provider.core.audience.read import read_audience  # noqa: PLC0415  polars

    found = find_saved(store, args.name)
    frames = read_audience(found, open_file=files_of(args).open_file, check_content=True)
    pages: Iterator[Iterable[Sequence[object]]] = (frame.iter_rows() for frame in frames)
    write_rows(args.file, columns=[column.name for column in found.columns], pages=pages)
    return 0


_ACTIONS: Final[Mapping[str, Callable[[Store, argparse.Namespace], int]]] = {
    "list": _list,
    "show": _show,
    "save": _save,
    "update": _save,
    "append": _append,
    "delete": _delete,
    "describe": _describe,
    "diff": _diff,
    "export": _export,
}


def _tell(change: Change, args: argparse.Namespace, *, asked: int | None = None) -> int:
    if args.json:
        print_json(asdict(change))
        return 0
    what = f"{change.added:,} added, " if change.added else ""
    # An id with a slip in it removes nobody: they would be texted all the same.
    of = f" for {counted(asked, 'id')}" if asked else ""
    print(
        f"{change.name}@{change.version}: {what}{change.removed:,} removed{of},"
        f" {counted(change.count, 'row')} now."
    )
    return 0


def _told(one: SavedAudience) -> dict[str, Any]:
    columns = [{"name": name, "kind": kind} for name, kind in one.columns]
    return {**asdict(one), "columns": columns}


def _line(one: SavedAudience) -> str:
    by = one.actor or "/".join(filter(None, (one.dag_id, one.run_id, one.task_id)))
    return (
        f"{one.name}@{one.version} {one.built_at:%Y-%m-%d %H:%M} {counted(one.count, 'row')},"
        f" {one.action}{f' by {by}' if by else ''}"
    )
