"""What the log of a preparation says: errors block Send, warnings and infos do not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from smsflow_provider.core.content.template import Template
from smsflow_provider.core.gateways.base import Dialect, Feature
from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.preparation.settings import PreparationSettings
from smsflow_provider.core.preparation.tally import Tally
from smsflow_provider.core.store.deliveries import LogRow


class Level(StrEnum):
    """How serious a line is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of the levelled log. Counts and names only."""

    level: Level
    event: str
    problem: str
    facts: dict[str, Any] = field(default_factory=dict)

    def as_row(self) -> LogRow:
        """Write it as the store keeps it."""
        return self.level.value, self.event, self.problem, self.facts


def check_columns(template: Template, columns: Iterable[str]) -> list[LogLine]:
    """Say which fields of *template* no column can fill, with the near name; empty: none."""
    return [
        LogLine(
            level=Level.ERROR,
            event=LogEvent.COLUMN_MISSING,
            problem=f"the audience has no column {name!r}" + (f": {hint}" if hint else ""),
            facts={"field": name},
        )
        for name, hint in template.missing_columns(columns).items()
    ]


def check(
    tally: Tally,
    *,
    template: Template,
    settings: PreparationSettings,
    dialects: Sequence[Dialect],
) -> list[LogLine]:
    """Say all there is to say about a preparation, errors first."""
    return in_order(
        [
            *_content_errors(tally),
            *_feature_errors(tally, template, dialects),
            *_warnings(tally, settings),
            *_content_warnings(tally),
            *_infos(tally, settings),
        ]
    )


def in_order(lines: Iterable[LogLine]) -> list[LogLine]:
    """Put errors first, then warnings, then the rest; otherwise as they come."""
    order = [Level.ERROR, Level.WARNING, Level.INFO]
    return sorted(lines, key=lambda line: order.index(line.level))


def _content_errors(tally: Tally) -> Iterator[LogLine]:
    for name, count in tally.missing.most_common():
        share = 100 * count / max(tally.targeted, 1)
        yield LogLine(
            level=Level.ERROR,
            event=LogEvent.FIELD_MISSING,
            problem=f"{name!r} is missing for {_people(count)} ({share:.1f} %)",
            facts={"field": name, "recipients": count},
        )
    for reason, count in tally.failures.most_common():
        yield LogLine(
            level=Level.ERROR,
            event=LogEvent.TEXT_FAILED,
            problem=f"the text of {_people(count)} cannot be made: {reason}",
            facts={"recipients": count},
        )


def _feature_errors(
    tally: Tally, template: Template, dialects: Sequence[Dialect]
) -> Iterator[LogLine]:
    wanted = set()
    if tally.counts("encoding").get("ucs2"):
        wanted.add(Feature.UCS2)
    if tally.longest_parts > 1:
        wanted.add(Feature.MULTIPART)
    senders = [template.settings.sender, *tally.counts("sender")]
    if any(sender and not sender.lstrip("+").isdigit() for sender in senders):
        wanted.add(Feature.ALPHANUMERIC_SENDER)
    for place, dialect in enumerate(dialects):
        lacking = sorted(wanted - dialect.features)
        if lacking:
            which = "second gateway" if place else "gateway"
            yield LogLine(
                level=Level.ERROR,
                event=LogEvent.GATEWAY_LACKS_FEATURE,
                problem=f"the {which} {dialect.name} lacks {', '.join(lacking)}",
                facts={"gateway": dialect.name, "missing": lacking},
            )


def _warnings(tally: Tally, settings: PreparationSettings) -> Iterator[LogLine]:
    if not tally.to_deliver:
        yield LogLine(
            level=Level.WARNING, event=LogEvent.NOBODY_LEFT, problem="nobody is left to text"
        )
    if not settings.has_public_url:
        yield LogLine(
            level=Level.WARNING,
            event=LogEvent.NO_RECEIPTS,
            problem="no receipts will come: set [smsflow] public_url",
        )


def _content_warnings(tally: Tally) -> Iterator[LogLine]:
    if tally.cut:
        yield LogLine(
            level=Level.WARNING,
            event=LogEvent.CUT_CHARACTERS,
            problem=f"the gateway will cut a character of {_texts(tally.cut)} in two",
            facts={"messages": tally.cut},
        )
    ucs2 = tally.counts("encoding").get("ucs2", 0)
    if ucs2:
        yield LogLine(
            level=Level.WARNING,
            event=LogEvent.UCS2_TEXTS,
            problem=f"{_texts(ucs2)} must go as UCS-2: 70 characters a part, not 160",
            facts={"messages": ucs2},
        )
    if tally.without_mention:
        yield LogLine(
            level=Level.WARNING,
            event=LogEvent.OPT_OUT_MENTION_MISSING,
            problem=f"{_texts(tally.without_mention)} do not say how to opt out",
            facts={"messages": tally.without_mention},
        )


def _infos(tally: Tally, settings: PreparationSettings) -> Iterator[LogLine]:
    if settings.dry_run:
        yield LogLine(
            level=Level.INFO,
            event=LogEvent.DRY_RUN,
            problem="a dry run: nothing will be handed over",
        )
    if settings.allowed is not None:
        yield LogLine(
            level=Level.INFO,
            event=LogEvent.ALLOW_LIST,
            problem=f"only the {len(settings.allowed)} numbers of the allow-list can be texted",
        )
    strangers = tally.unknown_languages.total()
    if strangers:
        yield LogLine(
            level=Level.INFO,
            event=LogEvent.DEFAULT_LANGUAGE,
            problem=f"{_people(strangers)} with a language no text is written in: the default one",
            facts={"recipients": strangers, "languages": len(tally.unknown_languages)},
        )
    replaced = tally.changes.total()
    if replaced:
        yield LogLine(
            level=Level.INFO,
            event=LogEvent.TRANSLITERATED,
            problem=f"{replaced} characters were replaced by transliteration",
            facts={"characters": replaced},
        )
    yield LogLine(
        level=Level.INFO,
        event=LogEvent.PREPARED,
        problem=f"{tally.to_deliver} of {tally.targeted} recipients get a text",
        facts={"to_deliver": tally.to_deliver, "targeted": tally.targeted, "parts": tally.parts},
    )


def _people(count: int) -> str:
    return "1 recipient" if count == 1 else f"{count} recipients"


def _texts(count: int) -> str:
    return "1 text" if count == 1 else f"{count} texts"
