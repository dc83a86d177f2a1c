"""What a channel calls our SKUs, said by a person, for the lines that wait and for all to come."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import MAX_BATCH, batch_transaction, verb
from config.kernel.errors import InvalidInput, NotFound
from config.kernel.events import Entry, Thread, record_events
from config.kernel.outbox import NewFact, record_facts
from config.kernel.results import Results
from inventory.models import KitPart, Sku
from orders.errors import MappedMeanwhile
from orders.models import SalesChannel, SkuAlias
from orders.selectors.unknown import waiting_order_ids
from orders.services.reviving import revive_orders
from orders.services.texts import limit_of

MAP_SKU = "orders.map_sku"
MAPPED = "sku.mapped"
SHIPPABLE = _("accepted are SKUs that can be shipped; this kit has no parts")
Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class SkuMapping:
    """A channel's code and the SKU of ours that it means."""

    sales_channel_id: int
    code: str
    sku_id: int

    @property
    def key(self) -> Key:
        return self.sales_channel_id, self.code.strip()


@verb
def map_skus(mappings: Sequence[SkuMapping], *, actor: Actor) -> Results[Key]:
    """Say which SKU of ours a channel's code means, and bring the lines that waited for it to life.

    At most 200. Future orders find the SKU by it. Open orders with such lines, up to 200 of them, come alive in the
    same transaction (see `revive_orders`), the rest by the fact `sku.mapped` and by the sweep. A code that was mapped
    elsewhere is mapped anew; lines that found their SKU before keep it. The value is the mapping's pk. The same
    mapping again is `unchanged`, also where somebody else made it at this very moment.

    Refuses: `NotFound` for the channel or the SKU, `InvalidInput` for an empty or too long code and for a kit
    without parts, `MappedMeanwhile` where somebody mapped the code to another SKU at this very moment. Raises
    `NotAllowed`.
    """
    actor.require(MAP_SKU)
    results: Results[Key] = Results(mapping.key for mapping in mappings)
    with batch_transaction():
        sound = {one.key: one.sku_id for one in _sound(mappings, results)}
        aliases, changed, rivals = _write(sound)
        for key in rivals:
            if aliases[key].sku_id != sound[key]:
                results.refuse(key, _lost_to(aliases.pop(key), sound.pop(key)))
        _tell([aliases[key] for key in changed], actor)
        waiting = waiting_order_ids(list(sound), MAX_BATCH + 1)
        revive_orders(waiting[:MAX_BATCH], actor=actor)
        if len(waiting) > MAX_BATCH:
            record_facts([NewFact(MAPPED, ("sku", sku_id)) for sku_id in sorted(set(sound.values()))])
    for key, alias in aliases.items():
        if key in changed:
            results.done(key, alias.pk)
        else:
            results.unchanged(key, alias.pk)
    return results


def _sound(mappings: Sequence[SkuMapping], results: Results[Key]) -> list[SkuMapping]:
    channels = set(
        SalesChannel.objects.filter(pk__in={one.sales_channel_id for one in mappings}).values_list(
            "pk", flat=True
        )
    )
    skus = Sku.objects.in_bulk({one.sku_id for one in mappings})
    kits = [pk for pk, sku in skus.items() if sku.is_kit]
    whole = set(KitPart.objects.filter(kit__in=kits).values_list("kit_id", flat=True)) if kits else set()
    for one in mappings:
        sku = skus.get(one.sku_id)
        if sku is None or one.sales_channel_id not in channels:
            results.refuse(one.key, NotFound())
        elif not 0 < len(one.code.strip()) <= limit_of(SkuAlias, "code"):
            accepted = _("accepted are 1 to 120 characters")
            results.refuse(one.key, InvalidInput(field="code", value=one.code[:80], accepted=accepted))
        elif sku.is_kit and sku.pk not in whole:
            results.refuse(one.key, InvalidInput(field="sku", value=sku.code, accepted=SHIPPABLE))
    return [one for one in mappings if one.key not in results.refusals]


def _write(wanted: Mapping[Key, int]) -> tuple[dict[Key, SkuAlias], set[Key], set[Key]]:
    """The mappings by key, which of them are new or mean another SKU now, and which a rival made at this moment.

    Three statements at most, three more where there is a rival.
    """
    aliases = _locked(wanted)
    moved = [row for key, row in aliases.items() if row.sku_id != wanted[key]]
    for row in moved:
        row.sku_id, row.mapped_at = wanted[row.sales_channel_id, row.code], clock.now()
        row.version += 1
    SkuAlias.objects.bulk_update(moved, ["sku", "mapped_at", "version"])
    changed = {(row.sales_channel_id, row.code) for row in moved}
    rivals: set[Key] = set()
    while missing := sorted(wanted.keys() - aliases.keys()):
        try:
            with transaction.atomic():
                made = SkuAlias.objects.bulk_create(
                    SkuAlias(
                        sales_channel_id=channel,
                        code=code,
                        sku_id=wanted[channel, code],
                        mapped_at=clock.now(),
                    )
                    for channel, code in missing
                )
        except IntegrityError:
            found = _locked(missing)  # the rival has committed by now
            if not found:
                raise
            rivals |= found.keys()
            aliases |= found
        else:
            aliases |= {(row.sales_channel_id, row.code): row for row in made}
            changed |= set(missing)
    return aliases, changed, rivals


def _locked(keys: Collection[Key]) -> dict[Key, SkuAlias]:
    """Not a kind of the kernel's order: a rival for a code waits at its unique index too, whatever is locked here.

    A press holds its order by then. Two presses for one code, of orders that each wakes for the other, end by the
    database's word and are tried again.
    """
    rows = SkuAlias.objects.select_for_update().filter(
        sales_channel__in={channel for channel, _code in keys}, code__in={code for _channel, code in keys}
    )
    found = {(row.sales_channel_id, row.code): row for row in rows.order_by("pk")}
    return {key: row for key, row in found.items() if key in keys}


def _lost_to(alias: SkuAlias, sku_id: int) -> MappedMeanwhile:
    codes = dict(Sku.objects.filter(pk__in=[alias.sku_id, sku_id]).values_list("pk", "code"))
    return MappedMeanwhile(code=alias.code, theirs=codes[alias.sku_id], ours=codes[sku_id])


def _tell(aliases: Sequence[SkuAlias], actor: Actor) -> None:
    def facts(alias: SkuAlias) -> dict[str, Any]:
        return {"code": alias.code, "channel": alias.sales_channel_id, "sku": alias.sku_id}

    record_events(
        [
            Entry(("sku_alias", one.pk), Thread("sku", one.sku_id), "mapped", facts=facts(one))
            for one in aliases
        ],
        actor=actor,
    )
