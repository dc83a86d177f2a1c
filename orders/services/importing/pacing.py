"""How much one transaction of an import takes: what the last ones' pace lets through well below a second."""

from dataclasses import dataclass

AIM = 0.4
FEWEST, MOST = 200, 6000


@dataclass(slots=True)
class Pace:
    """`rows` is the next chunk's size. It grows to its double at most, and falls at once."""

    rows: int = 1500

    def took(self, rows: int, seconds: float) -> None:
        """Note how long some rows took."""
        if rows and seconds > 0:
            fitting = min(rows * AIM / seconds, 2 * self.rows)
            self.rows = max(FEWEST, min(MOST, int(fitting)))
