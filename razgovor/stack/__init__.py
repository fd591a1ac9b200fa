"""The one-machine stack: broker, database and the four services as processes of ours, kept running and ended together."""

from razgovor.stack.service_spec import ServiceState
from razgovor.stack.specs import StackOptions
from razgovor.stack.stack import Stack

__all__ = ["ServiceState", "Stack", "StackOptions"]
