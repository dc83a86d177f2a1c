"""What a scanned text may mean: the code of a SKU, or a barcode of one. It must never mean two."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from inventory.errors import CodeMeansTwo
from inventory.models import Barcode, Sku


@dataclass(slots=True)
class Meanings:
    """The codes of SKUs among some texts, and the barcodes among them with the code of their SKU."""

    codes: set[str]
    barcodes: dict[str, str]

    @classmethod
    def of(cls, texts: Collection[str]) -> "Meanings":
        """Two statements, none without texts."""
        if not texts:
            return cls(set(), {})
        scanned = Barcode.objects.filter(code__in=texts).values_list("code", "sku__code")
        return cls(set(Sku.objects.filter(code__in=texts).values_list("code", flat=True)), dict(scanned))

    def code_problem(self, sku: str) -> CodeMeansTwo | None:
        """Why a SKU cannot be called so: it is another one's barcode."""
        owner = self.barcodes.get(sku, sku)
        return None if owner == sku else CodeMeansTwo(code=sku, sku=owner)

    def barcode_problem(self, sku: str, barcodes: Iterable[str]) -> CodeMeansTwo | None:
        """Why the SKU of this code cannot have these barcodes: one is the code of another SKU."""
        taken = (code for code in barcodes if code != sku and code in self.codes)
        return next((CodeMeansTwo(code=code, sku=sku) for code in taken), None)

    def add(self, sku: str, barcodes: Iterable[str]) -> None:
        """Count a SKU in that is about to be made, for those that follow."""
        self.codes.add(sku)
        self.barcodes |= dict.fromkeys(barcodes, sku)
