"""The templates of a folder, for people: each with its problems, and a text tried on rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from smsflow_provider.core.content.blocks import blocks_near
from smsflow_provider.core.content.encoding import non_gsm_characters
from smsflow_provider.core.content.examine import Finding, examine
from smsflow_provider.core.content.template import SUFFIX, Template, find_template
from smsflow_provider.core.errors import ConfigError, TemplateError
from smsflow_provider.core.gateways.base import Split
from smsflow_provider.core.model import Encoding
from smsflow_provider.core.preparation.bounded_rendering import BoundedRendering
from smsflow_provider.core.preparation.prices import PriceTable
from smsflow_provider.core.preparation.template_preview import TemplatePreview

#: Characters outside GSM 7-bit that are named for one text.
_SHOWN: Final = 20
#: Folder of texts that templates include; they are none themselves.
_BLOCKS: Final = "blocks"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFile:
    """One file of the folder."""

    #: Without the suffix, with the folders below, parted by ``/``.
    name: str
    #: None: it cannot be used; ``problems`` says why.
    template: Template | None
    #: As ``smsflow lint`` writes them, with the place of the file in the folder.
    problems: Sequence[str] = ()
    #: What lint finds in one that can be used.
    findings: Sequence[Finding] = ()


_Stamp = tuple[tuple[str, int, int], ...]


@dataclass(slots=True)
class TemplateFolder:
    """
    The templates of *folder*; looks into a file again only if it, or a block, has changed.

    Reads only; a folder that is not there is empty. Not more than 2,000 files are looked at.
    """

    folder: Path
    _kept: dict[str, tuple[_Stamp, TemplateFile]] = field(default_factory=dict)

    @property
    def is_readable(self) -> bool:
        """Whether the folder is there for this process."""
        return self.folder.is_dir()

    def files(self) -> list[TemplateFile]:
        """List the templates by name."""
        paths = sorted(self.folder.rglob(f"*{SUFFIX}"))[:2_000]
        names = [path.relative_to(self.folder) for path in paths]
        shown = [name.as_posix().removesuffix(SUFFIX) for name in names if not _is_block(name)]
        blocks = _stamp(path for path, name in zip(paths, names, strict=True) if _is_block(name))
        return [self._file(name, blocks) for name in shown]

    def find(self, name: str) -> TemplateFile | None:
        """Find one of ``files``; None: there is none."""
        return next((one for one in self.files() if one.name == name), None)

    def _file(self, name: str, blocks: _Stamp) -> TemplateFile:
        stamp = (*_stamp([self.folder / f"{name}{SUFFIX}"]), *blocks)
        kept = self._kept.get(name)
        if kept is None or kept[0] != stamp:
            kept = self._kept[name] = (stamp, _look(name, self.folder))
        return kept[1]

    def blocks_of(self, name: str) -> Mapping[str, str]:
        """Give the texts that the template *name* may include."""
        return blocks_near(self.folder / f"{name}{SUFFIX}", root=self.folder)


def _is_block(path: Path) -> bool:
    return _BLOCKS in path.parts[:-1]


def _stamp(paths: Any) -> _Stamp:
    found = []
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            continue
        found.append((str(path), stat.st_mtime_ns, stat.st_size))
    return tuple(found)


def _look(name: str, folder: Path) -> TemplateFile:
    try:
        template = find_template(name, folder)
    except TemplateError as error:
        return TemplateFile(name=name, template=None, problems=problems_in(error, folder=folder))
    return TemplateFile(name=name, template=template, findings=tuple(examine(template)))


def problems_in(error: ConfigError, *, folder: Path | None = None) -> list[str]:
    """Take the problems out of an error of a template; paths begin in *folder*."""
    told = [str(one) for one in error.facts.get("problems", [])] or [error.problem]  # type: ignore[attr-defined]
    return told if folder is None else [one.removeprefix(f"{folder}/") for one in told]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A text tried on rows."""

    #: Why the text cannot be used: ``line: field: what``, with lines of the text alone.
    problems: Sequence[str] = ()
    #: One for each row; see ``Sample.as_dict``; with ``unicode``, the places and characters that
    #: make parts of 70 units.
    rows: Sequence[dict[str, Any]] = field(default=(), repr=False)


def try_text(
    template: Template,
    rows: Sequence[Mapping[str, object]],
    *,
    body: str | None,
    language: str,
    blocks: Mapping[str, str],
    splits: Mapping[Encoding, Split] | None,
    prices: PriceTable | None,
) -> Tried:
    """
    Make what people would read of *template*, with *body* in the place of its text.

    Rendered in a child with little time and memory; nothing is kept.

    Args:
        template: Its settings hold.
        rows: Field to value; a missing one is blank.
        body: Another text for *language*. None: the template's own.
        language: A language of the template. Empty: the default one.
        blocks: What the text may include.
        splits: How the gateway cuts. None: not known.
        prices: What a part costs. None: not known.
    """
    try:
        tried = template if body is None else _with_body(template, body, language, blocks)
        preview = TemplatePreview(
            tried, splits=splits, prices=prices, rendering=BoundedRendering(tried)
        )
        names = sorted({name for row in rows for name in row})
        columns = {name: [row.get(name) for row in rows] for name in names}
        samples = list(preview.samples(columns, count=len(rows)))
    except ConfigError as error:
        return Tried(problems=problems_in(error))
    return Tried(rows=[_told(sample.as_dict()) for sample in samples])


def _with_body(template: Template, body: str, language: str, blocks: Mapping[str, str]) -> Template:
    given = template.as_dict() | {"blocks": dict(blocks), "name": "text"}
    text = body.replace("\r\n", "\n").replace("\r", "\n")
    if language in ("", template.default_language):
        given["body"] = text
    else:
        given["variants"] = given["variants"] | {language: text}
    return Template.from_dict(given)


def _told(sample: dict[str, Any]) -> dict[str, Any]:
    found = non_gsm_characters(sample.get("text", ""))
    return sample | {
        "unicode": [{"at": at, "character": character} for at, character in found[:_SHOWN]],
        "unicode_count": len(found),
    }
