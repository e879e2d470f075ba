from __future__ import annotations

import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]

from smsflow_provider.core.audience.build import build_audience
from smsflow_provider.core.audience.excel import ExcelBatches
from smsflow_provider.core.audience.file_options import FileOptions
from smsflow_provider.core.audience.files import FileBatches
from smsflow_provider.core.audience.source import all_columns, told_by
from smsflow_provider.core.errors import AudienceError
from tests.core.audience.people import rows_of

Rows = list[list[Any]]


def book_of(sheets: dict[str, Rows], *, hidden: tuple[str, ...] = ()) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if isinstance(cell, date):
                        sheet.write_datetime(row, column, cell, day)
                    elif cell is not None:
                        sheet.write(row, column, cell)
            if name in hidden:
                sheet.hide()
    return out.getvalue()


def source_of(data: bytes, *wanted: str, sheet: str | None = None) -> FileBatches:
    return FileBatches(
        lambda: io.BytesIO(data),
        label="people.xlsx",
        options=FileOptions(sheet=sheet),
        pick=(lambda _: wanted) if wanted else all_columns,
    )


def read(data: bytes, *wanted: str, sheet: str | None = None) -> list[dict[str, Any]]:
    batches = list(source_of(data, *wanted, sheet=sheet).batches())
    assert [batches[0].schema.names] * len(batches) == [one.schema.names for one in batches]
    return [row for batch in batches for row in batch.to_pylist()]


def refusal(data: bytes, **settings: Any) -> AudienceError:
    with pytest.raises(AudienceError) as caught:
        read(data, **settings)
    return caught.value


def test_numbers_keep_their_digits_and_dates_are_dates() -> None:
    moment = datetime(2026, 5, 4, 10, 30)  # noqa: DTZ001  Excel knows no zones
    rows: Rows = [
        ["phone", "points", "share", "born", "seen", "ok"],
        [33612345678, 3, 0.5, date(1990, 2, 3), moment, True],
        [33612345679, 0, 2, date(2001, 1, 1), date(2026, 1, 1), False],
    ]

    assert [
        {
            "phone": 33612345678,
            "points": 3,
            "share": 0.5,
            "born": date(1990, 2, 3),
            "seen": moment,
            "ok": True,
        },
        {
            "phone": 33612345679,
            "points": 0,
            "share": 2.0,
            "born": date(2001, 1, 1),
            "seen": datetime(2026, 1, 1),  # noqa: DTZ001  Excel knows no zones
            "ok": False,
        },
    ] == read(book_of({"People": rows}))


def test_a_text_far_down_a_column_of_numbers_is_not_lost() -> None:
    rows: Rows = [["phone"], *([[612345678]] * 1500), ["+33 6 12"]]
    found = [row["phone"] for row in read(book_of({"People": rows}))]

    assert ["612345678"] * 1500 + ["+33 6 12"] == found


def test_blank_rows_are_no_rows_and_blank_cells_stay_empty() -> None:
    rows: Rows = [["phone", "name"], ["06", None], [None, None], [None, "Ann"], [None, None]]

    assert [{"phone": "06", "name": None}, {"phone": None, "name": "Ann"}] == (
        read(book_of({"People": rows}))
    )


def test_a_header_alone_still_tells_the_columns() -> None:
    (batch,) = source_of(book_of({"People": [["id", "phone"]]})).batches()

    assert (["id", "phone"], 0) == (batch.schema.names, batch.num_rows)


def test_names_that_are_there_twice_are_not_renamed() -> None:
    data = book_of({"People": [["id", "id", " phone "], [1, 2, "06"]]})
    (first, *_) = source_of(data).batches()

    assert ["id", "id", "phone"] == first.schema.names


def test_only_wanted_columns_are_read() -> None:
    rows: Rows = [["id", "name", "phone"], [1, "Ann", "06"]]

    assert [{"id": 1, "phone": "06"}] == read(book_of({"People": rows}), "phone", "id")


def test_the_only_sheet_people_see_is_read() -> None:
    data = book_of({"People": [["phone"], ["06"]], "Notes": [["x"]]}, hidden=("Notes",))
    source = source_of(data)

    assert ["06"] == [row["phone"] for batch in source.batches() for row in batch.to_pylist()]
    assert {"file": "people.xlsx", "format": "excel", "sheet": "People"} == told_by(source)


def test_of_several_sheets_one_must_be_named() -> None:
    data = book_of({"March": [["phone"], ["06"]], "April": [["phone"], ["07"]]})

    assert ["March", "April"] == refusal(data).facts["sheets"]
    assert "did you mean 'April'" in str(refusal(data, sheet="Aprl"))
    assert [{"phone": "07"}] == read(data, sheet="April")


def test_an_empty_sheet_is_said_to_be_empty() -> None:
    assert "not even a header" in str(refusal(book_of({"People": []})))


@pytest.mark.parametrize("data", [b"\xd0\xcf\x11\xe0 old", b"PK\x03\x04" + b" " * 26 + b"xl/"])
def test_what_begins_as_excel_but_is_none_is_told(data: bytes) -> None:
    assert "password" in str(refusal(data))


def test_without_the_extra_the_error_says_what_to_install() -> None:
    source = ExcelBatches(b"", label="people.xlsx", library="no_such_library")

    with pytest.raises(AudienceError, match=r"smsflow-provider\[excel\]"):
        list(source.batches())


def test_a_spreadsheet_becomes_an_audience_with_phones_as_texts(tmp_path: Path) -> None:
    rows: Rows = [["phone", "points"], [33612345678, 3], [612345678, 4]]

    source = source_of(book_of({"People": rows}))
    reference = build_audience(source, target=tmp_path / "who.parquet")
    assert reference is not None
    assert [("1", "33612345678", 3), ("2", "612345678", 4)] == rows_of(reference)


def test_a_zip_of_something_else_is_still_packed() -> None:
    error = refusal(b"PK\x03\x04" + b" " * 26 + b"people.csv")

    assert "zip" == error.facts["packing"]


def test_a_cell_far_from_the_people_is_told_before_it_fills_the_memory() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["phone"])
        sheet.write(1_048_575, 16_383, "x")

    error = refusal(out.getvalue())
    assert "too large" in str(error)
    assert 2**34 == error.facts["cells"]


def test_a_file_that_unpacks_without_end_is_refused() -> None:
    data = book_of({"S": [["phone"], ["+33612345678"]]})

    with pytest.raises(AudienceError, match="too large"):
        list(ExcelBatches(data, label="people.xlsx", most_unpacked=1_000).batches())
