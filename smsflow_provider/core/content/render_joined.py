"""
Render a chunk into one long text: nothing is done for a row that can be done for all of them.

Gives what ``VariantRenderer.render_chunk`` gives, and asks it wherever a row is out of the
ordinary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from smsflow_provider.core.content.encoding import has_refused_characters
from smsflow_provider.core.content.render import (
    ERRORS,
    MAX_CHARACTERS,
    SEPARATOR,
    BlankField,
    Failed,
    Missing,
    Rendered,
    VariantRenderer,
)

Columns = Mapping[str, Sequence[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedChunk:
    """The texts of one chunk."""

    #: The texts of the rows without a problem in order, in UTF-8, each with ``SEPARATOR``
    #: behind it, which no text holds.
    encoded: bytes = field(repr=False)
    #: Index of a row in the chunk, from 0, to why it has no text. In rising order.
    problems: Mapping[int, Missing | Failed]

    @property
    def joined(self) -> str:
        """The same texts decoded; columns are made much quicker of ``encoded``."""
        return self.encoded.decode()


def render_joined(renderer: VariantRenderer, columns: Columns, *, count: int) -> RenderedChunk:
    """
    Render *count* rows whose values are normalised: a blank one is None.

    Args:
        renderer: Renders the text of one language.
        columns: Column name to its values, *count* of each.
        count: Number of rows.
    """
    missing = _missing_in(renderer, columns, count=count)
    left = [index for index in range(count) if index not in missing] if missing else range(count)
    if missing:
        columns = {name: [values[index] for index in left] for name, values in columns.items()}
    joined = _joined(renderer, columns, count=len(left))
    if joined is not None:
        return RenderedChunk(encoded=joined.encode(), problems=dict(sorted(missing.items())))
    made = renderer.render_chunk(columns, count=len(left))
    return _chunk_of(zip(left, made, strict=True), missing)


def _chunk_of(made: zip[tuple[int, Rendered]], missing: Mapping[int, Missing]) -> RenderedChunk:
    texts: list[str] = []
    problems: dict[int, Missing | Failed] = dict(missing)
    for index, one in made:
        if isinstance(one, str):
            texts.append(one)
        else:
            problems[index] = one
    joined = SEPARATOR.join([*texts, ""])
    return RenderedChunk(encoded=joined.encode(), problems=dict(sorted(problems.items())))


def _missing_in(renderer: VariantRenderer, columns: Columns, *, count: int) -> dict[int, Missing]:
    """Rows that lack a required field, with the first one each lacks."""
    variant, missing = renderer.variant, dict[int, Missing]()
    for name in variant.fields:
        if name not in variant.required or name in variant.defaults:
            continue
        values = columns.get(name)
        if values is None:
            blanks: Sequence[int] = range(count)
        elif None in values:
            blanks = [index for index, value in enumerate(values) if value is None]
        else:
            continue
        for index in blanks:
            missing.setdefault(index, Missing(field=name))
    return missing


def _joined(renderer: VariantRenderer, columns: Columns, *, count: int) -> str | None:
    """Render all rows in one go. None: something is wrong with a row, or might be."""
    if not renderer.variant.fields:
        one = renderer.render_chunk({}, count=1)[0]
        return f"{one}{SEPARATOR}" * count if isinstance(one, str) else None
    if renderer.loop is None:
        return None
    filled = [_filled(renderer, name, columns, count=count) for name in renderer.variant.fields]
    try:
        joined = renderer.loop.render(rows_=zip(*filled, strict=True))
    except ERRORS:
        return None
    return joined if _are_texts(joined, count=count) else None


def _filled(
    renderer: VariantRenderer, name: str, columns: Columns, *, count: int
) -> Sequence[object]:
    """Give the values of an optional field with what stands in for its blanks."""
    values = columns.get(name, (None,) * count)
    if None not in values:
        return values
    stand_in = renderer.variant.defaults.get(name, BlankField(name=name))
    return [stand_in if value is None else value for value in values]


def _are_texts(joined: str, *, count: int) -> bool:
    """Whether these are *count* texts that can be sent. Looks at all of them at once."""
    texts = joined.split(SEPARATOR)
    texts.pop()
    if len(texts) != count or "" in texts or any(map(str.isspace, texts)):
        return False
    if max(map(len, texts), default=0) > MAX_CHARACTERS:
        return False
    if joined.replace(SEPARATOR, "").replace("\n", "").isprintable():
        return True
    return not any(map(has_refused_characters, texts))
