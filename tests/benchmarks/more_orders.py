"""Many more of the orders that stand in the database: set-based copies with all their rows, constraints on."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model

STRIDE = 1_000_000
FIRST = "ARRAY['Rosa','Paola','Luca','Anna','Marco','Giulia','Pietro','Elena','Bruno','Chiara','Dario','Franca','Gino']"
LAST = (
    "ARRAY['Neri','Bianchi','Ferrari','Esposito','Romano','Colombo','Ricci','Marino','Greco','Bruno','Gallo',"
    "'Conti','De Luca','Costa','Giordano','Mancini','Rizzo']"
)
NAME = f"({FIRST})[1 + (t.id * 7 + k) %% 13] || ' ' || ({LAST})[1 + (t.id + k * 3) %% 17]"
PHONE = "'+39 33' || (10000000 + (t.id * 7919 + k * 104729) %% 89999999)"
SHIFT = "now() - k * interval '5 hours' - (t.id %% 3600) * interval '5 seconds'"


def clone_orders(times: int) -> None:
    """Copy every order `times` times, with its own keys, numbers, buyers and days; levels count what is reserved."""
    from config.kernel.models import Event
    from fulfillment.models import (
        FulfillmentOrder,
        FulfillmentOrderLine,
        Parcel,
        ParcelLine,
        Shipment,
        TrackingEvent,
    )
    from inventory.models import Reservation
    from orders import models as orders

    own = "'k' || k || '.' || t.email"
    copies: Sequence[tuple[type[Model], Mapping[str, str]]] = (
        (orders.Customer, {"email": own, "name": NAME, "phone": PHONE}),
        (orders.Address, {"email": own, "name": NAME, "phone": PHONE}),
        (orders.Order, {**dict.fromkeys(("number", "external_id", "external_number"), ""), "email": own}),
        (orders.OrderLine, {}),
        (orders.LinePart, {}),
        (orders.Charge, {}),
        (orders.DiscountShare, {}),
        (orders.TaxLine, {}),
        (orders.Payment, {"external_id": ""}),
        (orders.Hold, {}),
        (orders.AllocationDecision, {}),
        (Reservation, {"reference_id": f"t.reference_id + k * {STRIDE}"}),
        (FulfillmentOrder, {"number": ""}),
        (FulfillmentOrderLine, {}),
        (Shipment, {"number": ""}),
        (Parcel, {"tracking_number": ""}),
        (ParcelLine, {}),
        (TrackingEvent, {}),
        (Event, {name: f"t.{name} + k * {STRIDE}" for name in ("thread_id", "subject_id")}),
    )
    cloned = {model for model, _own in copies}
    with connection.cursor() as cursor:
        for model, given in copies:
            cursor.execute(_copy(model, given, cloned), [times])
        cursor.execute(
            "UPDATE inventory_stocklevel AS s SET reserved = o.units FROM (SELECT level_id, sum(quantity) AS units"
            " FROM inventory_reservation WHERE state = 'open' GROUP BY level_id) AS o WHERE o.level_id = s.id"
        )
        cursor.execute(
            "UPDATE orders_order AS o SET search_text = upper(c.name || ' ' || c.email || ' ' ||"
            " regexp_replace(c.phone, '\\D', '', 'g') || ' ' || o.external_number) FROM orders_customer AS c"
            " WHERE c.id = o.customer_id AND o.id > %s",
            [STRIDE],
        )
        cursor.execute("ANALYZE")


def _copy(model: type[Model], given: Mapping[str, str], cloned: set[type[Any]]) -> str:
    """INSERT … SELECT of each row k times; keys move by k strides, "" adds the number k to a text."""
    columns, values = [], []
    for field in model._meta.concrete_fields:
        column = str(field.column)
        columns.append(f'"{column}"')
        if field.name in given:
            values.append(given[field.name] or f"t.\"{column}\" || '-' || k")
        elif field.primary_key or (field.related_model in cloned):
            values.append(f't."{column}" + k * {STRIDE}')
        elif model.__name__ == "Order" and column in {"placed_at", "accepted_at"}:
            values.append(SHIFT)
        elif model.__name__ == "Order" and column == "dispatch_by_on":
            values.append(f"CASE WHEN t.dispatch_by_on IS NULL THEN NULL ELSE ({SHIFT})::date + 3 END")
        else:
            values.append(f't."{column}"')
    return (
        f'INSERT INTO "{model._meta.db_table}" ({", ".join(columns)}) SELECT {", ".join(values)} '
        f'FROM "{model._meta.db_table}" AS t, generate_series(1, %s) AS k'
    )
