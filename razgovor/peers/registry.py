"""A schema registry (Apicurio) with Confluent's API, in memory, on loopback."""

from __future__ import annotations

from razgovor.peers.artefacts import REGISTRY_VERSION, registry_folder
from razgovor.peers.programs import JAVA, require
from razgovor.peers.server import Launch, PeerServer


class RegistryServer(PeerServer):
    """One registry. It keeps its schemas in memory: after a restart it is empty and gives other ids."""

    name = "registry"

    @property
    def url(self) -> str:
        """Confluent's API, as `SchemaRegistryClient` takes it."""
        return f"http://127.0.0.1:{self.port}/apis/ccompat/v7"

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.kept.port("http")

    def prepare(self) -> Launch:
        """See `PeerServer.prepare`."""
        jar = registry_folder() / f"apicurio-registry-app-{REGISTRY_VERSION}-runner.jar"
        options = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Djava.net.preferIPv4Stack=true"]
        where = ["-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={self.port}", f"-Djava.io.tmpdir={self.folder}"]
        return Launch(
            command=[str(require(JAVA)), *options, *where, "-jar", str(jar)],
            ready={"port": self.port, "path": "/apis/ccompat/v7/subjects"},
        )
