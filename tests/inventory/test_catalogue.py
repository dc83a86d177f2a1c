"""SKUs, kits and locations."""

import pytest

from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from inventory.errors import CodeMeansTwo, KitOfKits, KitWithoutParts, SkuHoldsStock
from inventory.models import Barcode, KitPart, Location, Sku
from inventory.services.bins import BinDraft, save_bins
from inventory.services.catalogue import (
    NewSku,
    PartOfKit,
    SkuChange,
    change_skus,
    create_location,
    create_skus,
    save_kits,
)
from tests.factories.inventory import ACTOR, make_kit, make_location, make_sku, receive, reserve

pytestmark = pytest.mark.django_db

NOBODY = Actor(ActorKind.USER, 8, "x", frozenset())


def save(kit: Sku, *parts: PartOfKit, actor: Actor = ACTOR):
    return save_kits([kit.pk], parts={kit.pk: parts}, actor=actor)


def test_create_skus_with_barcodes_and_again_unchanged() -> None:
    drafts = [NewSku("A", "Alpha", ("800001", "800002"), 250), NewSku("B", "Beta")]

    results = create_skus(drafts, actor=ACTOR)

    assert results.done_ids == ["A", "B"]
    alpha = Sku.objects.get(code="A")
    assert (results.values["A"], alpha.title, alpha.weight_grams, alpha.is_kit) == (
        alpha.pk,
        "Alpha",
        250,
        False,
    )
    assert set(alpha.barcodes.values_list("code", flat=True)) == {"800001", "800002"}

    again = create_skus([*drafts, NewSku("C", "Gamma")], actor=ACTOR)

    assert (again.unchanged_ids, again.done_ids) == (["A", "B"], ["C"])
    assert again.values["A"] == alpha.pk
    assert Barcode.objects.count() == 2


def test_create_skus_taken_barcode_is_refused_alone() -> None:
    make_sku("A", barcodes=["800001"])

    results = create_skus([NewSku("B", "Beta", ("800001",)), NewSku("C", "Gamma")], actor=ACTOR)

    assert results.done_ids == ["C"]
    assert isinstance(results.refusals["B"], Conflict)
    assert not Sku.objects.filter(code="B").exists()


def test_barcode_that_is_another_skus_code_is_refused_alone() -> None:
    make_sku("MUG", barcodes=["111"])
    drafts = [
        NewSku("A", "A", ("MUG",)), NewSku("111", "B"), NewSku("C", "C", ("C",)),
        NewSku("D", "D", ("E",)), NewSku("E", "E"), NewSku("G", "G", ("C",)), NewSku("F", "F", ("222",)),
    ]  # fmt: skip

    made = create_skus(drafts, actor=ACTOR)
    changes = [
        SkuChange("F", barcodes=("MUG",)),
        SkuChange("D", barcodes=("333",)),
        SkuChange("F2", title=""),
    ]
    changed = change_skus(changes, actor=ACTOR)

    assert made.done_ids == ["C", "D", "F"]
    assert {type(one) for one in made.refusals.values()} == {CodeMeansTwo}
    assert {code: dict(one.facts) for code, one in made.refusals.items()} == {
        "A": {"code": "MUG", "sku": "A"},
        "111": {"code": "111", "sku": "MUG"},
        "E": {"code": "E", "sku": "D"},
        "G": {"code": "C", "sku": "G"},
    }
    assert str(made.refusals["111"]) == (
        "“111” cannot be the code of one SKU and a barcode of another, MUG: a scan would mean both."
    )
    assert changed.done_ids == ["D"]
    assert changed.refusals["F"].facts == {"code": "MUG", "sku": "F"}
    assert dict(Barcode.objects.values_list("code", "sku__code")) == {
        "111": "MUG", "C": "C", "222": "F", "333": "D",
    }  # fmt: skip


def test_sku_that_has_an_ambiguous_barcode_already_can_be_changed_otherwise() -> None:
    """From before such a barcode was refused."""
    sku, _mug = make_sku("A"), make_sku("MUG")
    Barcode.objects.create(sku=sku, code="MUG")

    changes = [SkuChange("A", title="Alpha", barcodes=("MUG", "111")), SkuChange("MUG", title="A mug")]
    results = change_skus(changes, actor=ACTOR)

    assert results.done_ids == ["A", "MUG"]


def test_create_and_change_skus_refuse_a_text_that_is_too_long_alone() -> None:
    made = create_skus(
        [
            NewSku("A" * 300, "Alpha"),
            NewSku("B", "Beta" * 100),
            NewSku("C", "C", ("8" * 300,)),
            NewSku("D", "D"),
        ],
        actor=ACTOR,
    )

    assert made.done_ids == ["D"]
    assert {type(problem) for problem in made.refusals.values()} == {InvalidInput}
    assert [str(problem.facts["field"]) for problem in made.refusals.values()] == ["SKU", "title", "barcode"]
    make_sku("E")
    changed = change_skus([SkuChange("D", title="D" * 300), SkuChange("E", title="Echo")], actor=ACTOR)
    assert changed.done_ids == ["E"]
    assert changed.refusals["D"].facts["value"] == "D" * 80
    assert list(Sku.objects.order_by("code").values_list("code", "title")) == [("D", "D"), ("E", "Echo")]


def test_save_bins_refuses_a_code_that_is_too_long_alone() -> None:
    place = make_location()

    results = save_bins([BinDraft(place.pk, "A" * 300), BinDraft(place.pk, "A-01")], actor=ACTOR)

    assert results.done_ids == [(place.pk, "A-01")]
    assert isinstance(results.refusals[place.pk, "A" * 300], InvalidInput)


def test_save_kits_makes_a_kit_and_replaces_its_parts() -> None:
    one, two, kit = make_sku(), make_sku(), make_sku()

    assert save(kit, PartOfKit(one.pk, 2, 3), PartOfKit(two.pk)).done_ids == [kit.pk]

    kit.refresh_from_db()
    assert (kit.is_kit, kit.version) == (True, 2)
    rows = KitPart.objects.filter(kit=kit).values_list("part", "per_unit", "value_weight")
    assert list(rows) == [(one.pk, 2, 3), (two.pk, 1, 1)]
    assert save(kit, PartOfKit(two.pk), PartOfKit(one.pk, 2, 3)).unchanged_ids == [kit.pk]
    assert save(kit, PartOfKit(two.pk, 4)).done_ids == [kit.pk]
    assert list(KitPart.objects.values_list("part", "per_unit")) == [(two.pk, 4)]


def test_save_kits_changes_the_parts_that_stay_and_says_so_in_their_history() -> None:
    one, two, three, kit = make_sku(), make_sku(), make_sku(), make_sku()
    save(kit, PartOfKit(one.pk, 2), PartOfKit(two.pk)).raise_refusals()
    rows = dict(KitPart.objects.values_list("part", "pk"))

    save(kit, PartOfKit(one.pk, 3), PartOfKit(three.pk)).raise_refusals()

    assert KitPart.objects.get(part=one).pk == rows[one.pk]
    told = KitPart.history.order_by("history_id").values_list("history_type", "part_id", "per_unit")
    assert list(told)[2:] == [("-", two.pk, 1), ("~", one.pk, 3), ("+", three.pk, 1)]


def test_save_kits_refuses_a_part_named_twice() -> None:
    part, kit = make_sku(), make_sku()

    refused = save(kit, PartOfKit(part.pk, 1), PartOfKit(part.pk, 2))

    assert isinstance(refused.refusals[kit.pk], InvalidInput)
    assert not KitPart.objects.exists()


def test_save_kits_refusals_write_nothing() -> None:
    plain, stocked, waited_for, loose = make_sku(), make_sku(), make_sku(), make_sku()
    receive(stocked, make_location(), 1)
    reserve(waited_for, None, 1)
    kit = make_kit({plain: 1})
    parts = KitPart.objects.count()

    for target, part, error in (
        (stocked, PartOfKit(plain.pk), SkuHoldsStock),
        (waited_for, PartOfKit(plain.pk), SkuHoldsStock),
        (plain, PartOfKit(loose.pk), KitOfKits),
        (loose, PartOfKit(kit.pk), KitOfKits),
        (loose, PartOfKit(loose.pk), KitOfKits),
        (loose, PartOfKit(0), NotFound),
        (loose, PartOfKit(plain.pk, 0), InvalidInput),
        (Sku(pk=0), PartOfKit(plain.pk), NotFound),
    ):
        assert isinstance(save(target, part).refusals[target.pk], error)
    assert isinstance(save(loose).refusals[loose.pk], KitWithoutParts)
    assert KitPart.objects.count() == parts
    assert list(Sku.objects.filter(is_kit=True)) == [kit]


def test_create_location_has_default_and_quarantine_bin() -> None:
    place = create_location(Location(code="MI", name="Milano"), actor=ACTOR)

    assert set(place.bins.values_list("code", "kind")) == {
        ("DEFAULT", "default"),
        ("QUARANTINE", "quarantine"),
    }


def test_without_permission_nothing_is_created() -> None:
    part, kit = make_sku(), make_sku()

    with pytest.raises(NotAllowed):
        create_skus([NewSku("A", "Alpha")], actor=NOBODY)
    with pytest.raises(NotAllowed):
        create_location(Location(code="MI", name="Milano"), actor=NOBODY)
    with pytest.raises(NotAllowed):
        save(kit, PartOfKit(part.pk), actor=NOBODY)

    assert Sku.objects.count() == 2
    assert not Location.objects.exists()
    assert not KitPart.objects.exists()
