"""``smsflow lint``: what is wrong with workflows, templates and DAG files, before they run."""

from __future__ import annotations

import argparse
import json as json_text
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, replace
from pathlib import Path

from smsflow_provider.cli.lint_rules import (
    is_rules_file,
    rules_of_template,
    rules_of_workflow,
    rules_problems,
)
from smsflow_provider.cli.lint_templates import People, findings_in, length_in, names_in
from smsflow_provider.cli.words import counted
from smsflow_provider.core.content.template import (
    SUFFIX,
    Template,
    find_template,
    load_template,
)
from smsflow_provider.core.errors import TemplateError
from smsflow_provider.core.workflow.problem import Problem, in_file
from smsflow_provider.core.workflow.read import Reading, read_file, text_of, twins
from smsflow_provider.core.workflow.spec import SmsDelivery

_YAML = (".yaml", ".yml")
_LIKE_A_WORKFLOW = re.compile(r"^(id|activities)\s*:", re.MULTILINE)
_LIKE_A_DAG = re.compile(r"airflow|smsflow", re.IGNORECASE)
_OF_WORKFLOWS = re.compile(r"WorkflowError: (\d+) problems? in ")
_NEVER = frozenset({"__pycache__", "node_modules", "site-packages"})
_TOLD = re.compile(r"(?::(?P<line>\d+))?: (?P<text>.*)", re.DOTALL)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options: what to look at, and how to say it."""
    parser.description = (
        "Name every problem of workflows (*.yaml), delivery templates (*.sms.j2), rules "
        "(rules/typologies/*.yaml, prices, budgets) and DAG files (*.py), which are loaded to "
        "look at. Exit code 1 when there is one. Notes say what of a template could be better; "
        "they change no exit code unless --strict is given."
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file, or a folder of them")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--strict", action="store_true", help="exit code 1 for notes as well")
    group = parser.add_argument_group("what is known of the people the templates are for")
    group.add_argument(
        "--audience",
        type=Path,
        metavar="FILE",
        help="Parquet or CSV: its columns, and its longest values, fill the templates",
    )
    group.add_argument("--columns", metavar="A,B", help="names of its columns, without a file")
    group.add_argument(
        "--longest",
        action="append",
        default=[],
        metavar="FIELD=LENGTH",
        help="characters a field can have; may be repeated",
    )


def run(args: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    people = People(
        file=args.audience,
        columns=None if args.columns is None else names_in(args.columns),
        lengths=dict(map(length_in, args.longest)),
    )
    return lint(args.paths, json=args.json, people=people, strict=args.strict)


def lint(
    paths: Sequence[str | Path],
    *,
    json: bool = False,
    people: People | None = None,
    strict: bool = False,
) -> int:
    """
    Print every problem of *paths*, one a line: ``file:line: field: text (hint)``.

    Notes on templates follow, with ``note:`` before their text.

    Args:
        paths: Files, or folders of files. Hidden files in folders are left out, and so are
            YAML and Python files that are plainly something else.
        json: Print ``{"files", "problems", "notes"}`` instead, and nothing else on stdout.
        people: What is known of those the templates are for. None: nothing.
        strict: Notes count as problems do.

    Returns:
        0 when there is no problem, else 1.

    Raises:
        ConfigError: The file of *people* is not there.
        AudienceError: It cannot be read.
    """
    # DAG files and Airflow may print while they are loaded; our stdout is for the answer.
    with redirect_stdout(sys.stderr):
        files, problems, notes = _look([Path(path) for path in paths], people or People())
    if json:
        shown = {
            "files": len(files),
            "problems": [asdict(problem) for problem in problems],
            "notes": [asdict(note) for note in notes],
        }
        print(json_text.dumps(shown, ensure_ascii=False, indent=2))
    else:
        _print(files, problems, notes)
    return 1 if problems or (strict and notes) else 0


def _print(files: Sequence[Path], problems: Sequence[Problem], notes: Sequence[Problem]) -> None:
    for problem in problems:
        print(problem)
    for note in notes:
        print(replace(note, text=f"note: {note.text}"))
    if not problems:
        print(f"no problems in {len(files)} {'file' if len(files) == 1 else 'files'}")


def _look(paths: Iterable[Path], people: People) -> tuple[list[Path], list[Problem], list[Problem]]:
    """Give the files, their problems and the notes on them, in the order of the files."""
    files, problems = _found(paths)
    templates: dict[Path, Template] = {}
    readings = [
        (path, read_file(path))
        for path in files
        if path.suffix in _YAML and not is_rules_file(path)
    ]
    for path, reading in readings:
        problems += [*reading.problems, *_templates_of(path, reading)]
        problems += rules_of_workflow(path, reading)
    problems += twins(readings)
    for path in files:
        if is_rules_file(path):
            problems += rules_problems(path)
        elif path.suffix == ".py":
            problems += _without_told(_dag_problems(path), problems)
        elif path.name.endswith(SUFFIX):
            template = _read_template(path)
            if isinstance(template, list):
                problems += template
            else:
                templates[path] = template
                problems += rules_of_template(path, template)
    more, notes = findings_in(templates, people)
    order = {str(path): place for place, path in enumerate(files)}

    def place_of(problem: Problem) -> tuple[int, int]:
        return order.get(problem.file, -1), problem.line or 0

    return files, sorted([*problems, *more], key=place_of), sorted(notes, key=place_of)


def _found(paths: Iterable[Path]) -> tuple[list[Path], list[Problem]]:
    """List the files to look at, each once, and what is wrong with *paths* themselves."""
    files: dict[Path, None] = {}
    problems = []
    for path in paths:
        if not path.exists():
            problems.append(Problem(file=str(path), text="no such file or folder"))
        elif path.is_dir():
            files |= dict.fromkeys(_in_folder(path))
        elif _is_ours(path):
            files[path] = None
        else:
            hint = f"workflows end with .yaml, templates with {SUFFIX}, DAG files with .py"
            problems.append(Problem(file=str(path), text="is no file of ours", hint=hint))
    return list(files), problems


def _in_folder(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        left_out = any(part.startswith(".") or part in _NEVER for part in parts)
        if not left_out and path.is_file() and _is_ours(path) and _is_likely(path):
            yield path


def _is_ours(path: Path) -> bool:
    known = path.suffix in (*_YAML, ".py") or path.name.endswith(SUFFIX)
    return known or is_rules_file(path)


def _is_likely(path: Path) -> bool:
    """Whether a file nobody named is meant for us. Doubt is a yes."""
    if path.name.endswith(SUFFIX) or path.parent.name == "workflows" or is_rules_file(path):
        return True
    text = text_of(path)
    mark = _LIKE_A_DAG if path.suffix == ".py" else _LIKE_A_WORKFLOW
    return not isinstance(text, str) or mark.search(text) is not None


def _dag_problems(path: Path) -> list[Problem]:
    # Airflow takes seconds to load; workflows and templates do not wait for it.
    from smsflow_provider.compiler.dag_files import dag_file_problems  # noqa: PLC0415

    return dag_file_problems(path)


def _without_told(found: Iterable[Problem], told: Sequence[Problem]) -> Iterator[Problem]:
    """Where a DAG file cannot be loaded for what its workflows have told, say only that."""
    for problem in found:
        repeated = sum(_as_repeated(one) in problem.text for one in told)
        if repeated and repeated == int((_OF_WORKFLOWS.search(problem.text) or [0, 0])[1]):
            text = f"cannot be loaded because of {counted(repeated, 'problem')} in its workflows"
            yield replace(problem, text=text)
        else:
            yield problem


def _as_repeated(problem: Problem) -> str:
    # The file that loads it may write its folder otherwise; an error writes its facts by repr.
    return repr(str(replace(problem, file=Path(problem.file).name)))[1:-1]


def _read_template(path: Path) -> Template | list[Problem]:
    try:
        return load_template(path)
    except TemplateError as error:
        told = error.facts.get("problems")
        lines = told if isinstance(told, list) else [f"{path}: {error.problem}"]
        return in_file([_read_back(line.removeprefix(str(path))) for line in lines], str(path))


def _read_back(told: str) -> Problem:
    """Make a problem of the text of one, without its file."""
    found = _TOLD.fullmatch(told)
    if found is None:
        return Problem(text=told)
    return Problem(text=found["text"], line=int(found["line"]) if found["line"] else None)


def _templates_of(path: Path, reading: Reading) -> Iterator[Problem]:
    """Name the templates of a workflow that the nearest folder ``templates`` does not hold."""
    folder = next(
        (each / "templates" for each in path.resolve().parents if (each / "templates").is_dir()),
        None,
    )
    if folder is None or reading.workflow is None:
        return
    for name, activity in reading.workflow.activities.items():
        if isinstance(activity, SmsDelivery) and "{{" not in activity.template:
            field = f"activities.{name}.template"
            for problem in _template_wrong(activity.template, folder):
                yield Problem(
                    file=str(path),
                    line=reading.lines.get(field),
                    field=field,
                    text=problem.text,
                    hint=problem.hint,
                )


def _template_wrong(name: str, folder: Path) -> Iterator[Problem]:
    try:
        find_template(name, folder)
    except TemplateError as error:
        is_lost = "hint" in error.facts
        text = f"no such template {name!r}" if is_lost else f"template {name!r}: {error.problem}"
        yield Problem(text=text, hint=str(error.facts.get("hint", "look at it with smsflow lint")))
