"""The demo's shop: coffee, kitchen and home goods from Torino. 292 SKUs and eight kits, three locations."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from config.demo.ranges import ranged_goods


@dataclass(frozen=True, slots=True)
class Product:
    code: str
    title: str
    price: Decimal
    barcode: str
    weight_grams: int


@dataclass(frozen=True, slots=True)
class Kit:
    """`parts` are (SKU code, units a kit, weight of its price)."""

    code: str
    title: str
    price: Decimal
    parts: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Place:
    code: str
    name: str
    city: str
    postal_code: str
    line1: str
    preference: int


PLACES = (
    Place("TO", "Torino", "Torino", "10123", "Via Po 18", 10),
    Place("BO", "Bologna", "Bologna", "40126", "Via Zamboni 7", 20),
    Place("NA", "Napoli", "Napoli", "80134", "Via Toledo 201", 30),
)

# Few of these are in stock, so that a queue forms.
SCARCE = ("JUG-05", "CUP-BL", "GRI-EL", "LAM-45-BRA", "TCL-8-SAG", "DUV-M-TER")
# Each lies at one place only, so that an order of both leaves in two parcels.
ONLY_HERE, ONLY_THERE = "CST-25-BRA", "RUG-90-SAG"

# Family: (code, title, [(variant code, variant words, price, grams)])
# ruff: noqa: E501  (one family a line reads as a table)
_FAMILIES = (
    ("MOK", "Moka pot", (("1-AL", "1 cup", "18.90", 310), ("3-AL", "3 cups", "22.90", 420), ("6-AL", "6 cups", "28.90", 610),
                         ("9-AL", "9 cups", "36.50", 880), ("6-ST", "6 cups, steel", "49.90", 760))),
    ("ARA", "Arabica beans", (("250", "250 g", "5.90", 260), ("500", "500 g", "9.90", 515), ("1000", "1 kg", "17.50", 1020))),
    ("ROB", "Robusta beans", (("250", "250 g", "4.90", 260), ("500", "500 g", "8.50", 515), ("1000", "1 kg", "14.90", 1020))),
    ("DEC", "Decaf beans", (("250", "250 g", "6.40", 260), ("500", "500 g", "10.90", 515))),
    ("CAP", "Coffee capsules", (("10", "10 pieces", "3.90", 90), ("50", "50 pieces", "17.90", 430), ("100", "100 pieces", "33.00", 850))),
    ("CUP", "Espresso cup", (("WH", "white", "4.50", 140), ("BK", "black", "4.50", 140), ("RD", "red", "4.80", 140), ("BL", "blue", "4.80", 140))),
    ("MUG", "Mug", (("WH", "white", "7.90", 330), ("BK", "black", "7.90", 330), ("GR", "green", "8.40", 330))),
    ("JUG", "Milk jug", (("03", "0.3 l", "9.90", 180), ("05", "0.5 l", "11.60", 240), ("10", "1 l", "16.90", 390))),
    ("GRI", "Coffee grinder", (("HA", "by hand", "39.00", 700), ("EL", "electric", "89.00", 1900))),
    ("TAM", "Tamper", (("51", "51 mm", "19.50", 350), ("58", "58 mm", "22.50", 420))),
    ("FIL", "Paper filters", (("02", "size 2", "2.40", 70), ("04", "size 4", "2.80", 90))),
    ("DRI", "Dripper", (("CE", "ceramic", "21.00", 450), ("PL", "plastic", "8.90", 120))),
    ("PRE", "French press", (("3", "3 cups", "19.90", 520), ("8", "8 cups", "29.90", 790))),
    ("KET", "Kettle", (("EN", "enamel", "34.00", 980), ("SW", "swan neck", "47.00", 870))),
    ("TIN", "Storage tin", (("S", "small", "6.90", 150), ("M", "medium", "8.90", 220), ("L", "large", "11.90", 310))),
    ("SPO", "Spoons", (("6", "set of 6", "12.90", 160), ("12", "set of 12", "22.90", 310))),
    ("GAS", "Moka gasket", (("3", "3 cups", "2.20", 15), ("6", "6 cups", "2.50", 18), ("9", "9 cups", "2.90", 22))),
    ("SUG", "Sugar", (("CA", "cane, 500 g", "3.20", 510), ("WH", "white, 1 kg", "1.90", 1010))),
    ("BIS", "Biscuits", (("AM", "amaretti", "4.60", 210), ("BD", "baci di dama", "6.80", 190), ("CT", "cantucci", "5.20", 230))),
    ("CHO", "Chocolate", (("DK", "dark", "3.60", 105), ("GI", "gianduja", "4.20", 105), ("ML", "milk", "3.20", 105))),
    ("APR", "Apron", (("BL", "blue", "18.00", 240), ("RD", "red", "18.00", 240))),
    ("TOW", "Tea towel", (("ST", "striped", "6.50", 90), ("CH", "checked", "6.50", 90))),
)  # fmt: skip

KITS = (
    Kit(
        "KIT-BREAKFAST",
        "Breakfast set: moka pot, beans, two cups",
        Decimal("49.90"),
        (("MOK-6-AL", 1, 58), ("ARA-1000", 1, 35), ("CUP-WH", 2, 9)),
    ),
    Kit(
        "KIT-FILTER",
        "Filter starter set: dripper, two packs of filters",
        Decimal("12.90"),
        (("DRI-PL", 1, 89), ("FIL-02", 2, 24)),
    ),
    Kit(
        "KIT-TABLE-2",
        "Table for two: four plates, two bowls, tumblers",
        Decimal("98.00"),
        (("PLT-27-CRE", 4, 66), ("BWL-14-CRE", 2, 22), ("TUM-25-CLE", 1, 22)),
    ),
    Kit(
        "KIT-BED",
        "Bed in white linen: duvet cover and two pillowcases",
        Decimal("189.00"),
        (("DUV-M-WHI", 1, 149), ("PIL-50-WHI", 2, 64)),
    ),
    Kit(
        "KIT-BATH",
        "Bath set in sand: two towels of each size",
        Decimal("119.00"),
        (("BTW-S-SAN", 2, 20), ("BTW-M-SAN", 2, 40), ("BTW-L-SAN", 2, 84)),
    ),
    Kit(
        "KIT-CANDLES",
        "Three small candles: fig, lemon and basil, cedar",
        Decimal("49.00"),
        (("CDL-180-FIG", 1, 19), ("CDL-180-LEM", 1, 19), ("CDL-180-CED", 1, 19)),
    ),
    Kit(
        "KIT-GALLERY",
        "Gallery wall in oak: five frames",
        Decimal("119.00"),
        (("FRA-13-OAK", 2, 32), ("FRA-20-OAK", 2, 48), ("FRA-50-OAK", 1, 49)),
    ),
    Kit(
        "KIT-HERBS",
        "Kitchen herbs: four terracotta pots",
        Decimal("29.00"),
        (("TPO-12-TER", 4, 1),),
    ),
)


def products() -> Iterator[Product]:
    for number, (code, title, price, grams) in enumerate(_goods(), start=1):
        yield Product(code, title, Decimal(price), ean13(800100000000 + number * 7), grams)


def _goods() -> Iterator[tuple[str, str, str, int]]:
    for family, title, variants in _FAMILIES:
        for code, words, price, grams in variants:
            yield f"{family}-{code}", f"{title}, {words}", price, grams
    yield from ranged_goods()


def ean13(stem: int) -> str:
    """Twelve digits with their check digit. Source: GS1 General Specifications, 7.9."""
    digits = [int(digit) for digit in f"{stem:012d}"]
    total = sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{stem:012d}{-total % 10}"
