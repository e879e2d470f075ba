"""What a run may be started with: one closed JSON Schema a parameter, as Airflow checks it."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, PlainValidator, model_validator

from smsflow_provider.core.workflow.problem import near_or_all, refusal
from smsflow_provider.core.workflow.schedule import Frozen

TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")

Limit = int | float


def read_type(given: object) -> str | list[str]:
    """
    Read a JSON Schema type, or several.

    YAML reads a bare ``null`` as nothing; it is taken for the type of that name.

    Raises:
        PydanticCustomError: Names the type that is none.

    Example:
        >>> read_type(["string", None])
        ['string', 'null']
    """
    if not isinstance(given, list | tuple):
        return _one_type(given)
    if not given:
        raise refusal("names no type", near_or_all("", TYPES))
    return [_one_type(each) for each in given]


def _one_type(given: object) -> str:
    name = "null" if given is None else given
    if not isinstance(name, str) or name not in TYPES:
        raise refusal(f"unknown type {name!r}", near_or_all(name, TYPES))
    return name


class Parameter(Frozen):
    """
    One parameter of a run. The names are those of JSON Schema (draft 2020-12) and Airflow.

    The list is closed on purpose: JSON Schema ignores a word it does not know, so a
    ``minimm`` would be no limit at all.

    Example:
        >>> schema_of(Parameter(type="integer", default=10, minimum=1))
        {'type': 'integer', 'minimum': 1}
    """

    type: Annotated[str | list[str], PlainValidator(read_type)]
    #: Used when the run does not say. Left out: the run must say.
    default: Any = None
    title: str | None = None
    description: str | None = None
    description_md: str | None = None
    section: str | None = None
    examples: list[Any] | None = None
    values_display: dict[str, str] | None = None
    enum: list[Any] | None = Field(default=None, min_length=1)
    const: Any = None
    minimum: Limit | None = None
    maximum: Limit | None = None
    exclusive_minimum: Limit | None = Field(default=None, alias="exclusiveMinimum")
    exclusive_maximum: Limit | None = Field(default=None, alias="exclusiveMaximum")
    multiple_of: Limit | None = Field(default=None, alias="multipleOf")
    min_length: int | None = Field(default=None, alias="minLength")
    max_length: int | None = Field(default=None, alias="maxLength")
    pattern: str | None = None
    format: str | None = None
    items: dict[str, Any] | None = None
    min_items: int | None = Field(default=None, alias="minItems")
    max_items: int | None = Field(default=None, alias="maxItems")
    unique_items: bool | None = Field(default=None, alias="uniqueItems")
    properties: dict[str, Any] | None = None
    required: list[str] | None = None
    additional_properties: bool | None = Field(default=None, alias="additionalProperties")

    @property
    def has_default(self) -> bool:
        """Whether a run may leave this parameter out."""
        return "default" in self.model_fields_set

    @model_validator(mode="after")
    def check_default(self) -> Self:
        """Refuse a schema that is none, and a default the schema itself refuses."""
        # Imported here: a workflow without parameters does not pay for it.
        from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]  # noqa: PLC0415
        from jsonschema.exceptions import SchemaError, best_match  # type: ignore[import-untyped]  # noqa: PLC0415

        schema = schema_of(self)
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            raise refusal(f"is not a JSON Schema: {error.message}") from None
        checker = Draft202012Validator(schema, format_checker=FormatChecker())
        wrong = best_match(checker.iter_errors(self.default)) if self.has_default else None
        if wrong is not None:
            raise refusal(f"the default breaks the schema: {wrong.message}")
        return self


def schema_of(parameter: Parameter) -> dict[str, Any]:
    """Give the JSON Schema of *parameter*: what was written, without the default."""
    return parameter.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"default"})
