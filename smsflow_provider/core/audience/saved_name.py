"""How people name saved audiences: ``vip`` is the newest, ``vip@3`` the third."""

from __future__ import annotations

import re

from smsflow_provider.core.errors import AudienceError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")


def name_problem(name: str) -> str | None:
    """
    Say what is wrong with a name to save under; None: nothing.

    Example:
        >>> name_problem("vip_france")
        >>> name_problem("vip@3")
        "the name of a saved audience has letters, digits, '_', '-' and '.' only, 100 at most"
    """
    if _NAME.fullmatch(name):
        return None
    return "the name of a saved audience has letters, digits, '_', '-' and '.' only, 100 at most"


def check_name(name: str) -> None:
    """
    Accept a name to save under.

    Raises:
        AudienceError: It is none.
    """
    problem = name_problem(name)
    if problem:
        raise _refusal(name, problem)


def read_name(text: str) -> tuple[str, int | None]:
    """
    Read a name with or without a version.

    Args:
        text: ``name`` or ``name@version``.

    Returns:
        The name, and the version or None for the newest.

    Raises:
        AudienceError: It is neither.

    Example:
        >>> read_name("vip@3"), read_name("vip")
        (('vip', 3), ('vip', None))
    """
    name, at, version = text.strip().partition("@")
    problem = name_problem(name)
    if at and not _VERSION.fullmatch(version):
        problem = "behind the @ stands a version, a whole number from 1"
    if problem:
        raise _refusal(text, problem)
    return name, int(version) if at else None


def _refusal(text: str, reason: str) -> AudienceError:
    return AudienceError("a saved audience cannot be named so", name=text, reason=reason)
