"""Typologies as files: ``<rules>/typologies/<name>.yaml``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from smsflow_provider.core.document.judge import judge, text_of
from smsflow_provider.core.document.problem import Problem, in_file, near_or_all
from smsflow_provider.core.document.tree import Tree, dotted, read_tree
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.conditions import problems_of_syntax
from smsflow_provider.core.preparation.controls import problems_of_controls
from smsflow_provider.core.preparation.typology import (
    TYPOLOGY_DEFAULT,
    FilterRule,
    PressureRule,
    Typology,
)

#: Folder of the typologies within that of the rules.
FOLDER: Final = "typologies"
#: The typology of deliveries that name none.
DEFAULT_NAME: Final = "default"

_SUFFIXES: Final = (".yaml", ".yml")


def read_typology(text: str, *, file: str = "") -> tuple[Typology | None, list[Problem]]:
    r"""
    Read one typology from YAML.

    Args:
        text: The document.
        file: Its name, as the user knows it.

    Returns:
        The typology and no problem, or None and all problems.

    Example:
        >>> wrong = "rules:\n- {kind: filter, name: minors, exclude_wen: age < 18}\n"
        >>> for problem in read_typology(wrong, file="a.yaml")[1]:
        ...     print(problem)
        a.yaml:2: rules.0.exclude_when: is missing
        a.yaml:2: rules.0.exclude_wen: unknown field 'exclude_wen' (did you mean 'exclude_when'?)
    """
    tree = read_tree(text)
    typology, found = _judged(tree)
    found = sorted([*tree.problems, *found], key=lambda each: each.line or 0)
    return None if found else typology, in_file(found, file)


def _judged(tree: Tree) -> tuple[Typology | None, list[Problem]]:
    if not isinstance(tree.data, dict):
        shape = Problem(text="must hold one typology", hint="start with rules:", line=1)
        return None, [] if tree.problems else [shape]
    typology, found = judge(tree, Typology)
    if typology is None:
        return None, found
    paths = {dotted(path): path for path in tree.lines}
    return typology, [
        Problem(field=field, text=text, line=tree.line_of(paths.get(field, ())))
        for field, text in [*_problems_of_sql(typology), *problems_of_controls(typology)]
    ]


def _problems_of_sql(typology: Typology) -> Iterator[tuple[str, str]]:
    """Say of each expression over the audience, by its field, why it is no SQL."""
    for name, text in typology.population.filters.items():
        yield from _said(f"population.filters.{name}", text)
    for place, rule in enumerate(typology.rules):
        if isinstance(rule, FilterRule):
            yield from _said(f"rules.{place}.exclude_when", rule.exclude_when)
        elif isinstance(rule, PressureRule) and rule.most_by is not None:
            yield from _said(f"rules.{place}.most_by", rule.most_by)


def _said(field: str, text: str) -> Iterator[tuple[str, str]]:
    yield from ((field, problem) for problem in problems_of_syntax(text))


def load_typology(path: Path) -> Typology:
    """
    Read the typology file *path*.

    Raises:
        ConfigError: It cannot be read, or ``facts["problems"]`` lists all that is wrong with it.
    """
    typology, problems = look_at_typology(path)
    if typology is None:
        raise _error_of(problems)
    return typology


def look_at_typology(path: Path) -> tuple[Typology | None, list[Problem]]:
    """Read the file at *path*; what is wrong is in the problems, as with ``read_typology``."""
    text = text_of(path)
    if isinstance(text, Problem):
        return None, [text]
    return read_typology(text, file=str(path))


def _error_of(problems: Sequence[Problem]) -> ConfigError:
    noun = "problem" if len(problems) == 1 else "problems"
    # The name of the file, not its folder: that is another one on each machine.
    told = [replace(each, file=Path(each.file).name) for each in problems]
    return ConfigError(
        f"{len(problems)} {noun} in the typology", problems=[str(each) for each in told]
    )


def find_typology(name: str | None, folder: Path) -> tuple[str, Typology]:
    """
    Find the one typology of a delivery.

    Args:
        name: What the delivery or its template says. None: the file ``default``; where there is
            none, no rules.
        folder: Folder of the rules.

    Returns:
        Its name, empty where there are no rules, and the typology.

    Raises:
        ConfigError: No such file (with the near name), or it has problems.
    """
    files = typology_files(folder)
    path = files.get(name or DEFAULT_NAME)
    if path is None and name is None:
        return "", TYPOLOGY_DEFAULT
    if path is None:
        raise ConfigError(
            f"no such typology {name!r}",
            typology=name,
            hint=near_or_all(name, files) or f"the folder {FOLDER} of the rules holds none",
        )
    return path.stem, load_typology(path)


def typology_files(folder: Path) -> dict[str, Path]:
    """
    List the typologies of a folder of rules by their names.

    Raises:
        ConfigError: Two files have one name, ``a.yaml`` and ``a.yml``.
    """
    found: dict[str, Path] = {}
    for path in sorted((folder / FOLDER).glob("*")):
        if path.suffix in _SUFFIXES and not path.name.startswith("."):
            if path.stem in found:
                raise ConfigError("two typologies have one name", typology=path.stem)
            found[path.stem] = path
    return found


def is_typology_file(path: Path) -> bool:
    """Whether a path is that of a typology: a YAML file in a folder ``typologies``."""
    return path.suffix in _SUFFIXES and path.parent.name == FOLDER
