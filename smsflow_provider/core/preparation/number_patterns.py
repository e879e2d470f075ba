"""
The numbers of each calling code as patterns, made from the metadata of phonenumbers.

One pattern for all numbers of a calling code that have the same length. It is made when the
first such number comes by, and whatever release of phonenumbers is installed is what it says.
The order of its alternatives is the order in which the library tries regions and kinds, so
the first that fits is the library's answer; a last one fits all other digits.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberDesc, ValidationResult

from smsflow_provider.core.preparation.number_value import (
    Number,
    NumberKind,
    NumberProblem,
    number_maker,
    problem_number,
)

#: Makes the Number of an E.164 text; None is "not sure".
Maker = Callable[[str], Number | None]

#: What the length of a number says about one that is not given out; otherwise it is invalid.
PROBLEM_OF_LENGTH: Final = {
    ValidationResult.TOO_SHORT: NumberProblem.TOO_SHORT,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: NumberProblem.TOO_SHORT,
    ValidationResult.TOO_LONG: NumberProblem.TOO_LONG,
}

#: With the plus. Below, it can hardly be a number; above, parsing has errors of its own.
_SHORTEST: Final = 6
_LONGEST: Final = 18
#: The library's order, and it matters: the first kind that fits is the kind. The ordinary
#: ones, fixed line and mobile, come after these.
KINDS: Final = (
    ("premium_rate", NumberKind.PREMIUM),
    ("toll_free", NumberKind.TOLL_FREE),
    ("shared_cost", NumberKind.SHARED_COST),
    ("voip", NumberKind.VOIP),
    ("personal_number", NumberKind.PERSONAL),
    ("pager", NumberKind.PAGER),
    ("uan", NumberKind.UAN),
    ("voicemail", NumberKind.VOICEMAIL),
)


class Judge(NamedTuple):
    """Judges the E.164 texts of one calling code and one length."""

    #: Matches the text whole, in exactly one group; None: not a plus and so many digits.
    match: Callable[[str], re.Match[str] | None]
    #: For each group, what makes the Number; there is no group 0.
    makers: tuple[Maker, ...]


_NEVER: Final = Judge(match=re.compile("(?!)").fullmatch, makers=())


class Judges(dict[int, Judge]):
    """
    The judges of one calling code, by the length of the E.164 text; made when asked for.

    Args:
        code: The calling code, without the plus.
        is_stripped: Whether what follows the code is known to be the national number. If not,
            it may begin with a national prefix, as in +33 06, and what may is "not sure".
    """

    def __init__(self, code: int, *, is_stripped: bool) -> None:
        super().__init__()
        self._code = code
        self._is_stripped = is_stripped

    def __missing__(self, length: int) -> Judge:
        if not _SHORTEST <= length <= _LONGEST:
            return _NEVER  # and not kept: there is no end of lengths
        judge = _judge_of(self._code, length=length, is_stripped=self._is_stripped)
        self[length] = judge
        return judge

    def read(self, e164: str) -> Number | None:
        """Judge plus and digits of this calling code; None: not sure."""
        match, makers = self[len(e164)]
        found = match(e164)
        return makers[found.lastindex or 0](e164) if found else None


@functools.cache
def judges_by_start() -> dict[str, Judges]:
    """Give the judges of texts as they come, by their first four characters: plus, digits."""
    judges: dict[str, Judges] = {}
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        of_code = Judges(code, is_stripped=False)
        more = 3 - len(str(code))
        for following in range(10**more):
            judges[f"+{code}{following:0{more}d}" if more else f"+{code}"] = of_code
    return judges


@functools.cache
def judges_of_stripped(code: int) -> Judges:
    """Give the judges of E.164 texts that hold no national prefix."""
    return Judges(code, is_stripped=True)


def _unsure(_: str) -> None:
    return None


def _judge_of(code: int, *, length: int, is_stripped: bool) -> Judge:
    digits = length - 1 - len(str(code))
    problem = problem_number(problem_of_length(code, digits=digits))
    prefixed = [] if is_stripped else list(_prefixed(code, digits=digits))
    branches = [pattern for pattern, _ in prefixed]
    makers: list[Maker] = [_unsure, *(maker for _, maker in prefixed)]
    for branch, numbers in _regions(code, digits=digits):
        branches.append(branch)
        makers += [maker or (lambda _: problem) for maker in numbers]
    branches.append("[0-9]*()")
    makers.append(lambda _: problem)
    pattern = rf"\+{code}(?:{'|'.join(branches)})"
    return Judge(match=re.compile(pattern, re.ASCII).fullmatch, makers=tuple(makers))


def problem_of_length(code: int, *, digits: int) -> NumberProblem:
    """Why a number of that length is not valid, when its digits are not given out."""
    any_number = PhoneNumber(country_code=code, national_number=10 ** (digits - 1))
    reason = phonenumbers.is_possible_number_with_reason(any_number)
    return PROBLEM_OF_LENGTH.get(reason, NumberProblem.INVALID)


def _prefixed(code: int, *, digits: int) -> Iterator[tuple[str, Maker]]:
    """The national numbers from which the library takes a prefix away, or might."""
    metadata = metadata_of(code)
    prefix = metadata.national_prefix_for_parsing
    if not prefix:
        return
    if re.compile(prefix).groups or metadata.national_prefix_transform_rule:
        # A carrier code, or digits to be rewritten; at least one digit is taken.
        yield rf"(?:{non_capturing(prefix)})[0-9]{{0,{digits - 1}}}()", _unsure
        return
    rest = pattern_of(metadata.general_desc, digits=digits - len(prefix))
    if prefix.isdigit() and rest:
        yield f"{prefix}{rest}()", functools.partial(_read_without, prefix=prefix, code=code)
    # It stays when the whole is a possible number and the rest is not.
    whole = pattern_of_possible(metadata)
    yield rf"(?=(?:{prefix}))(?!{whole}\Z)[0-9]*()", _unsure
    yield f"(?:{prefix}){whole}()", _unsure


def _read_without(e164: str, *, prefix: str, code: int) -> Number | None:
    national = e164[1 + len(str(code)) + len(prefix) :]
    return judges_of_stripped(code).read(f"+{code}{national}")


def _regions(code: int, *, digits: int) -> Iterator[tuple[str, list[Maker | None]]]:
    """One branch a region, with a maker for each of its groups; None: a problem."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    for region in regions:
        metadata = metadata_of(code, region=region)
        branch, kinds = _kinds_of(metadata, digits=digits)
        makers: list[Maker | None] = [_maker_of(region, kind=kind) for kind in kinds]
        if len(regions) > 1 and metadata.leading_digits:
            # These digits make it this region's, valid or not.
            leading = non_capturing(metadata.leading_digits)
            yield f"(?={leading})(?:{branch}|[0-9]*())", [*makers, None]
        else:
            yield branch, makers


def _maker_of(region: str, *, kind: NumberKind) -> Maker:
    is_country = region != phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
    return number_maker(region=region if is_country else None, kind=kind)


def _kinds_of(metadata: PhoneMetadata, *, digits: int) -> tuple[str, list[NumberKind]]:
    """
    The numbers of a region that have so many digits, each kind marked by an empty group.

    A number that is both fixed line and mobile is a kind of its own.
    """
    general = pattern_of(metadata.general_desc, digits=digits)
    if general is None:
        return "(?!)", []
    kinds = [(pattern_of(getattr(metadata, name), digits=digits), kind) for name, kind in KINDS]
    alternatives = [(f"{pattern}()", [kind]) for pattern, kind in kinds if pattern]
    fixed = pattern_of(metadata.fixed_line, digits=digits)
    mobile = pattern_of(metadata.mobile, digits=digits)
    if fixed and metadata.same_mobile_and_fixed_line_pattern:
        alternatives.append((f"{fixed}()", [NumberKind.FIXED_LINE_OR_MOBILE]))
    elif fixed and mobile:
        both = [NumberKind.FIXED_LINE_OR_MOBILE, NumberKind.FIXED_LINE]
        alternatives.append((rf"(?={fixed}\Z)(?:{mobile}()|[0-9]*())", both))
    elif fixed:
        alternatives.append((f"{fixed}()", [NumberKind.FIXED_LINE]))
    if mobile and not metadata.same_mobile_and_fixed_line_pattern:
        alternatives.append((f"{mobile}()", [NumberKind.MOBILE]))
    branch = rf"(?={general}\Z)(?:{'|'.join(one for one, _ in alternatives) or '(?!)'})"
    return branch, [kind for _, some in alternatives for kind in some]


def pattern_of(desc: PhoneNumberDesc | None, *, digits: int) -> str | None:
    """The pattern of what *desc* describes; None: nothing of that many digits."""
    if desc is None or not desc.national_number_pattern:
        return None
    if desc.possible_length and digits not in desc.possible_length:
        return None
    return f"(?:{non_capturing(desc.national_number_pattern)})"


def metadata_of(code: int, *, region: str | None = None) -> PhoneMetadata:
    """
    Give what the library knows of one region of a calling code.

    Args:
        code: The calling code, without the plus.
        region: None: its main region, whose rules hold where the region is not known yet.

    Raises:
        KeyError: There is no such calling code.
    """
    main = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code][0]
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region or main)
    if metadata is None:
        raise KeyError(code)
    return metadata


def pattern_of_possible(metadata: PhoneMetadata) -> str:
    """Give the pattern of all that might be a national number there."""
    general = metadata.general_desc
    pattern = general.national_number_pattern if general else None
    return f"(?:{non_capturing(pattern)})" if pattern else "(?!)"


def non_capturing(pattern: str) -> str:
    """Give *pattern* without capturing groups. The metadata escape no bracket."""
    return re.sub(r"\((?!\?)", "(?:", pattern)
