"""Blocks: pieces of text that templates share, their problems with file and line, snapshots."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.content.blocks import (
    MAX_DEPTH,
    MAX_INCLUDES,
    BlockFolder,
    blocks_near,
)
from smsflow_provider.core.content.render import Failed, Missing, Rendered, Renderer
from smsflow_provider.core.content.template import (
    Template,
    find_template,
    load_template,
    read_template,
)
from smsflow_provider.core.errors import TemplateError

FOOTER = {"footer": "STOP {{ code }}"}


def make_template(body: str, blocks: Mapping[str, str] | None = None) -> Template:
    return read_template(f"---\n---\n{body}", name="sale", blocks=blocks)


def problems_of(body: str, blocks: Mapping[str, str]) -> list[str]:
    with pytest.raises(TemplateError) as caught:
        read_template(f"---\n---\n{body}", name="sale", source="sale.sms.j2", blocks=blocks)
    problems = caught.value.facts["problems"]
    assert isinstance(problems, list)
    return problems


def render_one(body: str, blocks: Mapping[str, str], /, **row: object) -> Rendered:
    return Renderer(make_template(body, blocks)).render_row(row)


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def test_a_block_reads_as_if_its_text_stood_there() -> None:
    template = make_template("Hi {{ name }}. {% include 'footer' %}!", FOOTER)

    assert ("code", "name") == template.fields == template.required
    assert "Hi Ann. STOP 36111!" == Renderer(template).render_row({"name": "Ann", "code": "36111"})


def test_a_field_of_a_block_can_be_missing() -> None:
    assert Missing(field="code") == render_one("Hi {% include 'footer' %}", FOOTER)


def test_a_guard_around_the_include_guards_the_block() -> None:
    body = "Hi{% if code %} {% include 'footer' %}{% endif %}"

    assert () == make_template(body, FOOTER).required
    assert "Hi" == render_one(body, FOOTER)


def test_blocks_include_blocks_and_one_may_be_included_twice() -> None:
    blocks = {"a": "<{% include 'b' %}>", "b": "{{ x }}", "unused": "{{ never }}"}
    template = make_template("{% include 'a' %}{% include 'b' %}{% include 'a' %}", blocks)

    assert "<1>1<1>" == Renderer(template).render_row({"x": 1})
    assert {"a", "b"} == set(template.blocks)
    assert ("x",) == template.fields


def test_what_a_block_sets_is_set_where_it_is_included() -> None:
    blocks = {"names": "{% set who = name|title %}"}

    assert "Ann" == render_one("{% include 'names' %}{{ who }}", blocks, name="ANN")
    assert ["sale.sms.j2: body: 'who' is read before it is set (use two names)"] == problems_of(
        "{{ who }}{% include 'names' %}", blocks
    )


def test_a_block_in_a_loop_sees_the_names_of_the_loop() -> None:
    body = "{% for one in tags %}{% include 'item' %}{% endfor %}"

    assert "1a 2b " == render_one(body, {"item": "{{ loop.index }}{{ one }} "}, tags=["a", "b"])


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("{% include 'foter' %}", "no such block 'foter' (did you mean 'footer'?)"),
        ("{% include 'footer.j2' %}", "no such block 'footer.j2' (did you mean 'footer'?)"),
        ("{% include name %}", "include needs the name of one block"),
        ("{% include ['footer', 'x'] %}", "include needs the name of one block"),
        ("{% include 'foo' ~ 'ter' %}", "include needs the name of one block"),
        ("{% include 3 %}", "include needs the name of one block"),
        ("{% include 'footer' ignore missing %}", "include takes nothing but a name"),
        ("{% include 'footer' without context %}", "include takes nothing but a name"),
    ],
)
def test_an_include_of_anything_but_a_block_that_is_there_is_refused(
    body: str, problem: str
) -> None:
    [found] = problems_of(f"Hi\n{body}", FOOTER)

    assert found.startswith(f"sale.sms.j2:4: body: {problem}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a\n{{ x.y() }}", "2: body: a call is not allowed (use a filter: {{ name | upper }})"),
        ("a\n\n{% if x %}", "3: body: Unexpected end of template"),
        ("a\n{{ x|titl }}", "2: body: unknown filter 'titl' (did you mean 'title'?)"),
        ("a\n b\tc", "2: body: the character U+0009 cannot be sent"),
        ("---\nlabel: x\n---\nHi", "1: body: '---' begins nothing here"),
        ("Hi\n--- fr\nSalut", "2: body: '---' begins nothing here"),
        ("{% include 'nothing' %}", "1: body: no such block 'nothing' (known: deep/bad)"),
        ("{% extends 'x' %}", "1: body: extends is not allowed (a template stands alone)"),
    ],
)
def test_a_problem_in_a_block_names_its_file_and_line(text: str, problem: str) -> None:
    [found, *_] = problems_of("{% include 'deep/bad' %}", {"deep/bad": text})

    assert found.startswith(f"blocks/deep/bad.j2:{problem}")


def test_the_problems_of_the_file_and_of_all_blocks_are_told_at_once_and_each_once() -> None:
    blocks = {"a": "{{ x|nope }}{% include 'b' %}", "b": "\n{{ _y }}", "c": "{% if %}"}
    body = "{% include 'a' %}{% include 'a' %}\n{% include 'b' %}{{ z() }}{% include 'c' %}"
    found = problems_of(body, blocks)

    assert [
        "sale.sms.j2:4: body: a call is not allowed (use a filter: {{ name | upper }})",
        "blocks/a.j2:1: body: unknown filter 'nope'",
        "blocks/b.j2:2: body: '_y' cannot be the name of a field (name the column otherwise)",
        "blocks/c.j2:1: body: Expected an expression, got 'end of statement block'",
    ] == [one.split(" (known")[0] for one in found]


def test_a_loop_in_a_block_in_a_loop_is_refused() -> None:
    body = "{% for a in x %}{% include 'item' %}{% endfor %}"
    blocks = {"item": "{% for b in a %}{{ b }}{% endfor %}"}

    assert ["sale.sms.j2:3: body: a loop within a loop is not allowed"] == problems_of(body, blocks)


def test_blocks_that_include_one_another_are_refused_with_the_chain() -> None:
    blocks = {"a": "{% include 'b' %}", "b": "x\n{% include 'c' %}", "c": "{% include 'b' %}"}
    found = problems_of("{% include 'a' %}", blocks)

    assert ["blocks/c.j2:1: body: blocks include one another without end: b > c > b"] == found


@pytest.mark.parametrize("extra", [0, 1])
def test_blocks_go_only_so_deep(extra: int) -> None:
    deepest = MAX_DEPTH + extra
    blocks = {str(n): f"{{% include '{n + 1}' %}}" for n in range(1, deepest)}
    blocks[str(deepest)] = "end"
    if extra:
        [found] = problems_of("{% include '1' %}", blocks)
        assert f"blocks/{MAX_DEPTH}.j2:1: body: blocks within blocks more than 5 deep" == found
    else:
        assert "end" == render_one("{% include '1' %}", blocks)


def test_blocks_cannot_multiply_without_end() -> None:
    """20 includes of 20 of 20: 8,000 copies and more, cut short at 100."""
    blocks = {name: f"{{% include '{inner}' %}}" * 20 for name, inner in ("ab", "bc", "cd")}
    found = problems_of("{% include 'a' %}", {**blocks, "d": "x" * 1_000})

    assert any(f"more than {MAX_INCLUDES} includes in one text" in one for one in found)
    assert len(found) < 5


def test_a_row_that_fails_in_a_block_names_its_file_and_line() -> None:
    blocks = {"a": "x\n{% include 'b' %}", "b": "\n\n{{ day|date }}"}
    made = render_one("Hi\n\n{% include 'a' %}\n{{ n + 1 }}", blocks, day="x", n=1)

    assert Failed(reason="blocks/b.j2 line 3: date: the value is not an ISO 8601 date") == made
    made = render_one("Hi\n\n{% include 'a' %}\n{{ n + 1 }}", blocks, day="2026-01-01", n="x")
    assert Failed(reason="line 6: the values do not fit (TypeError)") == made


def test_a_snapshot_keeps_the_blocks_it_takes_and_reads_no_file(tmp_path: Path) -> None:
    files = {"sale.sms.j2": "---\n---\nHi {% include 'a' %}", "blocks/b.j2": "{{ x }}"}
    write(tmp_path, {**files, "blocks/a.j2": "{% include 'b' %}!\n", "blocks/c.j2": "never"})
    template = find_template("sale", tmp_path)
    stored = json.loads(json.dumps(template.as_dict()))
    for path in (tmp_path / "blocks").iterdir():
        path.unlink()

    assert {"a": "{% include 'b' %}!", "b": "{{ x }}"} == stored["blocks"]
    assert template == Template.from_dict(stored)
    assert "Hi 1!" == Renderer(Template.from_dict(stored)).render_row({"x": 1})


def test_a_snapshot_without_its_block_is_refused() -> None:
    stored = make_template("{% include 'footer' %}", FOOTER).as_dict()

    with pytest.raises(TemplateError, match="1 problem"):
        Template.from_dict({**stored, "blocks": {}})


def test_another_text_of_a_block_makes_another_snapshot() -> None:
    one, other = (make_template("{% include 'a' %}", {"a": text}) for text in "xy")

    assert one != other
    assert one.as_dict() != other.as_dict()


def test_the_problems_of_a_file_begin_with_the_path_of_the_block(tmp_path: Path) -> None:
    write(tmp_path, {"fr/sale.sms.j2": "---\n---\n{% include 'end/bad' %}"})
    write(tmp_path, {"blocks/end/bad.j2": "\n{{ _x }}"})
    with pytest.raises(TemplateError) as found:
        find_template("fr/sale", tmp_path)
    with pytest.raises(TemplateError) as loaded:
        load_template(tmp_path / "fr" / "sale.sms.j2")

    assert f"{tmp_path}/blocks/end/bad.j2:2: body: '_x'" in str(found.value.facts["problems"])
    assert found.value.facts["problems"] == loaded.value.facts["problems"]


def test_the_nearest_folder_of_blocks_counts_up_to_that_of_the_templates(tmp_path: Path) -> None:
    top = tmp_path / "templates"
    sale = top / "fr" / "sale.sms.j2"
    write(tmp_path, {"blocks/x.j2": "outside", "templates/fr/sale.sms.j2": "---\n---\nHi"})

    assert {} == dict(blocks_near(sale, root=top))
    assert {"x": "outside"} == dict(blocks_near(sale))
    write(top, {"blocks/x.j2": "top"})
    assert {"x": "top"} == dict(blocks_near(sale, root=top)) == dict(blocks_near(sale))
    write(top, {"fr/blocks/x.j2": "near"})
    assert {"x": "near"} == dict(blocks_near(sale, root=top)) == dict(blocks_near(sale))


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "a/../../secret", "", ".", "a//b", "x" * 300]
)
def test_no_name_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    write(tmp_path, {"secret.j2": "x", "blocks/a/b.j2": "y"})
    blocks = BlockFolder(tmp_path / "blocks")

    assert name not in blocks
    [found] = problems_of(f"{{% include '{name}' %}}", blocks)
    assert f"no such block '{name}'" in found


def test_a_file_of_blocks_is_read_as_a_template_is(tmp_path: Path) -> None:
    (tmp_path / "a.j2").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n")
    (tmp_path / "bad.j2").write_bytes(b"\xff")
    blocks = BlockFolder(tmp_path)

    assert "one\ntwo" == blocks["a"]
    assert 2 == len(blocks)
    assert ["sale.sms.j2:3: body: block 'bad': the block is not UTF-8"] == problems_of(
        "{% include 'bad' %}", blocks
    )


def test_a_block_may_be_empty() -> None:
    assert "Hi" == render_one("Hi{% include 'a' %}", {"a": ""})


PIECES = st.sampled_from(["a", "\n", "{{ x }}", "{% if x %}y{% endif %}", "é", "{{ n + 1 }}", "-"])


@given(st.lists(PIECES, max_size=6), st.lists(PIECES, max_size=6), st.sampled_from([1, "one"]))
def test_a_text_with_blocks_gives_what_it_gives_written_out(
    first: list[str], second: list[str], n: object
) -> None:
    block, inner = "".join(first), "".join(second)
    blocks = {"b": f"{block}{{% include 'c' %}}", "c": inner}
    made = render_one("Hi {% include 'b' %}.", blocks, x="X", n=n)
    plain = render_one(f"Hi {block}{inner}.", {}, x="X", n=n)

    assert made == plain or (isinstance(made, Failed) and isinstance(plain, Failed))
