"""The law of orders over the shipped fakes."""

from __future__ import annotations

from hypothesis import settings

from tests.unit.ingest.orders_world import Orders, Tables, in_memory


class OrdersInMemory(Orders):
    def made(self) -> Tables:
        return in_memory()


OrdersInMemory.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestOrders = OrdersInMemory.TestCase
