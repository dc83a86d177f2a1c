"""While the demo runs, orders keep coming in and work goes on, slowly enough to watch."""

import json
import logging
import random
import threading
from dataclasses import asdict

from django.db import connections

from config.demo.generator import fresh_orders
from config.demo.warehouse import ship, tell
from config.kernel import clock
from config.kernel.actors import Actor
from fulfillment.enums import ParcelStatus
from fulfillment.services.releasing import release_orders
from orders.enums import FulfillmentStatus, OrderStatus
from orders.models import Order, SalesChannel
from orders.services.accepting import Incoming, accept_orders
from orders.services.allocating import allocate_orders
from orders.services.confirming import confirm_orders
from orders.services.raw import RawEntry, store_raw_orders

log = logging.getLogger(__name__)

PAUSE_SECONDS = 20
ACTOR = Actor.system("demo")


class Trickle(threading.Thread):
    """One small thing every twenty seconds, until `stop` is set. Nothing it does is more than a verb."""

    def __init__(self, stop: threading.Event, *, pause: float = PAUSE_SECONDS) -> None:
        super().__init__(name="trickle", daemon=True)
        self._stop_event, self._pause = stop, pause
        self._rng = random.Random()  # noqa: S311  (a sample, no secret)

    def run(self) -> None:
        while not self._stop_event.wait(self._pause):
            try:
                self.step()
            except Exception:
                log.exception("the demo's trickle stumbled and goes on")
            finally:
                connections.close_all()

    def step(self) -> None:
        """Take an order in, and move one older order of each stage on."""
        self._new_order()
        open_orders = Order.objects.filter(is_test=False).exclude(holds__lifted_at=None, holds__isnull=False)
        waiting = (
            open_orders.filter(status=OrderStatus.PLACED).order_by("placed_at").values_list("pk", flat=True)
        )
        if waiting.count() > 12:
            confirm_orders(list(waiting[:1]), actor=ACTOR)
            allocate_orders(list(waiting[:1]), actor=ACTOR)
        confirmed = open_orders.filter(status=OrderStatus.CONFIRMED).order_by("placed_at")
        allocated = confirmed.filter(fulfillment_status=FulfillmentStatus.ALLOCATED).values_list(
            "pk", flat=True
        )
        if len(allocated) > 15:
            release_orders(list(allocated[:1]), actor=ACTOR)
            ship(list(allocated[:1]))
        shipped = confirmed.filter(fulfillment_status=FulfillmentStatus.SHIPPED).values_list("pk", flat=True)
        if len(shipped) > 20:
            tell(list(shipped[:1]), ParcelStatus.DELIVERED)

    def _new_order(self) -> None:
        at = clock.now()
        story = next(fresh_orders(self._rng, at, f"T{at:%y%m%d%H%M%S}"))
        channel = SalesChannel.objects.get(code=story.channel)
        body = json.dumps(asdict(story.order), default=str, ensure_ascii=False, sort_keys=True)
        key = story.order.external_id
        raw = store_raw_orders([RawEntry(key, "demo", key, body)], sales_channel_id=channel.pk)
        incoming = Incoming(story.order, raw_id=raw.values[key])
        accept_orders([incoming], sales_channel_id=channel.pk, actor=Actor.channel(channel.pk, channel.name))
