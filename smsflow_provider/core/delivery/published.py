"""
Bring the rules about errors and replies into the store, where senders and receivers read them.

Call it wherever something begins that can see more than others: a sender, a receiver, the
maintenance. What is there already is not written again.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from smsflow_provider.core.delivery import keywords, qualify
from smsflow_provider.core.delivery.keywords import Keywords, KeywordsFile, read_keywords
from smsflow_provider.core.delivery.qualify import QualificationFile, read_qualification
from smsflow_provider.core.document.judge import text_of
from smsflow_provider.core.document.problem import Problem
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.qualified import LIMITS, OWN, SHIPPED
from smsflow_provider.core.store.refused_opt_outs import KEYWORDS, OWN_KEYWORDS
from smsflow_provider.core.store.rules import publish, read_published

#: The one document of a topic that has no more.
_ONE = OWN_KEYWORDS

#: The files of the folder of rules that are published.
FILES = (qualify.FILE, keywords.FILE)


def publish_rules(store: Store, folder: Path | None) -> None:
    """
    Publish the tables of the gateways that are installed here, and the files of *folder*.

    Args:
        folder: That of the rules. None, or one that is not there: nobody knows it here, and
            what others published from it stays. A folder without a file takes back what the file
            once said.

    Raises:
        ConfigError: A file has problems: ``facts["problems"]`` lists all of them. What it said
            before stays; everything else is published.
    """
    problems: list[Problem] = []
    with store.transaction() as connection:
        publish(connection, SHIPPED, qualify.shipped_tables(), is_whole=False)
        if folder is not None and folder.is_dir():
            problems = [
                *_publish_qualification(connection, folder),
                *_publish_keywords(connection, folder),
            ]
    if problems:
        raise ConfigError(
            "rules about errors or replies cannot be read: the former ones stay",
            problems=[str(problem) for problem in problems],
        )


def _publish_qualification(connection: Connection, folder: Path) -> list[Problem]:
    found, problems = look_at_qualification(folder / qualify.FILE)
    if found is not None:
        limits = {_ONE: found.as_limits().as_document()}
        publish(connection, LIMITS, limits, is_whole=True)
        publish(connection, OWN, found.as_tables(), is_whole=True)
    return problems


def _publish_keywords(connection: Connection, folder: Path) -> list[Problem]:
    found, problems = look_at_keywords(folder / keywords.FILE)
    if found is not None:
        document = found.model_dump(mode="json")
        publish(connection, KEYWORDS, {_ONE: document}, is_whole=True)
    return problems


def look_at_qualification(path: Path) -> tuple[QualificationFile | None, list[Problem]]:
    """Read the file at *path*; one that is not there says nothing. Problems as the reader's."""
    if not path.exists():
        return QualificationFile(), []
    text = text_of(path)
    if isinstance(text, Problem):
        return None, [text]
    return read_qualification(text, file=str(path))


def look_at_keywords(path: Path) -> tuple[KeywordsFile | None, list[Problem]]:
    """Read the file at *path*; one that is not there says nothing. Problems as the reader's."""
    if not path.exists():
        return KeywordsFile(), []
    text = text_of(path)
    if isinstance(text, Problem):
        return None, [text]
    return read_keywords(text, file=str(path))


def keywords_in(connection: Connection) -> Keywords:
    """
    Read the keywords that hold: the shipped ones, with what was published over them.

    What cannot be read here, as it may be after a newer version wrote it, is passed over: STOP
    must be understood whatever stands there.
    """
    document = read_published(connection, KEYWORDS).get(_ONE) or {}
    try:
        known = {name: document[name] for name in document if name in KeywordsFile.model_fields}
        return Keywords.of(KeywordsFile.model_validate(known))
    except (TypeError, ValidationError):
        return Keywords.of()
