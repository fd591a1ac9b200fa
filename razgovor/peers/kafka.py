"""Apache Kafka 4.4, KRaft, one node, on loopback."""

from __future__ import annotations

import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Final

from razgovor.embedded.errors import EmbeddedFailed
from razgovor.peers.artefacts import kafka_jars
from razgovor.peers.kafka_options import PLAIN, PROXIED, SASL, TLS, KafkaOptions, server_properties
from razgovor.peers.programs import JAVA, require
from razgovor.peers.server import Launch, PeerServer

FORMAT_TIMEOUT_S: Final = 120.0
#: The server says so when all its listeners take clients.
STARTED: Final = "Kafka Server started"
DEFAULTS: Final = KafkaOptions()


class KafkaServer(PeerServer):
    """One broker that is its own controller. Its address stays over `kill`, `stop` and `wipe`.

    Args:
        folder: Its own.
        options: Listeners, users, certificates, properties.
    """

    name = "kafka"

    def __init__(self, folder: Path, options: KafkaOptions = DEFAULTS) -> None:
        super().__init__(folder)
        self.options = options

    @property
    def bootstrap_servers(self) -> str:
        """The plaintext listener."""
        return self._address(PLAIN)

    @property
    def sasl_servers(self) -> str:
        """The SASL listener: SASL_PLAINTEXT, or SASL_SSL with certificates."""
        return self._address(SASL)

    @property
    def tls_servers(self) -> str:
        """The TLS listener."""
        return self._address(TLS)

    @property
    def proxied_port(self) -> int:
        """Where a proxy is to send what comes to `options.proxied_port`."""
        return self._port(PROXIED)

    def _address(self, listener: str) -> str:
        return f"127.0.0.1:{self._port(listener)}"

    def _port(self, listener: str) -> int:
        if listener not in self.options.listeners:
            raise EmbeddedFailed(f"this Kafka was set up without its listener {listener}")
        return self.kept.port(listener.lower())

    def prepare(self) -> Launch:
        """See `PeerServer.prepare`."""
        ports = {listener: self._port(listener) for listener in self.options.listeners}
        data = self.folder / "data"
        properties = self.folder / "server.properties"
        lines = (f"{name}={value}" for name, value in server_properties(self.options, ports, data).items())
        properties.write_text("\n".join(lines) + "\n", encoding="utf-8")
        properties.chmod(0o600)
        logging = self.folder / "log4j2.xml"
        logging.write_bytes(files("razgovor.peers").joinpath("data", "log4j2.xml").read_bytes())
        java = self._java(logging)
        if not (data / "meta.properties").exists():
            self._format(java, properties)
        heap = f"-Xmx{self.options.heap_mb}m"
        return Launch(command=[*java, heap, "kafka.Kafka", str(properties)], ready={"line": STARTED})

    def _java(self, logging: Path) -> list[str]:
        options = ["-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Djava.net.preferIPv4Stack=true"]
        where = [f"-Dlog4j2.configurationFile={logging}", "-cp", f"{kafka_jars()}/*"]
        return [str(require(JAVA)), *options, *where]

    def _format(self, java: list[str], properties: Path) -> None:
        """Make the log's folder. The users' passwords stand on a command line for a moment: they are a test server's."""
        identity = self._tool(java, "random-uuid").strip().splitlines()[-1]
        users = [
            argument
            for name, password in self.options.users.items()
            for argument in ("--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]")
        ]
        self._tool(java, "format", "--standalone", "-t", identity, "-c", str(properties), *users)

    @staticmethod
    def _tool(java: list[str], *arguments: str) -> str:
        done = subprocess.run(
            [*java, "-Xmx128m", "-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool", *arguments],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=FORMAT_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            raise EmbeddedFailed(f"Kafka's folder could not be made: {(done.stdout + done.stderr)[-2000:].strip()}")
        return done.stdout
