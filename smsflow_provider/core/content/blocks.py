"""
Blocks: pieces of text that templates share, ``{% include "footer" %}``.

A block is a file ``<templates>/blocks/<name>.j2`` of text alone, without settings. It reads as
if its text stood in place of the include: it sees the same fields, and what it sets is set.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.visitor import NodeTransformer

from smsflow_provider.core.content.problem import Problem, near
from smsflow_provider.core.errors import TemplateError

#: The folder of the blocks, in the folder of the templates.
FOLDER: Final = "blocks"
#: What the name of a block's file ends with.
SUFFIX: Final = ".j2"
#: A block in a block in a block …, at most.
MAX_DEPTH: Final = 5
#: Includes in one text, those in blocks counted each time they are reached.
MAX_INCLUDES: Final = 100
_NAME = re.compile(r"(?=.{1,200}$)[\w][\w.-]*(?:/[\w][\w.-]*)*")
_FENCE = re.compile(r"---[ \t]*(?:[^\s-]\S*[ \t]*)?", re.MULTILINE)


class BlockFolder(Mapping[str, str]):
    """
    The blocks of a folder, read when they are asked for. A folder that is not there is empty.

    Raises:
        TemplateError: The file of a block cannot be read, or is not UTF-8.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, name: str) -> str:
        r"""Read a block: line ends are ``\n``, one newline at the end is dropped."""
        path = self.path_of(name)
        if _NAME.fullmatch(name) is None or not path.is_file():
            raise KeyError(name)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise TemplateError("the block is not UTF-8", block=name) from None
        except OSError as error:
            raise TemplateError("the block cannot be read", block=name) from error
        return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")

    def __iter__(self) -> Iterator[str]:
        """Names, with the folders below this one, parted by ``/``."""
        for path in self.folder.rglob(f"*{SUFFIX}"):
            yield path.relative_to(self.folder).as_posix().removesuffix(SUFFIX)

    def __len__(self) -> int:
        """Count the files."""
        return sum(1 for _ in self)

    def path_of(self, name: str) -> Path:
        """Tell the file of the block *name*."""
        return self.folder / f"{name}{SUFFIX}"


def blocks_near(path: Path, *, root: Path | None = None) -> BlockFolder:
    """
    Find the blocks for the template file *path*: the nearest folder, beside it or above.

    Args:
        path: The file of a template.
        root: The highest folder to look in, one of those above *path*. None: all are looked in.
    """
    above = path.parents
    looked_in = above if root is None else above[: list(above).index(root) + 1]
    found = (folder / FOLDER for folder in looked_in if (folder / FOLDER).is_dir())
    return BlockFolder(next(found, path.parent / FOLDER))


@dataclass(frozen=True, slots=True)
class Places:
    """
    Where the lines of a spliced text stand.

    A spliced tree counts its lines through: first those of the text itself, then those of each
    block.
    """

    #: First line in the tree, the block (empty: the text itself), its first line in its file.
    starts: tuple[tuple[int, str, int], ...]

    def of(self, line: int) -> tuple[str, int]:
        """Give the block (empty: the text itself) and the line in its file."""
        index = bisect_right(self.starts, line, key=lambda start: start[0]) - 1
        first, block, own = self.starts[max(index, 0)]
        return block, line - first + own


@dataclass(frozen=True, slots=True, kw_only=True)
class Spliced:
    """A text with its blocks in their places."""

    #: None: the text itself cannot be parsed.
    tree: nodes.Template | None
    places: Places
    #: The blocks it takes, by name, those within blocks as well.
    blocks: Mapping[str, str]
    #: Where blocks are wrong, cannot be found or parsed.
    problems: tuple[Problem, ...]


def splice(
    text: str, *, sandbox: Environment, blocks: Mapping[str, str], first_line: int = 1
) -> Spliced:
    """
    Parse *text* and put the trees of its blocks where it includes them.

    Args:
        text: The text of a template.
        sandbox: What parses it.
        blocks: Name to text; a ``BlockFolder`` or a snapshot.
        first_line: Line of its file at which *text* begins.

    Returns:
        The tree without includes, and all problems of finding and parsing. What a text may not
        contain is not looked for here.

    Example:
        >>> made = splice("Hi{% include 'end' %}", sandbox=Environment(), blocks={"end": "!"})
        >>> made.blocks, made.problems, len(made.tree.body)
        ({'end': '!'}, (), 2)
    """
    splicer = _Splicer(sandbox, blocks, first_line=first_line, lines=text.count("\n") + 1)
    tree = splicer.parse(text)
    return Spliced(
        tree=tree,
        places=Places(tuple(splicer.starts)),
        blocks=splicer.used,
        problems=tuple(dict.fromkeys(splicer.problems)),
    )


def block_label(name: str) -> str:
    """Name the file of a block as people know it, wherever the folder is."""
    return f"{FOLDER}/{name}{SUFFIX}"


class _Splicer(NodeTransformer):
    """Replaces the includes of one text, and remembers what it met."""

    def __init__(
        self, sandbox: Environment, blocks: Mapping[str, str], *, first_line: int, lines: int
    ) -> None:
        self.used: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.starts = [(1, "", first_line)]
        self._sandbox, self._blocks = sandbox, blocks
        self._next_line = lines + 1
        self._first_of: dict[str, int] = {}
        self._within: list[str] = []
        self._count = 0

    def parse(self, text: str, *, name: str = "", first: int = 1) -> nodes.Template | None:
        try:
            tree = self._sandbox.parse(text)
        except TemplateSyntaxError as error:
            self._tell(error.message or "syntax", line=error.lineno + first - 1)
            return None
        for node in {id(node): node for node in tree.find_all(nodes.Node)}.values():
            node.lineno = (node.lineno or 1) + first - 1
        if name:
            self._within.append(name)
        self.generic_visit(tree)
        if name:
            self._within.pop()
        return tree

    def visit_Include(self, node: nodes.Include) -> list[nodes.Node]:  # noqa: N802  Jinja's name
        name = self._name_of(node)
        text = None if name is None else self._text_of(name, line=node.lineno)
        if name is None or text is None:
            return []
        tree = self.parse(text, name=name, first=self._first_of[name])
        return list(tree.body) if tree is not None else []

    def _name_of(self, node: Any) -> str | None:
        """Read the one constant name; tell what else stands there."""
        is_constant = isinstance(node.template, nodes.Const) and isinstance(
            node.template.value, str
        )
        if not is_constant:
            self._tell("include needs the name of one block", '{% include "footer" %}', node.lineno)
            return None
        if node.ignore_missing or not node.with_context:
            hint = '{% include "footer" %} is all there is'
            self._tell("include takes nothing but a name", hint, node.lineno)
            return None
        return str(node.template.value)

    def _text_of(self, name: str, *, line: int) -> str | None:
        problem = self._limit_of(name)
        if problem:
            self._tell(problem, line=line)
            return None
        try:
            text = self._blocks[name]
        except KeyError:
            hint = near(name, self._blocks) or "the folder holds none"
            self._tell(f"no such block {name!r}", hint, line)
            return None
        except TemplateError as error:
            self._tell(f"block {name!r}: {error.problem}", line=line)
            return None
        self._enter(name, text)
        return text

    def _limit_of(self, name: str) -> str | None:
        self._count += 1
        if name in self._within:
            chain = " > ".join([*self._within[self._within.index(name) :], name])
            return f"blocks include one another without end: {chain}"
        if len(self._within) >= MAX_DEPTH:
            return f"blocks within blocks more than {MAX_DEPTH} deep"
        if self._count > MAX_INCLUDES:
            return f"more than {MAX_INCLUDES} includes in one text"
        return None

    def _enter(self, name: str, text: str) -> None:
        """Give the lines of a block their place, the first time it is met."""
        if name in self.used:
            return
        self.used[name] = text
        self._first_of[name] = self._next_line
        self.starts.append((self._next_line, name, 1))
        lines = text.split("\n")
        self._next_line += len(lines)
        for index, one in enumerate(lines):
            if _FENCE.fullmatch(one) and (index == 0 or any(map(str.isalpha, one))):
                hint = "a block is text alone: no settings, no languages"
                self._tell("'---' begins nothing here", hint, self._first_of[name] + index)

    def _tell(self, text: str, hint: str = "", line: int = 1) -> None:
        block, own_line = Places(tuple(self.starts)).of(line)
        self.problems.append(
            Problem(
                text=text, hint=hint, field="body", line=own_line, file=file_of(block, self._blocks)
            )
        )


def file_of(block: str, blocks: Mapping[str, str]) -> str:
    """Tell the file of a problem; empty: the template's own."""
    if not block:
        return ""
    return str(blocks.path_of(block)) if isinstance(blocks, BlockFolder) else block_label(block)
