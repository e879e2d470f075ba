"""The code blocks of a page, so that tests can run what the page says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w+-]*)\s*$")
_MARK = re.compile(r"<!--\s*test:\s*(?P<mark>[\w-]+)\s*-->")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block of a page."""

    #: The word behind the fence; empty if there is none.
    language: str
    text: str
    #: Of the fence, from 1.
    line: int
    #: The word of ``<!-- test: WORD -->`` on the line before the fence; empty without one.
    mark: str = ""


def blocks(path: Path, language: str, *, mark: str | None = None) -> list[str]:
    r"""
    Give the texts of the blocks of one language.

    Args:
        path: The page.
        language: The word behind the fence.
        mark: Only those under ``<!-- test: MARK -->``. None: all of the language.

    Returns:
        In the order of the page. Empty: there is none.

    Example:
        >>> import tempfile
        >>> page = Path(tempfile.mkdtemp()) / "page.md"
        >>> _ = page.write_text("<!-- test: rest -->\n```bash\necho 1\n```\n")
        >>> blocks(page, "bash", mark="rest")
        ['echo 1\n']
    """
    return [
        block.text
        for block in blocks_of(path)
        if block.language == language and mark in {None, block.mark}
    ]


def blocks_of(path: Path) -> list[Block]:
    """
    Give all fenced blocks of a page.

    Raises:
        ValueError: A fence is never closed.
    """
    return list(_read(path.read_text(encoding="utf-8").splitlines(), name=path.name))


def _read(lines: list[str], *, name: str) -> Iterator[Block]:
    opened: re.Match[str] | None = None
    begun, text, mark = 0, list[str](), ""
    for number, line in enumerate(lines, start=1):
        fence = _FENCE.match(line)
        if opened is None and fence is None:
            mark = _mark_of(line, mark)
        elif opened is None and fence is not None:
            opened, begun, text = fence, number, []
        elif opened is not None and line.strip() == "```":
            yield Block(language=opened["language"], text="".join(text), line=begun, mark=mark)
            opened, mark = None, ""
        elif opened is not None:
            text.append(f"{line.removeprefix(opened['indent'])}\n")
    if opened is not None:
        raise ValueError(f"{name}:{begun}: a block is never closed")


def _mark_of(line: str, before: str) -> str:
    """A mark counts for the next block; empty lines may stand between."""
    found = _MARK.fullmatch(line.strip())
    if found:
        return found["mark"]
    return before if not line.strip() else ""
