"""Reading the code blocks of a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.blocks import Block, blocks, blocks_of
from tests.docs.tables import TABLES, filled, table

PAGE = """\
# A page

```bash
echo 1
```

<!-- test: rest -->

```bash
echo 2
echo 3
```

- an item

  ```python
  x = 1
  if x:
      y = 2
  ```

<!-- test: lost -->
Some words.
```
plain
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page with four blocks."""
    path = tmp_path / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    return path


def test_blocks_come_by_language_and_in_order(page: Path) -> None:
    assert ["echo 1\n", "echo 2\necho 3\n"] == blocks(page, "bash")
    assert [] == blocks(page, "ruby")


def test_a_mark_belongs_to_the_next_block_only(page: Path) -> None:
    assert ["echo 2\necho 3\n"] == blocks(page, "bash", mark="rest")
    assert ["", "rest", "", ""] == [block.mark for block in blocks_of(page)]


def test_words_between_a_mark_and_a_block_part_them(page: Path) -> None:
    assert [] == blocks(page, "", mark="lost")
    assert ["plain\n"] == blocks(page, "")


def test_a_block_in_a_list_loses_the_indent_of_its_fence(page: Path) -> None:
    assert ["x = 1\nif x:\n    y = 2\n"] == blocks(page, "python")


def test_a_block_knows_its_line(page: Path) -> None:
    assert Block(language="bash", text="echo 1\n", line=3) == blocks_of(page)[0]


def test_a_block_that_is_never_closed_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "open.md"
    path.write_text("a\n\n```bash\necho 1\n", encoding="utf-8")

    with pytest.raises(ValueError, match=r"open\.md:3"):
        blocks_of(path)


def test_a_stale_table_is_written_anew_and_the_rest_is_left_alone() -> None:
    stale = "before\n<!-- table: moves -->\nold\n<!-- end -->\nafter\n"
    fresh = filled(stale)

    assert fresh == f"before\n<!-- table: moves -->\n{TABLES['moves']()}<!-- end -->\nafter\n"
    assert fresh == filled(fresh)


def test_a_table_has_a_head_a_rule_and_its_rows() -> None:
    assert "| a | b |\n| --- | --- |\n| 1 | 2 |\n" == table(("a", "b"), [("1", "2")])
