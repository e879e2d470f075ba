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
from typing import TYPE_CHECKING, Any, Final

from jinja2 import StrictUndefined, UndefinedError, nodes
from jinja2 import Template as JinjaTemplate
from jinja2.exceptions import SecurityError
from jinja2.exceptions import TemplateError as JinjaError

from smsflow_provider.core.content.blocks import Places, Spliced, block_label, splice
from smsflow_provider.core.content.body import Sandbox, make_sandbox
from smsflow_provider.core.content.encoding import has_refused_characters, refused_characters
from smsflow_provider.core.content.filters import memoised_filters
from smsflow_provider.core.content.variant import Variant
from smsflow_provider.core.errors import TemplateError

if TYPE_CHECKING:  # it brings pydantic and YAML, which rendering does without
    from smsflow_provider.core.content.template import Template

#: Most characters one rendered text may have. 255 parts of Unicode would be 17,085.
MAX_CHARACTERS: Final = 4_000
#: A control character no text may hold, behind each of the texts of a chunk.
SEPARATOR: Final = "\x1e"
# Chunks of this many rows or fewer are rendered row by row when something goes wrong.
_SMALL: Final = 32
#: What a text can raise for a row, all of it a failure of the row alone.
ERRORS: Final = (
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


class VariantRenderer:
    """
    Renders the text of one language. Compiled once, not to be shared between threads.

    As ``Renderer``, of which it is one language; made of plain values, for who has no template.
    """

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        sandbox = make_sandbox(memoised_filters())
        spliced = _spliced(variant, sandbox=sandbox)
        self._places = spliced.places
        self._single = sandbox.from_string(_tree_of(spliced))
        #: Renders many rows at once; None where only a row alone can be rendered.
        self.loop = compile_loop(variant, sandbox=sandbox)

    def render_chunk(self, rows: Mapping[str, Sequence[object]], *, count: int) -> list[Rendered]:
        """Render *count* rows given as columns, all of them in this language."""
        columns = [self._column(name, rows, count=count) for name in self.variant.fields]
        missing = self._missing_of(columns)
        rows_left = _rows_of(columns, missing, count=count)
        texts = self._render(rows_left)
        if not missing:
            return texts
        left = iter(texts)
        return [missing.get(index) or next(left) for index in range(count)]

    def _column(self, name: str, rows: Mapping[str, Sequence[object]], *, count: int) -> _Column:
        values = _values_of(name, rows, count=count)
        blanks = [index for index, value in enumerate(values) if is_blank(value)]
        if not blanks:
            return _Column(values=values, missing=())
        default = self.variant.defaults.get(name)
        if default is None and name in self.variant.required:
            return _Column(values=values, missing=blanks)
        stand_in = BlankField(name=name) if default is None else default
        filled = list(values)
        for index in blanks:
            filled[index] = stand_in
        return _Column(values=filled, missing=())

    def _missing_of(self, columns: Sequence[_Column]) -> dict[int, Missing]:
        """Rows that lack a required field, with the first one each lacks."""
        missing: dict[int, Missing] = {}
        for name, column in zip(self.variant.fields, columns, strict=True):
            for index in column.missing:
                missing.setdefault(index, Missing(field=name))
        return missing

    def _render(self, rows: Sequence[tuple[object, ...]]) -> list[Rendered]:
        """Try all rows at once; halve where that fails, down to single rows."""
        if self.loop is not None and len(rows) > 1:
            texts = _render_loop(self.loop, rows)
            if texts is not None:
                return texts
            if len(rows) > _SMALL:
                half = len(rows) // 2
                return self._render(rows[:half]) + self._render(rows[half:])
        return [self._render_single(row) for row in rows]

    def _render_single(self, row: tuple[object, ...]) -> Rendered:
        try:
            text = self._single.render(zip(self.variant.fields, row, strict=True))
        except ERRORS as error:
            return Failed(reason=reason_of(error, places=self._places))
        return checked(text)


class Renderer:
    """
    Renders one template, in all its languages. Not to be shared between threads.

    Only the fields of the row are visible to the text. A value is never read as Jinja: what
    looks like it comes out as it is. A field is *blank* when the row has no such column, or
    its value is None, NaN or a text of white space only. Of a blank field

    * ``defaults`` of the template stand in, where it has one;
    * else, if the text of the recipient's language requires the field (see
      ``core.content.fields``), the row is ``Missing``;
    * else it is undefined, as ``is defined`` and ``default`` understand it, and false.

    A text that is empty, longer than 4,000 characters, or holds a character no text may hold
    is ``Failed``. How many parts a text may have is not decided here, and no opt-out mention is
    added.
    """

    def __init__(self, template: Template) -> None:
        self.template = template
        self._variants = {
            code: VariantRenderer(template.variant(code)) for code in template.variants
        }

    def render_chunk(
        self, rows: Mapping[str, Sequence[object]], *, count: int, language: str | None = None
    ) -> list[Rendered]:
        r"""
        Render *count* rows given as columns.

        Args:
            rows: Column name to its values, *count* of each. Columns the text does not use are
                not looked at.
            count: Number of rows.
            language: Code of the text for all these rows; empty: the default one. None: each
                row's own, by the template's ``settings.language``.

        Returns:
            One result for each row, in order. What to do with a ``Missing`` is the
            template's ``settings.missing``.

        Raises:
            ValueError: A column the text uses has another number of values.
            KeyError: No text in *language*.

        Example:
            >>> from smsflow_provider.core.content.template import read_template
            >>> template = read_template("---\nsender: ACME\n---\nHi {{ name }}", name="hi")
            >>> Renderer(template).render_chunk({"name": ["Ann", None]}, count=2)
            ['Hi Ann', Missing(field='name')]
        """
        if language is None:
            return self._by_language(rows, count=count)
        code = language or self.template.default_language
        return self._variants[code].render_chunk(rows, count=count)

    def render_row(self, row: Mapping[str, object], *, language: str | None = None) -> Rendered:
        """Render one row; the same result as in a chunk."""
        columns = {name: [value] for name, value in row.items()}
        return self.render_chunk(columns, count=1, language=language)[0]

    def _by_language(self, rows: Mapping[str, Sequence[object]], *, count: int) -> list[Rendered]:
        column = self.template.settings.language
        if column is None:
            return self.render_chunk(rows, count=count, language="")
        indexes: dict[str, list[int]] = {}
        for index, value in enumerate(_values_of(column, rows, count=count)):
            indexes.setdefault(self.template.language_of(value), []).append(index)
        made: dict[int, Rendered] = {}
        for code, chosen in indexes.items():
            part = _picked(rows, chosen, fields=self.template.uses[code].fields, count=count)
            texts = self.render_chunk(part, count=len(chosen), language=code)
            made.update(zip(chosen, texts, strict=True))
        return [made[index] for index in range(count)]


def _picked(
    rows: Mapping[str, Sequence[object]],
    chosen: Sequence[int],
    *,
    fields: Sequence[str],
    count: int,
) -> dict[str, list[object]]:
    """Take the rows *chosen* of the columns that *fields* name."""
    columns = {name: _values_of(name, rows, count=count) for name in fields}
    return {name: [values[index] for index in chosen] for name, values in columns.items()}


def _values_of(name: str, rows: Mapping[str, Sequence[object]], *, count: int) -> Sequence[object]:
    values = rows.get(name, [None] * count)
    if len(values) != count:
        raise ValueError(f"column {name!r} has {len(values)} values, not {count}")
    return values


def _spliced(variant: Variant, *, sandbox: Sandbox) -> Spliced:
    return splice(
        variant.body, sandbox=sandbox, blocks=variant.blocks, first_line=variant.first_line
    )


def _tree_of(spliced: Spliced) -> nodes.Template:
    """Give the tree; a text that was checked has one, and no problems."""
    if spliced.tree is None or spliced.problems:
        raise TemplateError("a text that was not checked", problems=len(spliced.problems))
    return spliced.tree


def compile_loop(variant: Variant, *, sandbox: Sandbox) -> JinjaTemplate | None:
    """
    Compile the text, its blocks in their places, as the body of a loop over rows.

    The template made takes ``rows_``, tuples of the values of ``variant.fields``, and gives
    their texts, each with ``SEPARATOR`` behind it.

    Returns:
        None where that would not mean the same: without a field, and with ``set``, whose names
        live as long as what surrounds them.
    """
    tree = _tree_of(_spliced(variant, sandbox=sandbox))
    if not variant.fields or any(tree.find_all((nodes.Assign, nodes.AssignBlock))):
        return None
    target = nodes.Tuple([nodes.Name(name, "store") for name in variant.fields], "store")
    separator = nodes.Output([nodes.TemplateData(SEPARATOR)])
    loop = nodes.For(target, nodes.Name("rows_", "load"), [*tree.body, separator], [], None, False)
    tree.body = [loop]
    for node in (loop, *loop.find_all(nodes.Node)):
        node.environment = sandbox
        node.lineno = node.lineno or 1
    return sandbox.from_string(tree)


def _render_loop(chunk: JinjaTemplate, rows: Sequence[tuple[object, ...]]) -> list[Rendered] | None:
    """Render in one go. None: some row went wrong, or holds the separator."""
    try:
        texts = chunk.render(rows_=rows).split(SEPARATOR)
    except ERRORS:
        return None
    if len(texts) != len(rows) + 1:
        return None
    return [checked(text) for text in texts[:-1]]


def _rows_of(
    columns: Sequence[_Column], missing: Mapping[int, Missing], *, count: int
) -> Sequence[tuple[object, ...]]:
    """Rows of the template's fields, without the missing ones."""
    if not columns:
        return [()] * count
    rows = list(zip(*(column.values for column in columns), strict=True))
    return [row for index, row in enumerate(rows) if index not in missing] if missing else rows


def is_blank(value: Any) -> bool:
    """Tell whether a value says nothing: None, NaN or a text of white space only."""
    if value.__class__ is str:
        return not value or value.isspace()
    try:
        # NaN and NaT differ from themselves.
        return value is None or bool(value != value)  # noqa: PLR0124
    except (TypeError, ArithmeticError):
        return True  # pandas.NA and signalling NaN refuse to be compared
    except ValueError:
        return False  # an array cannot say whether it differs


def checked(text: str) -> Rendered:
    """Give *text* as it is, or say why it cannot be sent."""
    if len(text) > MAX_CHARACTERS:
        return Failed(reason=f"longer than {MAX_CHARACTERS} characters")
    if has_refused_characters(text):
        return Failed(reason=f"holds {refused_characters(text)[0][1]}, which cannot be sent")
    if not text or text.isspace():
        return Failed(reason="the text is empty")
    return text


def reason_of(error: Exception, *, places: Places) -> str:
    """Say what went wrong and at which line; messages of others may quote the row."""
    line = _line_in(error.__traceback__)
    if line is None:
        return _words_for(error)
    block, own_line = places.of(line)
    where = f"{block_label(block)} line" if block else "line"
    return f"{where} {own_line}: {_words_for(error)}"


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
