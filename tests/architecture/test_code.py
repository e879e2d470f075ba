"""The habits of the house, as far as a program can see them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "smsflow_provider"
MOST_LINES_OF_A_FUNCTION = 40
MOST_LINES_OF_A_MODULE = 400
#: These only hand arguments on, one a line; there is nothing in them to take apart.
DECLARATIONS = {
    "smsflow_provider/operators/build_audience.py:__init__",
    "smsflow_provider/operators/sms_delivery.py:__init__",
}
#: A refusal, not a stub: Airflow's base class demands the method.
REFUSALS = {"smsflow_provider/hooks/db_manager.py:downgrade"}
#: Only root may give files away, so these tests mean nothing to anybody else.
FOR_ROOT = {"tests/integration/test_embedded.py"}
CLOCK = "smsflow_provider/core/clock.py"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One source file, read."""

    #: From the root of the repository, with slashes.
    name: str
    text: str
    tree: ast.Module


def _read(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    return Module(name=path.relative_to(ROOT).as_posix(), text=text, tree=ast.parse(text))


def _modules(*folders: str) -> Iterator[Module]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "versions" not in path.parts:
                yield _read(path)


SOURCES = list(_modules("smsflow_provider"))
ALL = [*SOURCES, *_modules("tests", "dags")]


def _functions(module: Module) -> Iterator[Function]:
    for node in ast.walk(module.tree):
        if isinstance(node, Function):
            yield node


def _lines_of(function: Function) -> int:
    """Lines of code and comments; what a docstring says costs nothing."""
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        assert first.end_lineno is not None
        lines -= first.end_lineno - first.lineno + 1
    return lines


def _arguments(function: Function) -> Iterator[ast.arg]:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    for place, argument in enumerate(every):
        is_self = place == 0 and argument is not None and argument.arg in {"self", "cls"}
        if argument is not None and not is_self:
            yield argument


def test_no_function_is_long() -> None:
    long = {
        f"{module.name}:{function.name}": _lines_of(function)
        for module in SOURCES
        for function in _functions(module)
        if _lines_of(function) > MOST_LINES_OF_A_FUNCTION
    }

    assert dict.fromkeys(DECLARATIONS, "long") == dict.fromkeys(long, "long"), long


def test_functions_are_small_on_the_whole() -> None:
    sizes = [_lines_of(function) for module in SOURCES for function in _functions(module)]

    assert 8 >= median(sizes)


def test_no_module_is_long() -> None:
    sizes = {module.name: len(module.text.splitlines()) for module in SOURCES}

    assert {} == {name: size for name, size in sizes.items() if size > MOST_LINES_OF_A_MODULE}


@pytest.mark.parametrize("folder", ["smsflow_provider", "tests", "dags"])
def test_every_argument_and_result_is_annotated(folder: str) -> None:
    bare = [
        f"{module.name}:{function.name}"
        for module in ALL
        if module.name.startswith(folder)
        for function in _functions(module)
        if function.returns is None
        or any(argument.annotation is None for argument in _arguments(function))
    ]

    assert [] == bare


def test_every_module_says_what_it_is_for() -> None:
    silent = [module.name for module in SOURCES if not ast.get_docstring(module.tree)]

    assert [] == silent


def test_time_is_read_in_one_place() -> None:
    pattern = re.compile(r"\b(datetime|date)\.(now|utcnow|today)\(")
    readers = {module.name for module in SOURCES if pattern.search(module.text)}

    assert {CLOCK} == readers


def test_coroutines_run_in_one_way() -> None:
    """On the loop that senders run on; what is shipped for tests does as it likes."""
    found = {module.name for module in SOURCES if "asyncio.run(" in module.text}

    assert [] == sorted(one for one in found if not one.startswith("smsflow_provider/testing/"))


def test_nothing_is_put_off() -> None:
    """Issues are kept in the tracker; what is in the code is done."""
    mark = re.compile(r"#.*\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
    found = [
        f"{module.name}:{number}"
        for module in ALL
        for number, line in enumerate(module.text.splitlines(), start=1)
        if mark.search(line)
    ]

    assert [] == found


def test_no_function_is_a_stub() -> None:
    stubs = {
        f"{module.name}:{function.name}"
        for module in SOURCES
        for function in _functions(module)
        if any(_raises_not_implemented(node) for node in ast.walk(function))
    }

    assert REFUSALS == stubs


def _raises_not_implemented(node: ast.AST) -> bool:
    return isinstance(node, ast.Raise) and "NotImplementedError" in ast.dump(node)


def test_no_test_is_marked_to_be_skipped() -> None:
    """What a machine lacks is told by ``tests.requirements.missing``, which can be forbidden."""
    marks = re.compile(r"mark\.(skip|skipif|xfail)\b|@unittest\.skip|pytest\.importorskip")
    callers = re.compile(r"\bpytest\.(skip|xfail)\(")
    here = Path(__file__).relative_to(ROOT).as_posix()
    others = [module for module in ALL if module.name != here]

    assert FOR_ROOT == {module.name for module in others if marks.search(module.text)}
    assert {"tests/requirements.py"} == {
        module.name for module in others if callers.search(module.text)
    }


def test_core_tests_patch_nothing() -> None:
    patched = [
        module.name
        for module in ALL
        if module.name.startswith("tests/core/")
        and re.search(r"\bmonkeypatch\b|unittest\.mock|mock\.patch", module.text)
    ]

    assert [] == patched


def test_names_of_tests_are_sentences() -> None:
    """At least three words behind ``test_``."""
    short = [
        f"{module.name}:{function.name}"
        for module in ALL
        if module.name.startswith("tests/")
        for function in _functions(module)
        if function.name.startswith("test_") and function.name.count("_") < 3
    ]

    assert [] == short


def test_modules_have_plain_names() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}

    assert set() == {Path(module.name).stem for module in SOURCES} & vague


def test_the_rules_of_this_file_find_what_they_look_for() -> None:
    code = ast.parse("def f(a, *, b: int):\n    '''Doc.'''\n    return a\n")
    function = next(node for node in ast.walk(code) if isinstance(node, ast.FunctionDef))

    assert 2 == _lines_of(function)
    assert ["a", "b"] == [argument.arg for argument in _arguments(function)]
