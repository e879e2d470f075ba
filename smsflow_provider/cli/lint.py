"""``smsflow lint``: everything wrong with workflows, templates and DAG files, before they run."""

from __future__ import annotations

import argparse
import json as json_text
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path

from smsflow_provider.core.content.template import SUFFIX, find_template, load_template
from smsflow_provider.core.errors import TemplateError
from smsflow_provider.core.workflow.problem import Problem, in_file
from smsflow_provider.core.workflow.read import Reading, read_file, text_of, twins
from smsflow_provider.core.workflow.spec import SmsDelivery

_YAML = (".yaml", ".yml")
_LIKE_A_WORKFLOW = re.compile(r"^(id|activities)\s*:", re.MULTILINE)
_LIKE_A_DAG = re.compile(r"airflow|smsflow", re.IGNORECASE)
_NEVER = frozenset({"__pycache__", "node_modules", "site-packages"})
_TOLD = re.compile(r"(?::(?P<line>\d+))?: (?P<text>.*)", re.DOTALL)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options: what to look at, and how to say it."""
    parser.description = (
        "Name every problem of workflows (*.yaml), delivery templates (*.sms.j2) and DAG files "
        "(*.py), which are loaded to look at. Exit code 1 when there is one."
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file, or a folder of them")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    return lint(args.paths, json=args.json)


def lint(paths: Sequence[str | Path], *, json: bool = False) -> int:
    """
    Print every problem of *paths*, one a line: ``file:line: field: text (hint)``.

    Args:
        paths: Files, or folders of files. Hidden files in folders are left out, and so are
            YAML and Python files that are plainly something else.
        json: Print ``{"files", "problems"}`` instead, and nothing else on stdout.

    Returns:
        0 when there is no problem, else 1.
    """
    # DAG files and Airflow may print while they are loaded; our stdout is for the answer.
    with redirect_stdout(sys.stderr):
        files, problems = _look([Path(path) for path in paths])
    if json:
        shown = {"files": len(files), "problems": [asdict(problem) for problem in problems]}
        print(json_text.dumps(shown, ensure_ascii=False, indent=2))
    else:
        for problem in problems:
            print(problem)
        if not problems:
            print(f"no problems in {len(files)} {'file' if len(files) == 1 else 'files'}")
    return 1 if problems else 0


def _look(paths: Iterable[Path]) -> tuple[list[Path], list[Problem]]:
    files, problems = _found(paths)
    readings = [(path, read_file(path)) for path in files if path.suffix in _YAML]
    for path, reading in readings:
        problems += [*reading.problems, *_templates_of(path, reading)]
    problems += twins(readings)
    for path in files:
        if path.suffix == ".py":
            problems += _dag_problems(path)
        elif path.name.endswith(SUFFIX):
            problems += _template_problems(path)
    order = {str(path): place for place, path in enumerate(files)}
    return files, sorted(problems, key=lambda each: (order.get(each.file, -1), each.line or 0))


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
    return path.suffix in (*_YAML, ".py") or path.name.endswith(SUFFIX)


def _is_likely(path: Path) -> bool:
    """Whether a file nobody named is meant for us. Doubt is a yes."""
    if path.name.endswith(SUFFIX) or path.parent.name == "workflows":
        return True
    text = text_of(path)
    mark = _LIKE_A_DAG if path.suffix == ".py" else _LIKE_A_WORKFLOW
    return not isinstance(text, str) or mark.search(text) is not None


def _dag_problems(path: Path) -> list[Problem]:
    # Airflow takes seconds to load; workflows and templates do not wait for it.
    from smsflow_provider.compiler.dag_files import dag_file_problems  # noqa: PLC0415

    return dag_file_problems(path)


def _template_problems(path: Path) -> list[Problem]:
    try:
        load_template(path)
    except TemplateError as error:
        told = error.facts.get("problems")
        lines = told if isinstance(told, list) else [f"{path}: {error.problem}"]
        return in_file([_read_back(line.removeprefix(str(path))) for line in lines], str(path))
    return []


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
