from __future__ import annotations

from pathlib import Path

from razgovor.stack.layout import StackFolder
from razgovor.stack.specs import BROKER, StackOptions, stack_specs

FOLDER = StackFolder(Path("/data"))


def broker_module(options: StackOptions) -> str | None:
    """The module that runs the broker, None where there is none of the stack's own."""
    spec = next((spec for spec in stack_specs(FOLDER, options) if spec.name == BROKER), None)
    return None if spec is None else spec.command[3]


def test_without_a_word_it_is_the_mock() -> None:
    assert broker_module(StackOptions()) == "razgovor.embedded.broker"


def test_its_own_kafka_when_asked_for() -> None:
    assert broker_module(StackOptions(broker="kafka")) == "razgovor.stack.kafka_broker"


def test_an_address_elsewhere_goes_before_both() -> None:
    for options in (
        StackOptions(bootstrap_servers="kafka:9092"),
        StackOptions(broker="kafka", bootstrap_servers="kafka:9092"),
    ):
        assert broker_module(options) is None
        assert all(BROKER not in spec.needs for spec in stack_specs(FOLDER, options))
