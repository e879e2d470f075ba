"""
What is wrong with a template, or could be better, before it meets an audience.

Problems would stop a preparation or leave people out; advice costs money or manners. Nothing here
quotes a value of a row: only the words of the author, names of fields, places and numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Final

from smsflow_provider.core.content.encoding import MAX_PARTS, non_gsm_characters
from smsflow_provider.core.content.finish import adds_mention
from smsflow_provider.core.content.opt_out_mention import has_mention
from smsflow_provider.core.content.problem import near
from smsflow_provider.core.content.settings import OptOutPolicy
from smsflow_provider.core.content.static_text import Written, written_in
from smsflow_provider.core.content.template import Template
from smsflow_provider.core.content.transliteration import Transliteration, transliterate
from smsflow_provider.core.content.trial import Known, Sized, Trial, size_of, try_out
from smsflow_provider.core.model import MessageClass

#: Places of one character that are named; of more, the number is.
_SHOWN: Final = 3
_URL: Final = re.compile(r"https?://[^\s<>\"]*[^\s<>\"'.,;:!?)\]]", re.IGNORECASE)


class Severity(StrEnum):
    """How much a finding weighs."""

    #: Stops a preparation, or leaves people out.
    PROBLEM = "problem"
    #: Works, and could be better.
    ADVICE = "advice"


class Check(StrEnum):
    """What is looked for."""

    #: The text reads a column that the audience lacks.
    UNKNOWN_FIELD = "unknown_field"
    #: A text can have more parts than ``max_parts``.
    TOO_LONG = "too_long"
    #: Characters outside GSM 7-bit make a part hold 70 units instead of 160.
    NOT_GSM = "not_gsm"
    #: A marketing text does not say how to opt out, and nothing is added.
    NO_OPT_OUT_MENTION = "no_opt_out_mention"
    #: A link costs a part of its own.
    URL_ADDS_PART = "url_adds_part"
    #: With the values tried there is no text to look at.
    NO_TEXT = "no_text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found in a template. Holds no recipient's data."""

    check: Check
    severity: Severity
    #: What was found, as a sentence without a capital.
    text: str
    #: What to do.
    hint: str = ""
    #: ``body``, with the language behind a dot where there are several, or the setting.
    field: str = ""
    #: Line of the file, counted from 1.
    line: int | None = None
    #: The block it is in. Empty: the template itself.
    block: str = ""


_problem = partial(Finding, severity=Severity.PROBLEM)
_advice = partial(Finding, severity=Severity.ADVICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Examined:
    """One language of a template, tried out."""

    template: Template
    code: str
    trial: Trial

    @property
    def field(self) -> str:
        return f"body.{self.code}" if len(self.template.variants) > 1 else "body"

    @property
    def line(self) -> int:
        return self.template.first_lines.get(self.code, 1)


def examine(template: Template, known: Known | None = None) -> list[Finding]:
    r"""
    Look for all that ``Check`` names, in every language of *template*.

    Parts are those of the gateway that needs most. Combinations of values are tried that no
    recipient may have: see ``trial``.

    Args:
        template: The template; it has been read, so it has no other problems.
        known: What is known of the audience. None: nothing; fields then count as one character.

    Returns:
        The findings: by language, problems and advice in the order of ``Check``.

    Example:
        >>> from smsflow_provider.core.content.template import read_template
        >>> text = "---\nclass: transactional\n---\nYour flight to {{ city }} is late…"
        >>> [one.text for one in examine(read_template(text, name="late"))]
        ["'…' (U+2026) at 4:34 is not GSM-7: a part holds 70 units instead of 160"]
    """
    known = known or Known()
    found = list(_unknown_fields(template, known))
    for code in template.variants:
        examined = _Examined(template=template, code=code, trial=try_out(template, code, known))
        for look in (_too_long, _not_gsm, _no_mention, _urls, _no_text):
            found.extend(look(examined))
    return list(dict.fromkeys(found))


def _unknown_fields(template: Template, known: Known) -> Iterator[Finding]:
    if known.columns is None:
        return
    for name, hint in template.missing_columns(known.columns).items():
        yield _problem(
            check=Check.UNKNOWN_FIELD,
            text=f"the audience has no column {name!r}",
            hint=hint,
            field="language" if name == template.settings.language else "body",
        )
    optional = set(template.fields) - set(template.missing_columns(known.columns))
    for name in sorted(optional - known.columns):
        yield _advice(
            check=Check.UNKNOWN_FIELD,
            text=f"the audience has no column {name!r}: the text does without it for everybody",
            hint=near(name, known.columns),
            field="body",
        )


def _too_long(examined: _Examined) -> Iterator[Finding]:
    longest, most = examined.trial.longest, examined.template.settings.max_parts
    if longest is None or longest.parts <= most:
        return
    unknown = examined.trial.unknown
    more = f", and more: nothing is known of {_and(unknown)}" if unknown else ""
    yield _problem(
        check=Check.TOO_LONG,
        text=f"the text can have {_parts(longest.parts)} ({longest.units} units of"
        f" {longest.encoding}) where max_parts is {most}{more}",
        hint=_with_level(_cheaper(examined)) or "shorten it, or cut values with truncate_words",
        field=examined.field,
        line=examined.line,
    )


def _not_gsm(examined: _Examined) -> Iterator[Finding]:
    """The author's own characters by place; those of values only where a part is at stake."""
    foreign = _foreign_in(examined)
    for (block, char), places in foreign.items():
        yield _advice(
            check=Check.NOT_GSM,
            text=f"{_name_of(char)} at {_places(places)} is not GSM-7: a part holds 70 units"
            " instead of 160",
            hint=_instead_of(char, examined),
            field=examined.field,
            line=places[0][0],
            block=block,
        )
    longest, unknown = examined.trial.longest, examined.trial.unknown
    cheaper = _cheaper(examined)
    if cheaper and longest and not foreign and not unknown:
        yield _advice(
            check=Check.NOT_GSM,
            text=f"values outside GSM-7 cost parts: the longest text has {_parts(longest.parts)}",
            hint=_with_level(cheaper),
            field=examined.field,
            line=examined.line,
        )


def _foreign_in(examined: _Examined) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """Block and character to its places, for all that stays outside GSM-7 and can be read."""
    level = examined.template.settings.transliteration
    readable = {char for one in examined.trial.texts for char in one.text}
    places: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for block, written in _written_of(examined):
        for offset, char in non_gsm_characters(written.text):
            is_read = char in readable or not readable
            if is_read and non_gsm_characters(transliterate(char, level)):
                places.setdefault((block, char), []).append(written.place_of(offset))
    return places


def _instead_of(char: str, examined: _Examined) -> str:
    """Say which transliteration would replace *char*, by what, and what that saves."""
    for level in _above(examined):
        plain = transliterate(char, level)
        if not non_gsm_characters(plain):
            words = f"writes {plain!r}" if plain else "drops it"
            saving = _cheaper(examined) or "it saves no part here"
            return f"transliteration: {level} {words}; {saving}"
    return ""


def _cheaper(examined: _Examined) -> str:
    """Name the least transliteration that saves parts, and how many; empty: none does."""
    longest = examined.trial.longest
    for level in _above(examined) if longest else ():
        settings = examined.template.settings.model_copy(update={"transliteration": level})
        parts = size_of(longest.rendered, settings).parts if longest else 0
        if longest and parts < longest.parts:
            return f"{level} makes the text {_parts(parts)} instead of {longest.parts}"
    return ""


def _above(examined: _Examined) -> tuple[Transliteration, ...]:
    levels = tuple(Transliteration)
    return levels[levels.index(examined.template.settings.transliteration) + 1 :]


def _no_mention(examined: _Examined) -> Iterator[Finding]:
    settings = examined.template.settings
    is_asked = settings.opt_out_policy is not OptOutPolicy.NONE
    if settings.message_class is not MessageClass.MARKETING or not is_asked:
        return
    countries = sorted(settings.opt_out_mentions)
    if adds_mention(settings) and settings.opt_out_mention:
        return
    mentions = [mention for mention in settings.opt_out_mentions.values() if mention]
    lacking = [one for one in examined.trial.texts if not _has_any(one.rendered, mentions)]
    if lacking:
        only = f", but for numbers of {_and(countries)}" if countries else ""
        yield _advice(
            check=Check.NO_OPT_OUT_MENTION,
            text=f"a marketing text that does not say how to opt out{only}",
            hint="write it, or set opt_out_mention: STOP 36111",
            field=examined.field,
            line=examined.line,
        )


def _has_any(rendered: str, mentions: Iterable[str]) -> bool:
    return has_mention(rendered) or any(mention in rendered for mention in mentions)


def _urls(examined: _Examined) -> Iterator[Finding]:
    longest = examined.trial.longest
    if longest is None:
        return
    places = [
        (block, written.place_of(found.start()), found[0])
        for block, written in _written_of(examined)
        for found in _URL.finditer(written.text)
    ]
    for found in _URL.finditer(longest.rendered):
        at = next((place for place in places if found[0].startswith(place[2])), None)
        finding = _of_url(longest, found, examined=examined)
        if finding is not None:
            block, (line, _), _url = at or ("", (examined.line, 0), "")
            yield replace(finding, line=line, block=block)


def _of_url(longest: Sized, found: re.Match[str], *, examined: _Examined) -> Finding | None:
    """Compare the parts with those of the text without the link."""
    text = longest.rendered
    sized = [
        size_of(text[: found.start() + length] + text[found.end() :], examined.template.settings)
        for length in range(len(found[0]) + 1)
    ]
    without = sized[0].parts
    if without >= longest.parts:
        return None
    room = max(length for length, one in enumerate(sized) if one.parts == without)
    return _advice(
        check=Check.URL_ADDS_PART,
        text=f"a link of {len(found[0])} characters makes it {_parts(longest.parts)};"
        f" without it the text has {_parts(without)}",
        hint=f"a link of at most {room} characters would cost no part",
        field=examined.field,
    )


def _no_text(examined: _Examined) -> Iterator[Finding]:
    for reason in examined.trial.reasons:
        yield _advice(
            check=Check.NO_TEXT,
            text=f"with some values there is no text: {reason}",
            field=examined.field,
            line=examined.line,
        )


def _written_of(examined: _Examined) -> Iterator[tuple[str, Written]]:
    """What the author wrote, as it would leave: block (empty: the text itself) and stretch."""
    variant = examined.template.variant(examined.code)
    texts: list[tuple[str, str, int]] = [("", variant.body, variant.first_line)]
    texts += [(name, text, 1) for name, text in variant.blocks.items()]
    for block, text, first_line in texts:
        for written in written_in(text, first_line=first_line):
            yield block, written


def _with_level(cheaper: str) -> str:
    return f"transliteration: {cheaper}" if cheaper else ""


def _name_of(char: str) -> str:
    """Show a character and its code; of one that cannot be seen the code alone."""
    code = f"U+{ord(char):04X}"
    return f"{char!r} ({code})" if char.isprintable() and not char.isspace() else code


def _places(places: Sequence[tuple[int, int]]) -> str:
    shown = ", ".join(f"{line}:{column}" for line, column in places[:_SHOWN])
    return f"{shown} and {len(places) - _SHOWN} more" if len(places) > _SHOWN else shown


def _parts(count: int) -> str:
    if count > MAX_PARTS:
        return f"more than {MAX_PARTS} parts"
    return "1 part" if count == 1 else f"{count} parts"


def _and(names: Sequence[str]) -> str:
    return ", ".join(names)
