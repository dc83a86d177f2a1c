"""How many units anything may be about."""

# Far more than anybody sells or moves at once, and far below what a column holds, so that sums fit as well.
MOST_UNITS = 1_000_000
COLUMN_HOLDS = 2**31 - 1
