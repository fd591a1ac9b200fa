"""Records that are no events, a registry that is away or built anew, and a topic full of nonsense."""

from __future__ import annotations

from typing import ClassVar, Final

from pipeline.contracts import layout
from pipeline.contracts.events import AudioUploaded, TranscriptReady
from pipeline.stream.ports import Record
from pipeline.stream.wire import encode
from pipeline.testing.samples import audio_uploaded, job_status
from razgovor.chaos.fault import Fault
from razgovor.chaos.stage import Stage

_AUDIO: Final = AudioUploaded.TOPIC
_READY: Final = TranscriptReady.TOPIC
_UNKNOWN: Final = bytes.fromhex("c301ffffffffffffffff") + b"body"
#: More than the fuse lets through.
_NONSENSE: Final = 30
_FUSED_WITHIN_S: Final = 60.0


def bad_records() -> dict[str, Record]:
    """A record of each kind that cannot be read, by what is wrong with it."""
    whole = encode(audio_uploaded("job-of-nobody"))
    value, key = whole.value or b"", b"job-of-nobody"
    misplaced = encode(job_status("job-of-nobody"))
    return {
        "bad magic": Record(_AUDIO, key, b"\x07" + value[1:]),
        "unknown schema": Record(_AUDIO, key, _UNKNOWN),
        "unknown schema id": Record(_AUDIO, key, b"\x00\x7f\xff\xff\xff" + value[10:]),
        "truncated": Record(_AUDIO, key, value[: len(value) // 2], whole.headers),
        "left-over bytes": Record(_AUDIO, key, value + b"!", whole.headers),
        "empty": Record(_AUDIO, key, b""),
        "no value": Record(_AUDIO, key, None),
        "another header": Record(_AUDIO, key, value, misplaced.headers),
    }


class CorruptRecords(Fault):
    """Undecodable records go to the DLQ; a registry that is away makes wait, one built anew misleads nobody."""

    number: ClassVar[int] = 13
    name: ClassVar[str] = "corrupt records, the registry away and built anew"

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        before = stage.ground.record.dead_letters()
        bad = list(bad_records().values())
        with stage.flow():
            stage.ground.broker.publish(*bad)
            expected = before + 2 * len(bad)  # the transcriber and the ledger put each aside
            stage.wait_for(
                lambda: stage.ground.record.dead_letters() >= expected, "not every corrupt record is in the DLQ"
            )
            if stage.ground.registry is not None:
                stage.tell("the registry is away")
                stage.ground.registry.kill()
                stage.system.crew.kill(stage.any_worker("exporter"))  # it has to ask the registry when it comes back
                stage.pause(stage.pace.outage_s)
                stage.ground.registry.start()
                stage.ground.make_topics()
                stage.tell(f"an empty registry is back and filled again, flow after {stage.recovered():.1f} s")
        left = stage.ground.record.dead_letters() - expected
        stage.notes.expect(not left, f"{left} records too many are in the DLQ")


class OnlyNonsense(Fault):
    """A topic full of undecodable records: the fuse blows, nothing more leaks, and an operator puts it back."""

    number: ClassVar[int] = 21
    name: ClassVar[str] = "nothing but undecodable records"
    drain_s: ClassVar[float] = 240.0

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        before = stage.ground.record.dead_letters()
        nonsense = [
            Record(_READY, str(number).encode(), b"nonsense") for number in range(_NONSENSE * self._groups(stage))
        ]
        stage.ground.broker.publish(*nonsense)
        keys = {group: layout.fuse_key(group) for group in ("exporter", "ledger")}
        stage.wait_for(
            lambda: all(stage.ground.store.stat(key) is not None for key in keys.values()),
            "the fuses did not blow",
            _FUSED_WITHIN_S,
        )
        stage.tell("the fuses of exporter and ledger have blown")
        jobs = stage.send_and_wait(10)
        stage.notes.expect(len(jobs) == len(stage.promises), "uploads were not taken while fuses were blown")
        total = before + 2 * len(nonsense)
        for _ in range(2 * len(nonsense)):
            for key in keys.values():
                stage.ground.store.delete(key)  # what `razgovor dlq resume` does
            stage.pause(6.0)
            if stage.ground.record.dead_letters() >= total and not self._blown(stage, keys):
                break
        stage.notes.expect(stage.ground.record.dead_letters() == total, "not all nonsense is in the DLQ, once a group")

    @staticmethod
    def _groups(stage: Stage) -> int:
        """Each worker has a fuse of its own that lets twenty through."""
        return max(len(stage.system.workers(service)) for service in ("exporter", "ledger"))

    @staticmethod
    def _blown(stage: Stage, keys: dict[str, str]) -> bool:
        return any(stage.ground.store.stat(key) is not None for key in keys.values())
