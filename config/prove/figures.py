"""What a proof found: figures in a table, and which of them are not what they must be."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from config.kernel.audit import INVARIANTS, run_audit

# Broken by any proof of more than minutes without a worker, which sends this shop's mails to nobody.
WITHOUT_WORKER = ("outbox.age",)


@dataclass(slots=True)
class Figures:
    """One part of a proof. `broken` are the sentences for which the proof fails."""

    title: str
    rows: list[tuple[str, str]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def show(self, label: str, value: object) -> None:
        self.rows.append((label, str(value)))

    def must_be(self, label: str, value: object, wanted: object) -> None:
        """Show a figure; it breaks the proof unless it is the wanted one."""
        self.show(label, value)
        if value != wanted:
            self.broken.append(f"{self.title}: {label} is {value}, not {wanted}")

    def table(self) -> str:
        width = max((len(label) for label, _value in self.rows), default=0)
        lines = [f"  {label:<{width}}  {value}" for label, value in self.rows]
        verdict = ["  BROKEN " + sentence for sentence in self.broken]
        return "\n".join([self.title, *lines, *verdict])


def audit_figures(*, without: Collection[str] = ()) -> Figures:
    """Run every invariant of the product, but those `without`, on what the proof left behind."""
    figures = Figures("audit")
    findings = list(run_audit(sorted(INVARIANTS.keys() - set(without))))
    violations = [f"{found.invariant.code}: {one}" for found in findings for one in found.violations]
    figures.show("rules", len(findings))
    figures.must_be("violations", len(violations), 0)
    figures.show("seconds", f"{sum(found.seconds for found in findings):.1f}")
    figures.broken += violations[:20]
    return figures


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of all values do not exceed; 0 of none."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0.0


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
