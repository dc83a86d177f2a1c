"""Workbooks that want to hurt: small on disk, large when they are opened."""

import io
import zipfile

TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
)
RELS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" '
    'Target="{target}"/></Relationships>'
)
BOOK = (
    '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
    '<sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
SHEET = '<?xml version="1.0"?>{doctype}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{body}</worksheet>'


def cell(place: str, text: str = "x") -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def workbook(
    body: str, *, doctype: str = "", more: dict[str, bytes] | None = None, types: str = TYPES
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("_rels/.rels", RELS.format(kind="officeDocument", target="xl/workbook.xml"))
        archive.writestr("xl/workbook.xml", BOOK)
        archive.writestr(
            "xl/_rels/workbook.xml.rels", RELS.format(kind="worksheet", target="worksheets/sheet1.xml")
        )
        archive.writestr("xl/worksheets/sheet1.xml", SHEET.format(doctype=doctype, body=body))
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    return out.getvalue()


def table(*rows: tuple[str, ...]) -> bytes:
    """A plain workbook of text cells."""
    body = "".join(
        f'<row r="{number}">'
        + "".join(cell(f"{chr(64 + place)}{number}", text) for place, text in enumerate(row, start=1) if text)
        + "</row>"
        for number, row in enumerate(rows, start=1)
    )
    return workbook(f"<sheetData>{body}</sheetData>")


def repeated(text: str, rows: int, columns: int) -> bytes:
    """A text that is kept once and stands in many cells."""
    shared = (
        '<Override PartName="/xl/sharedStrings.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
    )
    cells = "".join(f'<c r="{chr(65 + place)}{{0}}" t="s"><v>0</v></c>' for place in range(columns))
    body = "".join(f'<row r="{n}">{cells.format(n)}</row>' for n in range(1, rows + 1))
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    strings = f'<?xml version="1.0"?><sst xmlns="{space}"><si><t>{text}</t></si></sst>'
    return workbook(
        f"<sheetData>{body}</sheetData>",
        more={"xl/sharedStrings.xml": strings.encode()},
        types=TYPES.replace("</Types>", shared),
    )


def last_cell() -> bytes:
    """One cell in the last row and column: 6 GiB in a careless reader."""
    return workbook(f'<sheetData><row r="1048576">{cell("XFD1048576")}</row></sheetData>')


def wide_dimension() -> bytes:
    """A million rows of a declared width."""
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(1, 250_000))
    return workbook(f'<dimension ref="A1:XFD1048576"/><sheetData>{rows}</sheetData>')


def swollen() -> bytes:
    """A part that unpacks to a thousand times its size."""
    return workbook("<sheetData/>", more={"xl/media/a.xml": b" " * 150_000_000})


def too_large() -> bytes:
    """More than the budget in honest parts."""
    return workbook(
        "<sheetData/>", more={f"xl/media/{n}.xml": bytes(range(256)) * 4096 * 50 for n in range(5)}
    )


def many_parts() -> bytes:
    return workbook("<sheetData/>", more={f"xl/x{n}": b"" for n in range(2_001)})


def many_sheets() -> bytes:
    return workbook("<sheetData/>", more={f"xl/worksheets/sheet{n}.xml": b"<a/>" for n in range(2, 502)})


BOMBS = {
    "last cell": (last_cell, "goes down to row 1048576; the limit is 200000 rows"),
    "wide dimension": (wide_dimension, "the limit is 200000 rows"),
    "swollen part": (swollen, "times; the limit is 100"),
    "too large": (too_large, "expands to 250 MiB; the limit is 200 MiB"),
    "many parts": (many_parts, "parts; the limit is 2000"),
    "many sheets": (many_sheets, "501 sheets; the limit is 50"),
}
