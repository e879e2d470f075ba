"""
The settings of a delivery template: the YAML lines before its text.

Scalars are read as text and given their meaning by the setting, not by YAML: an unquoted
``+33612345678`` stays a sender with its plus, ``007`` keeps its zeros, ``no`` is a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from smsflow_provider.core.content.problem import Problem, near
from smsflow_provider.core.content.transliteration import Transliteration
from smsflow_provider.core.model import MessageClass

#: Lines of a file before the first line of its YAML.
_LINES_BEFORE: Final = 1
_ALPHANUMERIC = re.compile(r"[A-Za-z0-9 ]+")
_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_CONNECTION_ID = re.compile(r"[\w.:/-]{1,250}")
_DURATION = re.compile(r"([0-9]{1,7}) ?([smhd]?)")
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_SHORTEST_S: Final = 60
_LONGEST_S: Final = 7 * 86_400
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
# Country names people write that are not the ISO code.
_NOT_ISO: Final = {"UK": "GB", "EL": "GR"}


class MissingPolicy(StrEnum):
    """What becomes of a recipient whose row lacks a field the text needs."""

    #: The preparation fails: nothing is sent to anybody.
    FAIL = "fail"
    #: The recipient is left out, with the reason ``missing_field``.
    EXCLUDE = "exclude"
    #: The text of ``defaults`` stands in; a field without one fails.
    DEFAULT = "default"


def _refusal(text: str, hint: str = "") -> PydanticCustomError:
    return PydanticCustomError("smsflow", "{text}", {"text": text, "hint": hint})


def read_duration_s(given: object) -> object:
    """
    Read ``24h``, ``90m``, ``2d``, ``45s`` or a number of seconds; leave the rest to pydantic.

    Raises:
        PydanticCustomError: A text that is no duration.

    Example:
        >>> read_duration_s("24h"), read_duration_s("90m"), read_duration_s("600")
        (86400, 5400, 600)
    """
    if not isinstance(given, str):
        return given
    found = _DURATION.fullmatch(given.strip())
    if found is None:
        raise _refusal("is not a duration", "write 90m, 24h, 2d or a number of seconds")
    return int(found[1]) * _SECONDS[found[2]]


class TemplateSettings(BaseModel):
    """What a template says about its messages, apart from their text. All have a default."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        str_strip_whitespace=True,
    )

    #: What people call it. Empty: its name.
    label: str = Field(default="", max_length=200)
    #: Up to 11 letters, digits and spaces with at least one letter, or a number of 3 to 15
    #: digits. Empty: the gateway's own.
    sender: str = ""
    #: Marketing unless said otherwise: a marketing text taken for a transactional one would
    #: leave without its opt-out mention and outside the rules that protect people.
    message_class: MessageClass = Field(default=MessageClass.MARKETING, alias="class")
    #: Airflow connection of the gateway. None: the delivery says it.
    gateway: str | None = None
    transliteration: Transliteration = Transliteration.NONE
    #: Most parts one text may have, 1 to 10; a longer one is excluded as ``too_long``.
    max_parts: int = Field(default=5, ge=1, le=10)
    #: Seconds after which a message that has not arrived is worthless: 60 to 604,800. In the
    #: file: ``validity``, also as ``90m``, ``24h``, ``2d``.
    validity_s: Annotated[int, BeforeValidator(read_duration_s)] = Field(
        default=86_400, alias="validity"
    )
    missing: MissingPolicy = MissingPolicy.FAIL
    #: Field to the text that stands in; with ``missing: default`` only.
    defaults: dict[str, str] = Field(default_factory=dict, validate_default=True)
    #: ISO 3166 code of the country of numbers written the national way. None: they are
    #: invalid.
    region: str | None = None

    @field_validator("sender")
    @classmethod
    def _check_sender(cls, value: str) -> str:
        if not value or _NUMBER.fullmatch(value):
            return value
        problem = _problem_of_sender(value)
        if problem:
            raise _refusal(*problem)
        return value

    @field_validator("gateway")
    @classmethod
    def _check_gateway(cls, value: str | None) -> str | None:
        if value is not None and _CONNECTION_ID.fullmatch(value) is None:
            raise _refusal("is not the id of a connection", "letters, digits, _ - . : /")
        return value

    @field_validator("validity_s")
    @classmethod
    def _check_validity(cls, value: int) -> int:
        if not _SHORTEST_S <= value <= _LONGEST_S:
            raise _refusal("must be 1 minute to 7 days", "write 90m, 24h, 2d")
        return value

    @field_validator("region")
    @classmethod
    def _check_region(cls, value: str | None) -> str | None:
        return None if value is None else _known_region(value.upper())

    @model_validator(mode="after")
    def _check_defaults(self) -> Self:
        if self.missing is MissingPolicy.DEFAULT and not self.defaults:
            raise _refusal("missing: default needs defaults", "defaults: {field: text}")
        if self.defaults and self.missing is not MissingPolicy.DEFAULT:
            raise _refusal("defaults have no effect", "add missing: default")
        return self


def _problem_of_sender(value: str) -> tuple[str, str] | None:
    if _ALPHANUMERIC.fullmatch(value) is None:
        return "has characters a sender cannot have", "letters without accents, digits, spaces"
    if len(value) > 11:
        return f"has {len(value)} characters", "an alphanumeric sender has at most 11"
    if not any(char.isalpha() for char in value):
        return "has no letter and is not a number", "a number has 3 to 15 digits"
    return None


def _known_region(code: str) -> str:
    from phonenumbers import SUPPORTED_REGIONS  # noqa: PLC0415  100 ms, few templates name one

    if code in SUPPORTED_REGIONS:
        return code
    hint = f"did you mean {_NOT_ISO[code]!r}?" if code in _NOT_ISO else "for example FR"
    raise _refusal("is not an ISO 3166 country code", hint)


#: The keys a front matter may have, as they are written there.
SETTING_NAMES: Final = tuple(
    field.alias or name for name, field in TemplateSettings.model_fields.items()
)


def read_settings(front: str) -> tuple[TemplateSettings, list[Problem]]:
    """
    Read the settings from the YAML between the two ``---`` lines.

    Args:
        front: The lines between; the first is line 2 of the file.

    Returns:
        The settings and all problems. With problems, the settings are what could be read of
        those that have none.
    """
    entries, problems = _entries_of(front)
    given = {key: value for key, (value, _) in entries.items()}
    lines = {key: line for key, (_, line) in entries.items()}
    settings, more = _validated(given, lines=lines)
    return settings, problems + more


def _validated(
    given: Mapping[str, object], *, lines: Mapping[str, int]
) -> tuple[TemplateSettings, list[Problem]]:
    try:
        return TemplateSettings.model_validate(given), []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    problems = [_problem_of(detail, lines=lines) for detail in details]
    bad = {str(detail["loc"][0]) if detail["loc"] else "defaults" for detail in details}
    rest = {key: value for key, value in given.items() if key not in bad}
    return _validated_rest(rest), problems


def _validated_rest(given: Mapping[str, object]) -> TemplateSettings:
    """Settings without the bad ones; where these depend on one another, the defaults."""
    try:
        return TemplateSettings.model_validate(given)
    except ValidationError:
        return TemplateSettings()


def _problem_of(detail: ErrorDetails, *, lines: Mapping[str, int]) -> Problem:
    # What concerns the settings as a whole is about missing and defaults.
    path = [str(part) for part in detail["loc"]] or ["defaults"]
    return Problem(
        text=detail["msg"].removeprefix("Value error, "),
        hint=str(detail.get("ctx", {}).get("hint", "")),
        field=".".join(path),
        line=lines.get(path[0], None if detail["loc"] else lines.get("missing")),
    )


def _entries_of(front: str) -> tuple[dict[str, tuple[object, int]], list[Problem]]:
    """Known keys to value and line; a key without a value counts as not written."""
    try:
        root = yaml.compose(front, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        return {}, [_problem_of_yaml(error)]
    if root is None:
        return {}, []
    if not isinstance(root, yaml.MappingNode):
        return {}, [Problem(text="the front matter is not made of 'key: value' lines", line=2)]
    return _entries_of_mapping(root)


def _problem_of_yaml(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return Problem(
        text="the front matter is not YAML",
        hint=str(getattr(error, "problem", None) or "a character YAML does not allow"),
        line=None if mark is None else mark.line + 1 + _LINES_BEFORE,
    )


def _entries_of_mapping(
    root: yaml.MappingNode,
) -> tuple[dict[str, tuple[object, int]], list[Problem]]:
    entries: dict[str, tuple[object, int]] = {}
    problems: list[Problem] = []
    seen: set[str] = set()
    for key, node, line in _pairs_of(root):
        problem = _problem_of_key(key, seen=seen)
        if problem:
            problems.append(Problem(text=problem[0], hint=problem[1], field=key, line=line))
        elif (value := _value_of(node)) is not None:
            entries[key] = (value, line)
        seen.add(key)
    return entries, problems


def _pairs_of(root: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node, int]]:
    for key, node in root.value:
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
        yield name, node, key.start_mark.line + 1 + _LINES_BEFORE


def _problem_of_key(key: str, *, seen: set[str]) -> tuple[str, str] | None:
    if key in seen:
        return "is written twice", ""
    if key not in SETTING_NAMES:
        return "unknown setting", near(key, SETTING_NAMES)
    return None


def _value_of(node: yaml.Node) -> Any:
    """Text, a mapping of texts, or a list that no setting accepts. Never deeper."""
    if isinstance(node, yaml.MappingNode):
        return {key: _scalar_of(value) for key, value, _ in _pairs_of(node)}
    return _scalar_of(node)


def _scalar_of(node: yaml.Node) -> object:
    if not isinstance(node, yaml.ScalarNode):
        return []
    return None if node.style is None and node.value in _NULLS else node.value
