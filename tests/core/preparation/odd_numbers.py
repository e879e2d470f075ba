"""
Phone numbers to compare two ways of reading on: the library's examples, and damaged ones.

``SMSFLOW_NUMBER_MUTATIONS`` sets how many mutations are compared: 100,000 in CI, 30,000 else.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

IS_CI = os.environ.get("SMSFLOW_REQUIRE_ALL") == "1"
MUTATIONS = int(os.environ.get("SMSFLOW_NUMBER_MUTATIONS", "100000" if IS_CI else "30000"))
#: The same for columns, each compared with the library itself.
COLUMN_MUTATIONS = MUTATIONS if "SMSFLOW_NUMBER_MUTATIONS" in os.environ or IS_CI else 10_000
#: How many forms of a region's examples are compared by a slow test: all in CI.
FORMS_EACH = 100_000 if IS_CI else 20
#: Of how many pieces of a number plan the edges are compared: of all in CI.
EDGES = 100_000 if IS_CI else 20
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
KINDS = [kind for kind in PhoneNumberType.values() if kind != PhoneNumberType.UNKNOWN]
#: What people, switchboards and exports put in front of a number.
STARTS = ["", "+", "00", "0", "1", "8", "011", "810", "+0", "(0)", "0-0", "00+", "++", "0 0", " "]
#: Alone or repeated, inside a number; the last ones are the library's to judge.
MARKS = [" ", ".", "-", "(", ")", "/", "  ", "(0)", ".0", "+", "x", "#", "~", ",", "\u00a0", "a"]

Mutation = Callable[[random.Random, str], str]


def examples_of(region: str) -> list[PhoneNumber]:
    """Every kind of number the library has an example for."""
    found = [phonenumbers.example_number_for_type(region, kind) for kind in KINDS]
    return [number for number in found if number is not None]


def examples_of_no_country() -> list[PhoneNumber]:
    codes = phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS
    found = [phonenumbers.example_number_for_non_geo_entity(code) for code in sorted(codes)]
    return [number for number in found if number is not None]


def forms_of(number: PhoneNumber) -> Iterator[str]:
    """The ways one number is written."""
    e164, shown, national, uri = (
        phonenumbers.format_number(number, form)
        for form in (
            PhoneNumberFormat.E164,
            PhoneNumberFormat.INTERNATIONAL,
            PhoneNumberFormat.NATIONAL,
            PhoneNumberFormat.RFC3966,
        )
    )
    code = str(number.country_code)
    yield from (e164, shown, national, uri)
    yield from (e164[1:], f"00{e164[1:]}", f"011{e164[1:]}", shown.replace("+", "00 "))
    for separator in (".", "-", "/", ""):
        yield national.replace(" ", separator)
        yield shown.replace(" ", separator)
    yield phonenumbers.national_significant_number(number)
    yield shown.replace(f"+{code} ", f"+{code} (0)")
    yield f"{e164[1:]}.0"


#: By region, the examples in all their forms.
FORMS = {
    region: [raw for number in examples_of(region) for raw in forms_of(number)]
    for region in REGIONS
}
CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


def change(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text))
    return f"{text[:at]}{rng.randrange(10)}{text[at + 1 :]}"


def drop(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text))
    return f"{text[:at]}{text[at + 1 :]}"


def add(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return f"{text[:at]}{rng.randrange(10)}{text[at:]}"


def swap(rng: random.Random, text: str) -> str:
    """Exchange two neighbours."""
    at = rng.randrange(len(text))
    return f"{text[:at]}{text[at + 1 : at + 2]}{text[at]}{text[at + 2 :]}"


def restart(rng: random.Random, text: str) -> str:
    """Put something else in front."""
    return f"{rng.choice(STARTS)}{text.lstrip('+0 (')}"


def put_in_front(rng: random.Random, text: str) -> str:
    return f"{rng.choice(STARTS)}{text}"


def put_code(rng: random.Random, text: str) -> str:
    """Put the calling code of some country in front, or between its start and the rest."""
    return f"{rng.choice(STARTS)}{rng.choice(CODES)}{text.lstrip('+')}"


def mark(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return f"{text[:at]}{rng.choice(MARKS)}{text[at:]}"


def redial(rng: random.Random, text: str) -> str:
    """Keep the beginning, and give other digits behind it."""
    kept = rng.randrange(2, 7)
    return text[:kept] + "".join(
        str(rng.randrange(10)) if char.isdigit() else char for char in text[kept:]
    )


def cut(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(1, len(text) + 1)]


MUTATE: list[Mutation] = [
    change, drop, add, swap, restart, put_in_front, put_code, mark, redial, redial, cut,
]  # fmt: skip


def mutations(count: int, *, seed: int) -> Iterator[tuple[str | None, str]]:
    """Numbers that were damaged one to three times, with the region of their column."""
    rng = random.Random(seed)
    for _ in range(count):
        home = rng.choice(REGIONS)
        text = rng.choice(FORMS[home])
        for mutate in rng.choices(MUTATE, k=rng.choice([1, 1, 2, 3])):
            text = mutate(rng, text) if text else text
        yield rng.choice([home, home, home, rng.choice(REGIONS), rng.choice(REGIONS), None]), text
