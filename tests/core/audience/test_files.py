from __future__ import annotations

import csv
import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.audience.csv_file import RECORD_BYTES, SAMPLE_BYTES
from smsflow_provider.core.audience.csv_lines import sniff_delimiter
from smsflow_provider.core.audience.file_options import BadLines, FileOptions
from smsflow_provider.core.audience.files import FileBatches
from smsflow_provider.core.audience.source import all_columns, told_by
from smsflow_provider.core.errors import AudienceError


def read(data: bytes, **settings: Any) -> pa.Table:
    options = FileOptions(**settings)
    source = FileBatches(lambda: io.BytesIO(data), label="people.csv", options=options)
    return pa.Table.from_batches(source.batches())


def refusal(data: bytes, **settings: Any) -> AudienceError:
    with pytest.raises(AudienceError) as caught:
        read(data, **settings)
    return caught.value


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_csv_is_read_whatever_its_delimiter_newline_and_mark(
    delimiter: str, newline: str, mark: str
) -> None:
    lines = [["id", "phone"], ["1", "+33 6"], ["2", "0612"]]
    text = mark + newline.join(delimiter.join(line) for line in lines) + newline

    assert {"id": ["1", "2"], "phone": ["+33 6", "0612"]} == read(text.encode()).to_pydict()


def test_every_cell_is_text_as_it_stands() -> None:
    data = b"a,b,c,d,e\n0612,1.0,,NULL, true \n"

    assert [{"a": "0612", "b": "1.0", "c": "", "d": "NULL", "e": " true "}] == (
        read(data).to_pylist()
    )


def test_quotes_hold_delimiters_quotes_and_new_lines() -> None:
    data = b'id;"the ""name"""\n1;"Dupont; ""Al""\nbert"\n'

    assert {"id": ["1"], 'the "name"': ['Dupont; "Al"\nbert']} == read(data).to_pydict()


def test_names_lose_the_blanks_around_them_and_keep_their_columns_text() -> None:
    assert {"id": ["01"], "phone": ["06"]} == read(b" id , phone\n01,06\n").to_pydict()


@pytest.mark.parametrize("data", [b"phone,id", b"phone,id\n", b"\n\nphone,id\r\n\r\n"])
def test_a_header_alone_still_tells_the_columns(data: bytes) -> None:
    table = read(data)

    assert (["phone", "id"], 0) == (table.column_names, table.num_rows)


def test_blank_lines_are_no_rows() -> None:
    assert ["1", "2"] == read(b"\n\nid,phone\n1,a\n\n\n2,b\n").column("id").to_pylist()


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_said_to_be_empty(data: bytes) -> None:
    assert "not even a header" in str(refusal(data))


def test_all_bad_lines_are_told_at_once_by_number() -> None:
    data = b'id;phone;name\n1;"06";"a\nb"\n2;0612345678\n\n3;x;y;z\n4;06;c\n5;q\n'
    error = refusal(data)

    assert [
        "line 4: 2 cells instead of 3",
        "line 6: 4 cells instead of 3",
        "line 8: 2 cells instead of 3",
    ] == error.facts["lines"]
    assert (3, "people.csv", ";") == tuple(error.facts[k] for k in ("count", "file", "delimiter"))
    assert "0612345678" not in str(error)


def test_beyond_twenty_bad_lines_are_counted() -> None:
    error = refusal(b"id,phone\n1,a\n" + b"x\n" * 5000)

    assert 5000 == error.facts["count"]
    assert [f"line {line}: 1 cells instead of 2" for line in range(3, 23)] == error.facts["lines"]


def test_bytes_that_are_no_text_are_bad_lines() -> None:
    error = refusal("id,name\n1,ok\n2,José\n3,Zoë\n".encode("latin-1"))

    assert ["line 3: not utf-8", "line 4: not utf-8"] == error.facts["lines"]
    assert "Jos" not in str(error)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-8-sig"])
def test_another_encoding_can_be_stated(encoding: str) -> None:
    data = "id,name\n1,José\n".encode(encoding)

    assert ["José"] == read(data, encoding=encoding).column("name").to_pylist()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_a_byte_order_mark_says_the_encoding(encoding: str) -> None:
    assert ["José"] == read("id,name\n1,José\n".encode(encoding)).column("name").to_pylist()


def test_utf_16_without_a_mark_is_recognised_but_not_guessed() -> None:
    data = "id,name\n1,José\n".encode("utf-16-le")

    assert ["utf-16-le", "utf-16-be"] == refusal(data).facts["likely"]
    assert ["José"] == read(data, encoding="utf-16-le").column("name").to_pylist()


def test_a_mark_against_the_stated_encoding_is_told() -> None:
    error = refusal("id,name\n1,José\n".encode("utf-8-sig"), encoding="cp1252")

    assert ("utf-8", "cp1252") == (error.facts["marked"], error.facts["stated"])


def test_bytes_that_are_no_utf_8_name_what_they_may_be() -> None:
    error = refusal("id,name\n1,José\n2,L’Été à 5€\n".encode("cp1252"))

    assert "cp1252 (Western Europe, Windows)" in str(error.facts["likely_encodings"])


def test_a_quote_left_open_before_the_end_loses_nobody_in_silence() -> None:
    error = refusal(b'id,phone\n1,"06\n2,07\n3,08\n')

    assert "a quote is never closed" in str(error.facts["lines"])
    assert "08" not in str(error)


def test_an_odd_quote_within_a_cell_is_a_character() -> None:
    assert ['5" pipe'] == read(b'id,name\n1,5" pipe\n').column("name").to_pylist()


def source_of(data: bytes, *wanted: str, **settings: Any) -> FileBatches:
    return FileBatches(
        lambda: io.BytesIO(data),
        label="people.csv",
        options=FileOptions(**settings),
        pick=(lambda _: wanted) if wanted else all_columns,
    )


def test_bad_lines_may_be_skipped_and_are_counted_by_number() -> None:
    data = 'id;phone\n1;06\n2\n3;07;x\n4;08\nJosé;09\n6;10\n7;"1\n1"\n'.encode("cp1252")
    source = source_of(data, bad_lines=BadLines.SKIP)

    table = pa.Table.from_batches(source.batches())
    assert {"id": ["1", "4", "6", "7"], "phone": ["06", "08", "10", "1\n1"]} == table.to_pydict()
    assert {
        "file": "people.csv",
        "format": "csv",
        "delimiter": ";",
        "encoding": "utf-8",
        "bad_lines": 3,
        "first_bad_lines": [
            "line 3: 1 cells instead of 2",
            "line 4: 3 cells instead of 2",
            "line 6: not utf-8",
        ],
    } == told_by(source)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "ascii"])
def test_skipping_reads_any_encoding(encoding: str) -> None:
    data = "id,name\n1,Jose\n2\n3,Ann\n".encode(encoding)
    source = source_of(data, encoding=encoding, bad_lines=BadLines.SKIP)

    assert ["Jose", "Ann"] == pa.Table.from_batches(source.batches()).column("name").to_pylist()
    assert ["line 3: 1 cells instead of 2"] == told_by(source)["first_bad_lines"]


def test_bytes_of_another_encoding_are_skipped_even_where_two_would_be_utf_8() -> None:
    source = source_of("id\né\nb\nc\n".encode(), encoding="ascii", bad_lines=BadLines.SKIP)

    assert ["b", "c"] == pa.Table.from_batches(source.batches()).column("id").to_pylist()
    assert ["line 2: not ascii"] == told_by(source)["first_bad_lines"]


@pytest.mark.parametrize(
    "data", [b"id,phone\n1,06\n2\n3\n", b'id,phone\n1,06\n2,"07\n3,08\n4,09\n']
)
def test_skipping_does_not_excuse_a_file_read_wrongly(data: bytes) -> None:
    assert "lines" in refusal(data, bad_lines=BadLines.SKIP).facts


def test_only_wanted_columns_of_a_csv_are_made_in_the_file_order() -> None:
    data = "id,name,phone,name\n1,a,06,b\n2,José,07,c\n".encode("cp1252")
    table = pa.Table.from_batches(source_of(data, "phone", "id").batches())

    assert {"id": ["1", "2"], "phone": ["06", "07"]} == table.to_pydict()


@settings(deadline=None, max_examples=60)
@given(
    lines=st.lists(
        st.one_of(
            st.tuples(st.just(True), st.integers(0, 99).map(lambda n: f"{n},é{n}".encode())),
            st.tuples(st.just(False), st.sampled_from([b"x", b"a,b,c", b"\xe9,b", b"a,\xff"])),
        ),
        max_size=30,
    )
)
def test_skipping_keeps_every_good_line_and_counts_every_bad_one(
    lines: list[tuple[bool, bytes]],
) -> None:
    good = [line.decode().split(",") for is_good, line in lines if is_good]
    bad = len(lines) - len(good)
    data = b"\n".join([b"a,b", *(line for _, line in lines), b""])
    source = source_of(data, bad_lines=BadLines.SKIP)
    if bad > len(good):
        assert bad == refusal(data, bad_lines=BadLines.SKIP).facts["count"]
        return
    table = pa.Table.from_batches(source.batches())
    assert good == [list(row.values()) for row in table.to_pylist()]
    assert bad == told_by(source).get("bad_lines", 0)


@pytest.mark.parametrize(("start", "packing"), [(b"\x1f\x8b\x08", "gzip"), (b"PK\x03\x04", "zip")])
def test_a_packed_file_is_recognised(start: bytes, packing: str) -> None:
    error = refusal(start + b"....")

    assert {"file": "people.csv", "packing": packing} == error.facts


def test_a_quote_that_is_never_closed_is_told() -> None:
    rows = (b"x" * 999 + b",06\n") * (RECORD_BYTES // 1000)

    assert "lines" in refusal(b'id,phone\n"1,2\n' + rows).facts


def test_a_stated_delimiter_wins() -> None:
    assert ["a;b"] == read(b"x;y,z\na;b,c\n", delimiter=",").column("x;y").to_pylist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id;name\n1;Dupont, Marie\n2;Durand, Paul, Jr\n", ";"),
        ("phone\n06\n", ","),
        ("a|b|c\n1|2|3\n", "|"),
        ("a\tb,c\n1\t2,3\n", ","),
        ('"a;b","c"\n"1;2","3"\n', ","),
        ("", ","),
    ],
)
def test_the_delimiter_is_the_one_that_cuts_all_lines_alike(text: str, expected: str) -> None:
    assert expected == sniff_delimiter(text)


def test_a_sample_may_end_within_a_record() -> None:
    row = "1;" + "x" * 1000 + ";2\n"
    data = ("a;b;c\n" + row * (SAMPLE_BYTES // 500)).encode()

    assert SAMPLE_BYTES // 500 == read(data).num_rows


@settings(deadline=None)
@given(
    rows=st.lists(
        st.lists(
            st.text(
                alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"),
                min_size=1,
                max_size=8,
            ),
            min_size=3,
            max_size=3,
        ),
        min_size=1,
        max_size=8,
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
)
def test_what_the_standard_library_wrote_is_read_as_it_was(
    rows: list[list[str]], delimiter: str
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])

    table = read(out.getvalue().encode(), delimiter=delimiter)
    assert rows == [list(row.values()) for row in table.to_pylist()]


def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def test_a_parquet_file_is_recognised_by_its_first_bytes() -> None:
    table = pa.table({"phone": ["a", None], "n": [1, 2]})

    assert table.to_pylist() == read(parquet(table)).to_pylist()


def test_an_empty_parquet_file_still_tells_its_columns() -> None:
    table = read(parquet(pa.table({"phone": pa.array([], pa.string())})))

    assert (["phone"], 0) == (table.column_names, table.num_rows)


def test_only_wanted_columns_of_a_parquet_file_are_read() -> None:
    data = parquet(pa.table({"phone": ["a"], "n": [1], "id": [2]}))

    table = pa.Table.from_batches(source_of(data, "phone", "id").batches())
    assert ["phone", "id"] == table.column_names
    assert [{"phone": "a", "id": 2}] == table.to_pylist()


def test_a_parquet_file_that_is_cut_off_is_told() -> None:
    whole = parquet(pa.table({"phone": ["a"] * 100}))

    assert "cut off" in str(refusal(whole[: len(whole) // 2]))


def test_a_million_cells_leave_the_memory_alone() -> None:
    """Batches are handed out while the file is still being read."""
    data = b"id,phone\n" + b"1,+33612345678\n" * 1_000_000
    batches = FileBatches(lambda: io.BytesIO(data), label="f").batches()

    assert max(batch.num_rows for batch in batches) < 400_000
