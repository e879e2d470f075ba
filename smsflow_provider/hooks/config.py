"""The ``[smsflow]`` section of Airflow's configuration, read in one place."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from airflow.sdk.configuration import conf

from smsflow_provider.core.errors import ConfigError

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
#: Messages are kept at least so long; the core says so too.
_LEAST_DAYS = 8
#: And replies.
_LEAST_REPLIES_DAYS = 30
#: And files of audiences.
_LEAST_AUDIENCE_DAYS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsflowConfig:
    """What an installation sets once for all its workflows."""

    #: Folder of audiences, an ObjectStoragePath: ``s3://…`` or a local path.
    artifacts: str
    #: Folder of delivery templates.
    templates: Path
    #: Folder of typologies, prices and budgets.
    rules: Path
    #: Where gateways reach our receiver, without ``/smsflow/receipts``. Empty: no receipts.
    public_url: str
    #: E.164 digits that may be texted at all. None: everybody.
    allowed: frozenset[int] | None = field(repr=False)
    #: Airflow's own address, for links.
    base_url: str
    #: Whoever started or prepared a delivery may not approve it, whatever its workflow says.
    four_eyes: bool = False
    #: Parts that all deliveries together may hand over in one day (UTC); 0: no cap.
    daily_cap: int = 0
    #: Messages of deliveries that ended more days ago are archived; 0: never.
    retention_days: int = 0
    #: Replies that came more days ago are forgotten; 0: never.
    replies_days: int = 0
    #: Files of audiences that were built more days ago are removed; 0: never.
    audience_days: int = 0
    #: Folder of the archive, as ``artifacts``. Empty: ``archive`` in that; ``none``: no files.
    archive: str = ""

    @classmethod
    def read(cls) -> Self:
        """
        Read the section.

        Raises:
            ConfigError: ``allowed_numbers`` holds something that is no E.164 number,
                ``retention_days``, ``replies_days`` or ``audience_days`` is no number of days, or
                ``daily_cap`` no number of parts.
        """
        home = os.environ.get("AIRFLOW_HOME", str(Path("~/airflow").expanduser()))
        return cls(
            artifacts=conf.get("smsflow", "artifacts", fallback="") or f"{home}/smsflow",
            templates=_folder("templates"),
            rules=_folder("rules"),
            public_url=conf.get("smsflow", "public_url", fallback="").rstrip("/"),
            allowed=read_allowed(conf.get("smsflow", "allowed_numbers", fallback="")),
            base_url=(conf.get("api", "base_url", fallback="") or "").rstrip("/"),
            four_eyes=conf.getboolean("smsflow", "four_eyes", fallback=False),
            daily_cap=read_daily_cap(conf.get("smsflow", "daily_cap", fallback="")),
            retention_days=_days(
                "retention_days", least=_LEAST_DAYS, why="receipts come up to seven days late"
            ),
            replies_days=_days(
                "replies_days", least=_LEAST_REPLIES_DAYS, why="gateways may deliver one again"
            ),
            audience_days=_days(
                "audience_days", least=_LEAST_AUDIENCE_DAYS, why="a run may still need them"
            ),
            archive=conf.get("smsflow", "archive", fallback="").strip().rstrip("/"),
        )

    def kept_for(
        self,
        days: int | None = None,
        *,
        replies: int | None = None,
        audiences: int | None = None,
    ) -> Self:
        """Make the same with another retention of messages, of replies, or of audiences' files."""
        return replace(
            self,
            retention_days=self.retention_days if days is None else days,
            replies_days=self.replies_days if replies is None else replies,
            audience_days=self.audience_days if audiences is None else audiences,
        )


def _days(name: str, *, least: int, why: str) -> int:
    """Read a number of days; empty is 0."""
    text = conf.get("smsflow", name, fallback="").strip() or "0"
    if not text.isdecimal() or 0 < int(text) < least:
        raise ConfigError(
            f"[smsflow] {name}: write 0 for never, or {least} days and more: {why}",
            got=text[:20],
        )
    return int(text)


def read_public_url() -> str:
    """Read ``public_url`` alone, for the receiver: receipts come whatever else is set wrongly."""
    return str(conf.get("smsflow", "public_url", fallback="") or "").rstrip("/")


def _folder(name: str) -> Path:
    """Read a folder; where none is set, the one of that name in the DAGs folder."""
    given = conf.get("smsflow", name, fallback="")
    return Path(given) if given else Path(conf.get("core", "dags_folder")) / name


def read_daily_cap(text: str) -> int:
    """
    Read how many parts may leave in one day.

    Returns:
        0 for an empty text, or 0: no cap.

    Raises:
        ConfigError: It is no whole number. A cap that cannot be read is not taken for none.

    Example:
        >>> read_daily_cap("250000"), read_daily_cap("250_000"), read_daily_cap(" ")
        (250000, 250000, 0)
    """
    digits = text.strip().replace("_", "") or "0"
    if not (digits.isascii() and digits.isdigit()):
        raise ConfigError(
            "[smsflow] daily_cap: write a number of parts, or 0 for none", got=text.strip()[:20]
        )
    return int(digits)


def read_allowed(text: str) -> frozenset[int] | None:
    """
    Read an allow-list: E.164 numbers with commas or white space between them.

    Returns:
        None for an empty text. The word ``none`` allows nobody.

    Raises:
        ConfigError: Says which entries are no numbers, by place, not by value.

    Example:
        >>> sorted(read_allowed("+33612345678, +33612345679"))
        [33612345678, 33612345679]
    """
    entries = text.replace(",", " ").split()
    if not entries:
        return None
    if entries == ["none"]:
        return frozenset()
    bad = [place for place, entry in enumerate(entries, start=1) if not _E164.fullmatch(entry)]
    if bad:
        raise ConfigError(
            "[smsflow] allowed_numbers: write numbers like +33612345678", wrong_entries=bad
        )
    return frozenset(int(entry[1:]) for entry in entries)
