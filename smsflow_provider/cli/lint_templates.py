"""What ``smsflow lint`` says of templates that can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from smsflow_provider.core.content.blocks import blocks_near
from smsflow_provider.core.content.examine import Finding, Severity, examine
from smsflow_provider.core.content.template import Template
from smsflow_provider.core.content.trial import Known
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.workflow.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What is known of those the templates are for."""

    #: Parquet or CSV. None: there is no file.
    file: Path | None = None
    #: Names of the columns, where there is no file. None: not known.
    columns: frozenset[str] | None = None
    #: Field to the most characters its values have; counts more than the file.
    lengths: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Problem):
    """Advice on a template, with the name of the check that gave it."""

    check: str = ""


def names_in(text: str) -> frozenset[str]:
    """Read ``--columns A,B``."""
    return frozenset(filter(None, map(str.strip, text.split(","))))


def length_in(text: str) -> tuple[str, int]:
    """
    Read ``--longest FIELD=LENGTH``.

    Raises:
        ConfigError: It is written otherwise, or the length is not 1 to 4000.
    """
    name, _, length = text.partition("=")
    if not (name and length.isdecimal() and 1 <= int(length) <= 4_000):
        raise ConfigError("write --longest FIELD=LENGTH, with 1 to 4000 characters", got=text)
    return name, int(length)


def findings_in(
    templates: Mapping[Path, Template], people: People
) -> tuple[list[Problem], list[Problem]]:
    """
    Examine *templates*, and give the problems and the notes.

    Raises:
        ConfigError: The file of people is not there.
        AudienceError: It cannot be read.
    """
    known = _known_of(
        people, fields=sorted({one for each in templates.values() for one in each.fields})
    )
    problems: dict[Problem, None] = {}
    notes: dict[Problem, None] = {}
    for path, template in templates.items():
        for finding in examine(template, known):
            told = problems if finding.severity is Severity.PROBLEM else notes
            told[_told(finding, path)] = None
    return list(problems), list(notes)


def _told(finding: Finding, path: Path) -> Problem:
    file = blocks_near(path).path_of(finding.block) if finding.block else path
    problem = Problem(
        text=finding.text,
        hint=finding.hint,
        field=finding.field,
        line=finding.line,
        file=str(file),
    )
    if finding.severity is Severity.PROBLEM:
        return problem
    return Note(**asdict(problem), check=finding.check.value)


def _known_of(people: People, *, fields: list[str]) -> Known:
    file = people.file
    if file is None:
        return Known(columns=people.columns, lengths=people.lengths)
    if not file.is_file():
        raise ConfigError("the audience's file is not there", file=str(file))
    # Polars and pyarrow take a second; who names no audience does not wait for them.
    from smsflow_provider.core.audience.extremes import extremes_of  # noqa: PLC0415
    from smsflow_provider.core.audience.files import FileBatches  # noqa: PLC0415
    from smsflow_provider.core.audience.layout import ID, PHONE  # noqa: PLC0415

    source = FileBatches(lambda: file.open("rb"), label=file.name)
    known = extremes_of(source.batches(), fields)
    return replace(
        known,
        columns=(known.columns or frozenset()) | {ID, PHONE},
        values={name: found for name, found in known.values.items() if name not in people.lengths},
        lengths=people.lengths,
    )
