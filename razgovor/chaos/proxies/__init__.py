"""Fault proxies between our services and their peers: `TcpProxy` for bytes, `HttpProxy` for S3 and the registry.

In one's own process as context managers, or each in a process of its own by `ProxyProcess`. What breaks is data
(`faults`), drawn with a seed, changed while it runs.
"""

from razgovor.chaos.proxies.http_proxy import HttpProxy
from razgovor.chaos.proxies.process import ProxyProcess
from razgovor.chaos.proxies.tcp_proxy import TcpProxy

__all__ = ["HttpProxy", "ProxyProcess", "TcpProxy"]
