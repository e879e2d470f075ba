"""Rendering in a process of its own: the same texts, and nothing that hangs or fills the worker."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.content.fields import Uses
from smsflow_provider.core.content.render import Failed, Missing, Rendered, Renderer
from smsflow_provider.core.content.render_process import RenderedChunk, RenderProcess
from smsflow_provider.core.content.settings import TemplateSettings
from smsflow_provider.core.content.template import Template, read_template
from smsflow_provider.core.errors import TemplateError

MIB = 1024 * 1024
BODIES = (
    "Hi {{ a }}!",
    "Hi {{ a|title }}{% if b %} in {{ b|title }}{% endif %}.\nSTOP",
    "{{ b + 1 }} {{ a|default('x') }}",
    "{{ a|money('€', mark=',') }} on {{ b|date }}",
    "{% set who = a|upper %}{{ who }} {{ b|default('') }}",
    "{% for one in a %}{{ loop.index }}{{ one }}{% endfor %}{{ b or 'none' }}",
)
VALUES: Sequence[object] = [
    *("Jean", "MARIE", "élodie", "😀", "{{ name }}", "a\nb", "a\x1eb", "\x1ea", "tab\t", "\x00"),
    *("non\u00a0breaking", "half \ud83d", "x" * 4_100, "2026-03-01", "12.5", "\x86", "\uffff"),
    *(0, 1, -7, 3.5, True, False, Decimal("1.50"), date(2026, 3, 1)),
    *(datetime(2026, 3, 1, 9, 5, tzinfo=UTC), ["a", "b"], [], {"city": "Paris"}),
]


def make_template(body: str, front: str = "") -> Template:
    return read_template(f"---\n{front}\n---\n{body}", name="sale")


def make_evil(body: str, *fields: str) -> Template:
    """A template nobody has checked: what happens when the first defence has a hole."""
    return Template(
        name="evil",
        settings=TemplateSettings(),
        variants={"": body},
        blocks={},
        uses={"": Uses(fields=fields, required=fields)},
    )


def taken_apart(chunk: RenderedChunk, *, count: int) -> list[Rendered]:
    """One result for each row, as the renderer gives them."""
    texts = iter(chunk.joined.split("\x1e")[:-1])
    made: list[Rendered] = [chunk.problems.get(n) or next(texts) for n in range(count)]
    assert [] == list(texts)
    return made


def render(
    process: RenderProcess, columns: Mapping[str, Sequence[object]], *, count: int
) -> list[Rendered]:
    process.submit(columns, count=count)
    return taken_apart(process.result(), count=count)


def is_gone(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    return True


def wait_until_gone(pid: int, *, within_s: float) -> bool:
    until_s = time.monotonic() + within_s
    while not is_gone(pid) and time.monotonic() < until_s:
        time.sleep(0.02)
    return is_gone(pid)


@pytest.fixture(scope="module")
def processes() -> Iterator[list[tuple[RenderProcess, Renderer]]]:
    """One process for each text, with the renderer in this process that it must equal."""
    with contextlib.ExitStack() as stack:
        templates = [make_template(body) for body in BODIES]
        yield [(stack.enter_context(RenderProcess(one)), Renderer(one)) for one in templates]


values = st.one_of(
    st.none(),
    st.text(min_size=1, max_size=30).filter(lambda text: not text.isspace()),
    st.integers(),
    st.floats(allow_nan=False),
    st.sampled_from(VALUES),
)
rows_of_two = st.lists(st.tuples(values, values), max_size=60)


@pytest.mark.parametrize("body", range(len(BODIES)))
@settings(deadline=None)
@given(rows=rows_of_two)
def test_the_texts_are_those_of_the_renderer(
    processes: list[tuple[RenderProcess, Renderer]],
    body: int,
    rows: list[tuple[object, object]],
) -> None:
    process, renderer = processes[body]
    columns = {"a": [row[0] for row in rows], "b": [row[1] for row in rows]}
    expected = renderer.render_chunk(columns, count=len(rows))

    assert expected == render(process, columns, count=len(rows))


def test_problems_come_in_the_order_of_the_rows() -> None:
    with RenderProcess(make_template("{{ a }} {{ 1 / b }}")) as process:
        process.submit({"a": ["x", None, "y", None], "b": [1, 1, 0, None]}, count=4)
        chunk = process.result()

    assert "x 1.0\x1e" == chunk.joined
    assert [1, 2, 3] == list(chunk.problems)
    assert Missing(field="a") == chunk.problems[1]
    assert isinstance(chunk.problems[2], Failed)


def test_two_chunks_are_under_way_and_come_back_in_order() -> None:
    """Each is far larger than a pipe, so nothing could wait for a reader."""
    texts = [f"{'long ' * 20}{n}" for n in range(10_000)]
    with RenderProcess(make_template("{{ a }}")) as process:
        for number in range(100):
            process.submit({"a": texts[number:5_000]}, count=5_000 - number)
            if number:
                made = process.result()
                assert 5_001 - number == made.joined.count("\x1e")
                assert made.joined.endswith(f"{texts[4_999]}\x1e")


def test_an_empty_chunk_gives_no_texts() -> None:
    with RenderProcess(make_template("Hi {{ a }}")) as process:
        assert [] == render(process, {"a": []}, count=0)


def test_a_text_without_fields_is_the_same_for_everybody() -> None:
    with RenderProcess(make_template("Hi")) as process:
        assert ["Hi"] * 3 == render(process, {"a": [1, 2, 3]}, count=3)
        assert [] == render(process, {}, count=0)


def test_a_column_that_is_not_there_is_missing_in_every_row() -> None:
    with RenderProcess(make_template("{{ a }}")) as process:
        assert [Missing(field="a")] * 2 == render(process, {}, count=2)


def test_a_third_chunk_under_way_is_refused() -> None:
    with RenderProcess(make_template("{{ a }}")) as process:
        process.submit({"a": ["x"]}, count=1)
        process.submit({"a": ["y"]}, count=1)
        with pytest.raises(ValueError, match="2 chunks are under way"):
            process.submit({"a": ["z"]}, count=1)

        assert ["x\x1e", "y\x1e"] == [process.result().joined, process.result().joined]


def test_a_result_of_nothing_is_refused() -> None:
    with RenderProcess(make_template("{{ a }}")) as process, pytest.raises(ValueError, match="no"):
        process.result()


def test_a_column_of_another_length_is_an_error_of_the_caller() -> None:
    with (
        RenderProcess(make_template("{{ a }}")) as process,
        pytest.raises(ValueError, match="column 'a' has 2 values, not 3"),
    ):
        process.submit({"a": [1, 2]}, count=3)


def test_repeating_a_text_by_an_operator_fails_every_row() -> None:
    """The template passes the check: only rendering knows that the left side is a text."""
    with RenderProcess(make_template("{{ a }}{{ 'a' * 300000000 }}")) as process:
        made = render(process, {"a": ["x"] * 50}, count=50)

    assert [Failed(reason="line 4: something a template may not do")] * 50 == made


CONSTANTS = (
    "{{ '%300000000d' | format(1) }}",
    "{{ 'a' * 300000000 }}",
    "{% if '%300000000d'|format(1) %}x{% endif %}",
    "{% set a = '%300000000d'|format(1) %}{{ a|length }}",
    "{{ ('%300000000d'|format(1))[1:2] ~ 'a' }}",
    "{{ a|default('%300000000d'|format(1)) }}",
    "{% filter format %}%300000000d{% endfilter %}",
)


@pytest.mark.parametrize("body", CONSTANTS)
def test_reading_and_compiling_a_template_compute_none_of_its_constants(body: str) -> None:
    """Both happen in the processes of Airflow, which have no budget."""
    tracemalloc.start()
    try:
        Renderer(make_template(body))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert 10 * MIB > peak


def test_a_constant_that_is_too_large_fails_every_row() -> None:
    template = make_template("{{ '%300000000d' | format(1) }}")
    with RenderProcess(template, memory_bytes=64 * MIB) as process:
        made = render(process, {}, count=3)

    assert [Failed(reason="needs more than 64 MiB")] * 3 == made


def test_the_row_that_needs_too_much_memory_is_named_and_the_others_get_their_text() -> None:
    with RenderProcess(make_template("{{ a | format(1) }}"), memory_bytes=64 * MIB) as process:
        columns = {"a": ["%d"] * 20}
        columns["a"][7] = "%300000000d"
        made = render(process, columns, count=20)

    assert Failed(reason="needs more than 64 MiB") == made.pop(7)
    assert ["1"] * 19 == made


def test_a_text_that_grows_by_its_own_length_again_and_again_is_stopped() -> None:
    body = "{{ a|replace('', a)|replace('', a)|replace('', a) }}"
    with RenderProcess(make_template(body), memory_bytes=64 * MIB) as process:
        made = render(process, {"a": ["x", "y" * 3_000, "z"]}, count=3)

    assert ["x" * 15, "z" * 15] == [made[0], made[2]]
    assert Failed(reason="needs more than 64 MiB") == made[1]


def test_the_row_that_takes_too_long_is_named_and_the_others_get_their_text() -> None:
    loops = "{% for i in a %}{% for j in a %}{% for k in a %}{% endfor %}{% endfor %}{% endfor %}"
    template = make_evil(f"{loops}{{{{ a }}}}", "a")
    with RenderProcess(template, chunk_s=0.3, row_s=0.2) as process:
        columns = {"a": ["x"] * 3_000}
        columns["a"][1_500] = "y" * 3_000
        made = render(process, columns, count=3_000)

        assert Failed(reason="takes longer than 0.2 s") == made.pop(1_500)
        assert ["x"] * 2_999 == made
        assert ["again"] == render(process, {"a": ["again"]}, count=1)


def test_after_five_rows_that_are_too_much_the_chunk_is_given_up() -> None:
    template = make_template("{{ a | format(1) }}")
    columns = {"a": ["%d", "%300000000d"] * 10}
    with RenderProcess(template, memory_bytes=64 * MIB) as process:
        process.submit(columns, count=20)
        process.submit({"a": ["%d"]}, count=1)
        with pytest.raises(TemplateError, match="too long or too much memory") as caught:
            process.result()

        assert [1, 3, 5, 7, 9] == caught.value.facts["rows"]
        assert "1\x1e" == process.result().joined


def test_rows_that_take_too_long_only_together_end_as_well() -> None:
    loops = "{% for i in a %}{% for j in a %}{% endfor %}{% endfor %}x"
    with RenderProcess(make_evil(loops, "a"), chunk_s=0.1, row_s=5, stall_s=0.5) as process:
        process.submit({"a": ["y" * 1_000] * 1_000}, count=1_000)
        began_s = time.monotonic()
        with pytest.raises(TemplateError) as caught:
            process.result()

    assert [] == caught.value.facts["rows"]
    assert 10 > time.monotonic() - began_s


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV])
def test_a_child_that_somebody_ends_or_stops_is_replaced_and_the_texts_are_the_same(
    number: signal.Signals,
) -> None:
    template = make_template("{% for i in a %}{{ i }}{% endfor %}")
    columns = {"a": ["abcdef" * 20] * 5_000}
    with RenderProcess(template, chunk_s=1, stall_s=1) as process:
        render(process, {"a": ["x"]}, count=1)
        before = process.pid
        assert before is not None
        process.submit(columns, count=5_000)
        process.submit({"a": ["the next"]}, count=1)
        os.kill(before, number)

        assert columns["a"] == taken_apart(process.result(), count=5_000)
        assert ["the next"] == taken_apart(process.result(), count=1)
        assert before != process.pid
        assert is_gone(before)


def test_the_child_ends_with_the_block() -> None:
    with RenderProcess(make_template("{{ a }}")) as process:
        process.submit({"a": ["x"]}, count=1)
        pid = process.pid
        assert pid is not None

    assert is_gone(pid)
    assert process.pid is None


def test_a_child_in_mid_chunk_ends_with_the_block() -> None:
    loops = "{% for i in a %}{% for j in a %}{% for k in a %}{% endfor %}{% endfor %}{% endfor %}x"
    began_s = time.monotonic()
    with RenderProcess(make_evil(loops, "a")) as process:
        process.submit({"a": ["y" * 3_000]}, count=1)
        pid = process.pid
        assert pid is not None

    assert is_gone(pid)
    assert 10 > time.monotonic() - began_s


PARENT = """
import sys, time
from smsflow_provider.core.content.render_process import RenderProcess
from tests.core.content.test_render_process import make_evil
with RenderProcess(make_evil(sys.argv[1], "a")) as process:
    process.submit({"a": ["x"]}, count=1)
    process.result()
    process.submit({"a": ["y" * 3_000]}, count=1)
    print(process.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("is_busy", [True, False])
def test_the_child_of_a_killed_parent_ends(repository: Path, *, is_busy: bool) -> None:
    body = "{% for i in a %}{% for j in a %}{% for k in a %}{% endfor %}{% endfor %}{% endfor %}x"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, body if is_busy else "{{ a }}"],
        stdout=subprocess.PIPE,
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(repository)},
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not is_gone(pid)
        parent.kill()

    assert wait_until_gone(pid, within_s=10)


SECRET = """
import psutil
from smsflow_provider.core.content.render_process import RenderProcess
from tests.core.content.test_render_process import make_template
with RenderProcess(make_template("{{ a }}")) as process:
    process.submit({"a": ["x"]}, count=1)
    process.result()
    print(*psutil.Process(process.pid).environ())
"""

NO_PYTHON = """
import sys
from smsflow_provider.core.content.render_process import RenderProcess
from smsflow_provider.core.errors import ConfigError
from tests.core.content.test_render_process import make_template
sys.executable = "/bin/false"
with RenderProcess(make_template("{{ a }}")) as process:
    for _ in range(2):
        process.submit({"a": ["x"]}, count=1)
    for _ in range(2):
        try:
            process.result()
        except ConfigError as error:
            print(error.problem, error.facts["exit_code"])
sys.executable = "/no/such/python"
try:
    process.__enter__()
except ConfigError as error:
    print(error.problem, error.facts["cause"])
"""


def said_by(script: str, repository: Path, **environment: str) -> str:
    """Run a script that would change this process if it ran here."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(repository), **environment},
    )
    return done.stdout.strip()


def test_the_child_inherits_no_secret(repository: Path) -> None:
    names = said_by(SECRET, repository, AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="a secret").split()

    assert "PATH" in names
    assert not [name for name in names if name.startswith("AIRFLOW")]


def test_a_child_that_does_not_start_says_so(repository: Path) -> None:
    said = said_by(NO_PYTHON, repository).splitlines()

    assert ["1", "1", "directory"] == [line.split()[-1] for line in said]
    assert all("does not start" in line for line in said)


def test_a_template_that_cannot_be_compiled_within_the_limits_is_refused() -> None:
    template = make_evil("{{ a }}" * 400_000, "a")
    with RenderProcess(template, memory_bytes=MIB) as process:
        for _ in range(2):
            process.submit({"a": ["x"]}, count=1)
        for _ in range(2):
            with pytest.raises(TemplateError, match="too long or too much memory"):
                process.result()


def test_the_child_loads_no_heavy_library() -> None:
    """It starts for every preparation, and what it has loaded is memory of the worker."""
    code = (
        "import sys, smsflow_provider.core.content.render_child;"
        "print(*sys.modules.keys() & set(sys.argv[1:]))"
    )
    heavy = ["pydantic", "yaml", "polars", "phonenumbers", "numpy", "pandas", "airflow", "regex"]
    done = subprocess.run(
        [sys.executable, "-c", code, *heavy], check=True, capture_output=True, text=True
    )

    assert "" == done.stdout.strip()


def test_results_show_no_text_of_a_row() -> None:
    with RenderProcess(make_template("{{ a }}")) as process:
        process.submit({"a": ["Dupont"]}, count=1)

        assert "Dupont" not in repr(process.result())
