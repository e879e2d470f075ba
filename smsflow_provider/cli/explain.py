"""``smsflow explain``: the SQL of rules, whom they find, and whom each condition removes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smsflow_provider.cli.preview_rows import pair_of
from smsflow_provider.cli.reach import add_json_argument, print_json, stdout_kept
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.workflow.conf import filled, values_of
from smsflow_provider.core.workflow.problem import near_or_all
from smsflow_provider.core.workflow.read import read_workflow
from smsflow_provider.core.workflow.spec import BuildAudience, Workflow

if TYPE_CHECKING:
    from smsflow_provider.core.audience.rules.explain import Explanation
    from smsflow_provider.hooks.explain import Question

#: Characters of one value of a sample.
_WIDEST = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = (
        "Ask the database what the rules of an audience come to: how many people each condition "
        "leaves, a few of them with phones masked, and the SQL. Builds nothing."
    )
    parser.add_argument("workflow", nargs="?", help="a workflow file, or the id of a workflow")
    parser.add_argument("activity", nargs="?", help="its build_audience activity; or the only one")
    parser.add_argument("--rules", type=Path, metavar="FILE", help="rules by themselves, as YAML")
    parser.add_argument("--dimension", metavar="NAME", help="with --rules: whom they are about")
    parser.add_argument("--columns", metavar="A,B", default="", help="with --rules: more columns")
    parser.add_argument(
        "--conf",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the run; may be repeated",
    )
    parser.add_argument(
        "--at",
        metavar="DATE",
        help="the logical date that relative dates count from, such as 2026-03-01 (now)",
    )
    parser.add_argument("--conn-id", metavar="ID", help="ask this connection instead")
    parser.add_argument("--folder", type=Path, help="folder of rules ([smsflow] rules)")
    parser.add_argument("--sample", type=int, default=20, help="rows to show (%(default)s)")
    parser.add_argument("--sql", action="store_true", help="print the SQL alone, and ask nothing")
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print what the rules come to."""
    wish = _wish_of(args)
    with stdout_kept():
        question = _question_of(args, wish)
        answer = None if args.sql else question.answer(sample=max(args.sample, 0))
    if answer is None:
        print_json({"sql": question.sql()}) if args.json else print(question.sql())
    elif args.json:
        told = {"dimension": question.dimension.name, "conn_id": question.database.conn_id}
        print_json(told | answer.as_dict())
    else:
        _show(answer, question)
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to explain."""

    settings: Mapping[str, Any]
    #: A file near which the folder of rules may lie.
    near: Path


def _wish_of(args: argparse.Namespace) -> Wish:
    if args.rules is not None:
        return _lone_rules(args)
    if args.workflow is None:
        raise ConfigError("name a workflow and its activity, or give --rules and --dimension")
    if args.dimension or args.columns:
        raise ConfigError("--dimension and --columns go with --rules: the workflow says its own")
    path = _file_of(args.workflow)
    workflow = read_workflow(path)
    values = values_of(workflow.params, dict(map(pair_of, args.conf)))
    activity = _activity_of(workflow, args.activity)
    settings = activity.model_dump()
    return Wish(settings=settings | {"rules": filled(activity.rules, values)}, near=path)


def _lone_rules(args: argparse.Namespace) -> Wish:
    from smsflow_provider.core.document.judge import text_of  # noqa: PLC0415  this way only
    from smsflow_provider.core.document.tree import Tree, read_tree  # noqa: PLC0415  same

    if args.workflow or not args.dimension:
        raise ConfigError("with --rules, give --dimension and no workflow")
    text = text_of(args.rules)
    tree = read_tree(text) if isinstance(text, str) else Tree(data=None, lines={}, problems=[text])
    if tree.problems:
        told = [str(each) for each in tree.problems]
        raise ConfigError("the rules cannot be read", file=str(args.rules), problems=told)
    data = tree.data
    rules = data["rules"] if isinstance(data, dict) and set(data) == {"rules"} else data
    columns = [name for name in args.columns.split(",") if name]
    values = dict(map(pair_of, args.conf))
    settings = {
        "rules": filled(rules, values),
        "dimension": args.dimension,
        "columns": columns,
        "time_limit": None,
    }
    return Wish(settings=settings, near=args.rules)


def _file_of(name: str) -> Path:
    """Find a workflow by its file, or by its id in Airflow's folder of DAGs."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return path
    with stdout_kept():
        from airflow.sdk.configuration import conf  # noqa: PLC0415  takes seconds

        from smsflow_provider.compiler.load import workflow_files  # noqa: PLC0415  same
        from smsflow_provider.core.workflow.read import id_in, text_of  # noqa: PLC0415

        folder = Path(conf.get("core", "dags_folder"))
        texts = {each: text_of(each) for each in workflow_files(folder)}
        found = {id_in(text): each for each, text in texts.items() if isinstance(text, str)}
    if name not in found:
        known = [each for each in found if each]
        raise ConfigError(
            "there is no workflow of this id, and no such file",
            workflow=name,
            folder=str(folder),
            hint=near_or_all(name, known),
        )
    return found[name]


def _activity_of(workflow: Workflow, name: str | None) -> BuildAudience:
    by_rules = {
        each: activity
        for each, activity in workflow.activities.items()
        if isinstance(activity, BuildAudience) and activity.rules is not None
    }
    if name is None and len(by_rules) == 1:
        return next(iter(by_rules.values()))
    if name not in by_rules:
        raise ConfigError(
            "name the activity that builds an audience by rules",
            workflow=workflow.id,
            activity=name,
            hint=near_or_all(name or "", by_rules) or "this workflow has none",
        )
    return by_rules[name]


def _question_of(args: argparse.Namespace, wish: Wish) -> Question:
    from smsflow_provider.hooks.explain import question_of  # noqa: PLC0415  takes seconds

    settings = {**wish.settings, "conn_id": args.conn_id or wish.settings.get("conn_id")}
    return question_of(settings, at=args.at, folder=_folder_of(args, wish))


def _folder_of(args: argparse.Namespace, wish: Wish) -> Path:
    """Find the folder of rules: as told, as configured, or the nearest to the file."""
    if args.folder is not None:
        return Path(args.folder)
    from smsflow_provider.hooks.config import SmsflowConfig  # noqa: PLC0415  takes seconds

    configured = SmsflowConfig.read().rules
    parents = wish.near.resolve().parents
    nearest = (each / "rules" for each in parents if (each / "rules" / "dimensions").is_dir())
    is_there = (configured / "dimensions").is_dir()
    return configured if is_there else next(nearest, configured)


def _show(answer: Explanation, question: Question) -> None:
    database = question.database
    print(f"{question.dimension.title} on {database.conn_id} ({database.dialect})\n")
    print(f"{answer.everyone:>12,}            everyone")
    for step in answer.steps:
        print(f"{step.count:>12,} {f'-{step.removed:,}':>10} {step.words}")
    print(f"{answer.count:>12,}            people\n")
    if answer.sample:
        _show_rows(answer.sample)
    print(answer.sql)


def _show_rows(rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows in columns."""
    names = list(rows[0])
    lines = [names, *([_cell(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(names))]
    for line in lines:
        print(
            "  ".join(f"{text:<{width}}" for text, width in zip(line, widths, strict=True)).rstrip()
        )
    print()


def _cell(value: object) -> str:
    text = "" if value is None else str(value).replace("\n", " ")
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
