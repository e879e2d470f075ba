"""
Render a template for many rows, quickly, and say which rows it cannot be rendered for.

A whole chunk of rows goes through one compiled loop, which is several times quicker than a
render for each row, and gives the same texts. A chunk in which anything goes wrong is halved
until the bad rows are found.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final

from jinja2 import StrictUndefined, UndefinedError, nodes
from jinja2 import Template as JinjaTemplate
from jinja2.exceptions import SecurityError
from jinja2.exceptions import TemplateError as JinjaError

from smsflow_provider.core.content.body import Sandbox, make_sandbox
from smsflow_provider.core.content.encoding import has_refused_characters, refused_characters
from smsflow_provider.core.content.filters import memoised_filters
from smsflow_provider.core.content.template import Template
from smsflow_provider.core.errors import TemplateError

#: Most characters one rendered text may have. 255 parts of Unicode would be 17,085.
MAX_CHARACTERS: Final = 4_000
# A control character no text may hold, between the texts of a chunk.
_SEPARATOR: Final = "\x1e"
# Chunks of this many rows or fewer are rendered row by row when something goes wrong.
_SMALL: Final = 32
_ERRORS: Final = (
    *(JinjaError, TemplateError, TypeError, ValueError, ArithmeticError, LookupError),
    *(AttributeError, RecursionError),
)
_SOURCE_NAME: Final = "<template>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The row lacks a field the text requires; the template's policy says what follows."""

    #: The first such field in the order of ``Template.fields``.
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The text of this row cannot be made or cannot be sent, whatever the policy."""

    #: A short reason with the line where known; holds nothing of the row.
    reason: str


#: What one row gives: its text, or why there is none.
Rendered = str | Missing | Failed


class BlankField(StrictUndefined):
    """Stands for an optional field the row lacks: false, undefined, and never printed."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]  # the strict one never returns
        """False, where Jinja's strict one raises: a guard may ask for it."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """What one field holds in each row of a chunk, blanks already replaced."""

    values: Sequence[object] = field(repr=False)
    #: Rows in which a required field has neither a value nor a default.
    missing: Sequence[int]


class Renderer:
    """
    Renders one template. Compiled once, not to be shared between threads.

    Only the fields of the row are visible to the text. A value is never read as Jinja: what
    looks like it comes out as it is. A field is *blank* when the row has no such column, or
    its value is None, NaN or a text of white space only. Of a blank field

    * ``defaults`` of the template stand in, where it has one;
    * else, if the text requires the field (see ``core.content.fields``), the row is
      ``Missing``;
    * else it is undefined, as ``is defined`` and ``default`` understand it, and false.

    A text that is empty, longer than 4,000 characters, or holds a character no text may hold
    is ``Failed``. How many parts a text may have is not decided here.
    """

    def __init__(self, template: Template) -> None:
        self.template = template
        sandbox = make_sandbox(memoised_filters())
        self._single = sandbox.from_string(template.body)
        self._chunk = _compile_loop(template, sandbox=sandbox)

    def render_chunk(self, rows: Mapping[str, Sequence[object]], *, count: int) -> list[Rendered]:
        """
        Render *count* rows given as columns.

        Args:
            rows: Column name to its values, *count* of each. Columns the text does not use are
                not looked at.
            count: Number of rows.

        Returns:
            One result for each row, in order. What to do with a ``Missing`` is the
            template's ``settings.missing``.

        Raises:
            ValueError: A column the text uses has another number of values.
        """
        columns = [self._column(name, rows, count=count) for name in self.template.fields]
        missing = self._missing_of(columns)
        rows_left = _rows_of(columns, missing, count=count)
        texts = self._render(rows_left)
        if not missing:
            return texts
        left = iter(texts)
        return [missing.get(index) or next(left) for index in range(count)]

    def render_row(self, row: Mapping[str, object]) -> Rendered:
        """Render one row; the same result as in a chunk."""
        return self.render_chunk({name: [value] for name, value in row.items()}, count=1)[0]

    def _column(self, name: str, rows: Mapping[str, Sequence[object]], *, count: int) -> _Column:
        values = rows.get(name, [None] * count)
        if len(values) != count:
            raise ValueError(f"column {name!r} has {len(values)} values, not {count}")
        blanks = [index for index, value in enumerate(values) if _is_blank(value)]
        if not blanks:
            return _Column(values=values, missing=())
        default = self.template.settings.defaults.get(name)
        if default is None and name in self.template.required:
            return _Column(values=values, missing=blanks)
        stand_in = BlankField(name=name) if default is None else default
        filled = list(values)
        for index in blanks:
            filled[index] = stand_in
        return _Column(values=filled, missing=())

    def _missing_of(self, columns: Sequence[_Column]) -> dict[int, Missing]:
        """Rows that lack a required field, with the first one each lacks."""
        missing: dict[int, Missing] = {}
        for name, column in zip(self.template.fields, columns, strict=True):
            for index in column.missing:
                missing.setdefault(index, Missing(field=name))
        return missing

    def _render(self, rows: Sequence[tuple[object, ...]]) -> list[Rendered]:
        """Try all rows at once; halve where that fails, down to single rows."""
        if self._chunk is not None and len(rows) > 1:
            texts = _render_loop(self._chunk, rows)
            if texts is not None:
                return texts
            if len(rows) > _SMALL:
                half = len(rows) // 2
                return self._render(rows[:half]) + self._render(rows[half:])
        return [self._render_single(row) for row in rows]

    def _render_single(self, row: tuple[object, ...]) -> Rendered:
        try:
            text = self._single.render(zip(self.template.fields, row, strict=True))
        except _ERRORS as error:
            return Failed(reason=_reason_of(error, first_line=self.template.body_line))
        return _checked(text)


def _compile_loop(template: Template, *, sandbox: Sandbox) -> JinjaTemplate | None:
    """
    Compile the text as the body of a loop over rows.

    None where that would not mean the same: without a field, and with ``set``, whose names
    live as long as what surrounds them.
    """
    tree = sandbox.parse(template.body)
    if not template.fields or any(tree.find_all((nodes.Assign, nodes.AssignBlock))):
        return None
    target = nodes.Tuple([nodes.Name(name, "store") for name in template.fields], "store")
    separator = nodes.Output([nodes.TemplateData(_SEPARATOR)])
    loop = nodes.For(target, nodes.Name("rows_", "load"), [*tree.body, separator], [], None, False)
    tree.body = [loop]
    for node in (loop, *loop.find_all(nodes.Node)):
        node.environment = sandbox
        node.lineno = node.lineno or 1
    return sandbox.from_string(tree)


def _render_loop(chunk: JinjaTemplate, rows: Sequence[tuple[object, ...]]) -> list[Rendered] | None:
    """Render in one go. None: some row went wrong, or holds the separator."""
    try:
        texts = chunk.render(rows_=rows).split(_SEPARATOR)
    except _ERRORS:
        return None
    if len(texts) != len(rows) + 1:
        return None
    return [_checked(text) for text in texts[:-1]]


def _rows_of(
    columns: Sequence[_Column], missing: Mapping[int, Missing], *, count: int
) -> Sequence[tuple[object, ...]]:
    """Rows of the template's fields, without the missing ones."""
    if not columns:
        return [()] * count
    rows = list(zip(*(column.values for column in columns), strict=True))
    return [row for index, row in enumerate(rows) if index not in missing] if missing else rows


def _is_blank(value: Any) -> bool:
    if value.__class__ is str:
        return not value or value.isspace()
    try:
        # NaN and NaT differ from themselves.
        return value is None or bool(value != value)  # noqa: PLR0124
    except (TypeError, ArithmeticError):
        return True  # pandas.NA and signalling NaN refuse to be compared
    except ValueError:
        return False  # an array cannot say whether it differs


def _checked(text: str) -> Rendered:
    if len(text) > MAX_CHARACTERS:
        return Failed(reason=f"longer than {MAX_CHARACTERS} characters")
    if has_refused_characters(text):
        return Failed(reason=f"holds {refused_characters(text)[0][1]}, which cannot be sent")
    if not text or text.isspace():
        return Failed(reason="the text is empty")
    return text


def _reason_of(error: Exception, *, first_line: int) -> str:
    """Say what went wrong and at which line; messages of others may quote the row."""
    line = _line_in(error.__traceback__)
    where = "" if line is None else f"line {line + first_line - 1}: "
    return f"{where}{_words_for(error)}"


def _words_for(error: Exception) -> str:
    if isinstance(error, TemplateError):
        return error.problem
    if isinstance(error, SecurityError):
        return "something a template may not do"
    if isinstance(error, UndefinedError):
        return "a value is missing"
    return f"the values do not fit ({type(error).__name__})"


def _line_in(trace: TracebackType | None) -> int | None:
    lines = [
        line for frame, line in traceback.walk_tb(trace) if frame.f_code.co_filename == _SOURCE_NAME
    ]
    return lines[-1] if lines else None
