"""Coverage-guided fuzzing of the file reader: `python -m tests.fuzz.fuzz_tables -max_total_time=120 [CORPUS]`; the
whole suite does so too, for `FUZZ_SECONDS`.

Anything but a refusal with a reason is a crash: tables of text, and workbooks up to the child process.
"""

import io
import sys
import tempfile
from pathlib import Path
from types import FunctionType
from zoneinfo import ZoneInfo

from orders.sheets.budget import check_workbook, is_workbook
from orders.sheets.fields import BY_NAME
from orders.sheets.orders import read_order
from orders.sheets.plan import Plan
from orders.sheets.problems import UnreadableFile, sentence
from orders.sheets.profiles import HEADINGS, columns_for, recognise
from orders.sheets.rows import read_rows
from orders.sheets.sniffing import sniff_text
from orders.sheets.values import DateStyle, NumberStyle

ROME = ZoneInfo("Europe/Rome")
TABLE = "order;placed_at;sku;quantity;unit_amount;email;ship_country\n1;31/12/2026;A;5,0;1.234,50;a@b.it;IT\n"
SEEDS = (
    TABLE.encode(),
    TABLE.replace(";", ",").encode("utf-16"),
    TABLE.replace(";", "\t").encode("cp1252"),
    b"sep=;\n" + TABLE.encode(),
    (
        b"Name,Created at,Lineitem quantity,Lineitem name,Financial Status,Id\n"
        b'#1,2026-03-01 10:00:00 +0100,1,"a\nb",paid,7\n'
    ),
    b"PK\x03\x04",
)


def one(content: bytes) -> None:
    """Read one file as the desk would."""
    file = io.BytesIO(content)
    try:
        if is_workbook(content):
            check_workbook(file)
            return
        reading = sniff_text(file, HEADINGS)
    except UnreadableFile as refusal:
        str(refusal)
        return
    columns = columns_for(reading.header, recognise(reading.header))
    places = {name: reading.header.index(heading) for name, heading in columns.items()}
    assert set(places) <= set(BY_NAME)
    plan = Plan(places, reading.header, NumberStyle.POINT, DateStyle.DAY_FIRST, ROME, "EUR")
    for row in read_rows(file, reading):
        if row.fault is None and not row.is_footer and {"order", "quantity", "placed_at"} <= set(places):
            read = read_order("K", [(row.line, row.cells)], plan)
            assert (read.order is None) == bool(read.problems)
            for problem in read.problems:
                sentence(problem)


def main() -> None:
    import atheris

    from tests import environment

    environment.prepare()
    # Only ours: all that is loaded would take minutes.
    for name, module in list(sys.modules.items()):
        if name.startswith("orders.sheets."):
            for function in vars(module).values():
                if isinstance(function, FunctionType) and function.__module__ == name:
                    atheris.instrument_func(function)
    with tempfile.TemporaryDirectory() as corpus:
        for place, seed in enumerate(SEEDS):
            (Path(corpus) / str(place)).write_bytes(seed)
        atheris.Setup([*sys.argv, corpus], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
