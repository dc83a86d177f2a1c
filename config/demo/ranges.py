"""Home goods that come in sizes and colours: a row a range, a SKU a size and colour."""

from collections.abc import Iterator
from typing import NamedTuple

# Sizes: (code, words, price in euros, grams). Colours: (code, words).
Size = tuple[str, str, str, int]
Colour = tuple[str, str]


class Range(NamedTuple):
    code: str
    title: str
    sizes: tuple[Size, ...]
    colours: tuple[Colour, ...]


_LINEN: tuple[Colour, ...] = (("NAT", "natural"), ("WHI", "white"), ("SAG", "sage"), ("TER", "terracotta"))
_COTTON: tuple[Colour, ...] = (
    ("WHI", "white"),
    ("SAN", "sand"),
    ("SKY", "sky blue"),
    ("OLI", "olive"),
    ("GRA", "graphite"),
)
_CLAY: tuple[Colour, ...] = (("CRE", "cream"), ("BLU", "cobalt"), ("OLI", "olive"), ("ROS", "rose"))
_WOOD: tuple[Colour, ...] = (("OAK", "oak"), ("WAL", "walnut"), ("BLK", "black"))
_METAL: tuple[Colour, ...] = (("BRA", "brass"), ("BLK", "black"))
_SCENTS: tuple[Colour, ...] = (
    ("FIG", "fig"),
    ("LEM", "lemon and basil"),
    ("LAV", "lavender"),
    ("CED", "cedar"),
)

# ruff: noqa: E501  (one range a line reads as a table)
RANGES = (
    Range("DUV", "Linen duvet cover", (("S", "150 × 200 cm", "119.00", 1150), ("M", "200 × 200 cm", "149.00", 1480), ("L", "250 × 200 cm", "169.00", 1790)), _LINEN),
    Range("SHE", "Percale sheet", (("S", "90 × 200 cm", "39.00", 520), ("M", "160 × 200 cm", "54.00", 760), ("L", "180 × 200 cm", "59.00", 840)), _LINEN),
    Range("PIL", "Linen pillowcase", (("50", "50 × 80 cm", "32.00", 210), ("65", "65 × 65 cm", "34.00", 230)), _LINEN),
    Range("THR", "Wool throw", (("130", "130 × 170 cm", "89.00", 980),), _COTTON),
    Range("BTW", "Bath towel", (("S", "30 × 50 cm", "9.90", 110), ("M", "50 × 100 cm", "19.90", 310), ("L", "100 × 150 cm", "42.00", 820)), _COTTON),
    Range("BMA", "Bath mat", (("60", "60 × 90 cm", "29.00", 740),), _COTTON),
    Range("TCL", "Linen tablecloth", (("4", "for 4", "49.00", 430), ("6", "for 6", "64.00", 590), ("8", "for 8", "79.00", 760)), _LINEN),
    Range("NAP", "Linen napkins, set of 4", (("45", "45 × 45 cm", "28.00", 190),), _LINEN),
    Range("RUN", "Table runner", (("150", "150 cm", "26.00", 160),), _LINEN),
    Range("CSH", "Cushion cover", (("45", "45 × 45 cm", "24.00", 150), ("60", "60 × 60 cm", "32.00", 220)), _COTTON),
    Range("PLT", "Stoneware plate", (("21", "21 cm", "12.50", 480), ("27", "27 cm", "16.50", 790), ("31", "31 cm", "21.00", 1050)), _CLAY),
    Range("BWL", "Stoneware bowl", (("14", "14 cm", "11.00", 350), ("18", "18 cm", "14.50", 560), ("24", "24 cm", "26.00", 980)), _CLAY),
    Range("TUM", "Glass tumbler, set of 4", (("25", "25 cl", "22.00", 780), ("35", "35 cl", "26.00", 960)), (("CLE", "clear"), ("AMB", "amber"), ("SMO", "smoke"))),
    Range("CAR", "Glass carafe", (("1L", "1 l", "27.00", 690),), (("CLE", "clear"), ("AMB", "amber"), ("SMO", "smoke"))),
    Range("VAS", "Ceramic vase", (("S", "18 cm", "24.00", 620), ("M", "26 cm", "38.00", 1180), ("L", "34 cm", "56.00", 1900)), _CLAY),
    Range("CDL", "Scented candle", (("180", "180 g", "19.00", 420), ("400", "400 g", "34.00", 860)), _SCENTS),
    Range("DIF", "Scent diffuser", (("200", "200 ml", "29.00", 480),), _SCENTS),
    Range("BSK", "Woven basket", (("S", "small", "18.00", 300), ("M", "medium", "28.00", 560), ("L", "large", "42.00", 940)), (("NAT", "natural"), ("WHI", "white"), ("BLK", "black"))),
    Range("LAM", "Table lamp", (("28", "28 cm", "69.00", 1400), ("45", "45 cm", "98.00", 2300)), (("BRA", "brass"), ("BLK", "black"), ("WHI", "white"))),
    Range("RUG", "Cotton rug", (("90", "60 × 90 cm", "35.00", 900), ("140", "70 × 140 cm", "58.00", 1600), ("200", "140 × 200 cm", "139.00", 4200)), (("SAN", "sand"), ("SAG", "sage"), ("TER", "terracotta"))),
    Range("TPO", "Terracotta pot", (("12", "12 cm", "7.90", 650), ("18", "18 cm", "13.90", 1400), ("25", "25 cm", "22.50", 2900)), (("TER", "terracotta"), ("WHI", "whitewashed"))),
    Range("FRA", "Picture frame", (("13", "13 × 18 cm", "16.00", 310), ("20", "20 × 30 cm", "24.00", 620), ("50", "50 × 70 cm", "49.00", 2100)), _WOOD),
    Range("MIR", "Wall mirror", (("40", "40 cm", "59.00", 2400), ("60", "60 cm", "89.00", 4300)), _WOOD),
    Range("TRA", "Serving tray", (("30", "30 cm", "29.00", 560), ("45", "45 cm", "39.00", 890)), _WOOD),
    Range("CBO", "Chopping board", (("30", "30 cm", "24.00", 700), ("42", "42 cm", "36.00", 1300)), _WOOD),
    Range("SHF", "Wall shelf", (("60", "60 cm", "45.00", 2100), ("90", "90 cm", "59.00", 3200)), _WOOD),
    Range("CLK", "Wall clock", (("25", "25 cm", "44.00", 720), ("35", "35 cm", "58.00", 1150)), _WOOD),
    Range("STL", "Stool", (("45", "45 cm", "79.00", 3400),), _WOOD),
    Range("MIL", "Pepper mill", (("16", "16 cm", "27.00", 240), ("22", "22 cm", "34.00", 330)), _WOOD),
    Range("COA", "Coasters, set of 6", (("10", "10 cm", "14.00", 260),), _CLAY),
    Range("HOO", "Wall hooks", (("3", "set of 3", "21.00", 340), ("5", "set of 5", "32.00", 560)), _METAL),
    Range("CST", "Candlestick", (("15", "15 cm", "19.00", 280), ("25", "25 cm", "27.00", 460)), _METAL),
)  # fmt: skip


def ranged_goods() -> Iterator[tuple[str, str, str, int]]:
    """(SKU code, title, price in euros, grams) of every size and colour."""
    for one in RANGES:
        for size, size_words, price, grams in one.sizes:
            for colour, colour_words in one.colours:
                yield (
                    f"{one.code}-{size}-{colour}",
                    f"{one.title}, {size_words}, {colour_words}",
                    price,
                    grams,
                )
