"""A watcher over a source, as its client sees it: what becomes a job, what does not, and what the source looks like afterwards."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipeline.errors import Transient
from pipeline.telemetry.families import WATCHED
from services.ingest.adapters.memory_source import MemoryFile
from services.ingest.clients import Quota
from services.ingest.ports import OutcomeUnknown
from services.ingest.watching.builtin import BUILTIN
from services.ingest.watching.decisions import Rules
from services.ingest.watching.ports import Kind
from services.ingest.watching.walking import Survey
from services.ingest.watching.watch import Watch
from tests.unit.ingest.rig import wav
from tests.unit.ingest.watching.world import ACME, OWNER, WRITTEN_NS, World

MOSCOW = ZoneInfo("Europe/Moscow")
OKTELL = Watch(owner=OWNER, patterns=BUILTIN["oktell"], zone=MOSCOW, layout="%Y%m%d", days=2, journal_wait_s=600.0)
MIX = "20260131/1758/mix_101_e00042__2026_01_31__17_58_12_347.wav"
EXPORT = (
    b"IdChain;TimeStart;ConnectionType;ALineNum;BLineNum;AOutNumber;BOutNumber\n"
    b"C-1;2026-01-31 17:58:12.347;5;e00042;101;79160000000;74950000000\n"
)


def told(world: World) -> list[dict[str, Any]]:
    return [job.call_info.model_dump(exclude_none=True) for job in world.jobs()]


def test_a_file_that_stays_as_it_is_becomes_one_job_for_ever() -> None:
    world = World()
    world.put("a.wav")
    assert world.look().waiting == 1
    assert world.jobs() == []
    world.look(5)
    (job,) = world.jobs()
    assert (job.client_id, job.priority, job.call_info.file_name) == ("acme", "normal", "a.wav")
    assert world.store.read(job.audio.key) == wav()


def test_a_file_that_grows_is_waited_for() -> None:
    world = World()
    for seconds in range(3):
        world.put("a.wav", wav()[: 20_000 + seconds], WRITTEN_NS + seconds)
        world.look()
    assert world.jobs() == []
    world.look()
    assert len(world.jobs()) == 1


def test_a_restart_takes_nothing_twice_and_forgets_nothing() -> None:
    world = World()
    world.put("a.wav")
    world.look(2)
    world.put("b.wav")
    world.watcher = world.made()
    world.look(3)
    assert sorted(job.call_info.file_name or "" for job in world.jobs()) == ["a.wav", "b.wav"]


def test_a_file_that_changes_while_it_is_read_is_not_taken() -> None:
    world = World()
    world.put("a.wav")
    world.look()
    world.source.files["a.wav"] = _Growing(world)
    world.look()
    assert world.jobs() == []
    assert list(world.store.list("jobs/")) == []
    world.look(2)
    assert len(world.jobs()) == 1


class _Growing(MemoryFile):
    """Grows as soon as somebody has read it."""

    def __init__(self, world: World) -> None:
        super().__init__(wav(), WRITTEN_NS)
        self._world = world

    def read(self) -> bytes:
        self._world.put("a.wav", wav() + bytes(4), WRITTEN_NS + 1)
        return self.data


def test_the_same_bytes_at_another_time_are_no_other_job() -> None:
    world = World()
    world.put("a.wav")
    world.look(2)
    world.put("a.wav", modified_ns=WRITTEN_NS + 5)
    world.look(3)
    assert len(world.jobs()) == 1
    world.put("a.wav", wav(b"\1\0" * 16_000), WRITTEN_NS + 6)
    world.look(3)
    assert len(world.jobs()) == 2


@pytest.mark.parametrize("error", [Transient("gone"), OutcomeUnknown("gone")])
def test_a_crash_between_acceptance_and_mark_makes_no_second_job(
    error: Transient, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(watch=Watch(owner=OWNER, patterns=BUILTIN["asterisk"], zone=MOSCOW))
    path = "in-101-79160000000-20260131-140512-1769857512.42.wav"
    world.put(path)
    world.look()
    with monkeypatch.context() as patched:
        patched.setattr(world.seen, "mark_taken", _raising(error))
        with pytest.raises(Transient):
            world.look()
    assert len(world.jobs()) == 1
    world.put(
        "in-101-79160000000-20260131-140512-1769857512.42.json", b'{"operator": "Anna"}'
    )  # late, and other fields
    world.watcher = world.made()
    world.look(3)
    assert len(world.jobs()) == 1
    assert world.seen.fetch(OWNER, [path])[path].job_id == world.jobs()[0].job_id
    assert world.store.stat(world.jobs()[0].audio.key) is not None


def _raising(error: Exception) -> Any:
    def fail(*_values: object, **_named: object) -> None:
        raise error

    return fail


def test_a_marker_says_that_a_file_is_complete() -> None:
    world = World(watch=Watch(owner=OWNER, rules=Rules(by_marker=True), survey=Survey(marker=".done")))
    world.put("a.wav")
    world.put("b.wav")
    world.put("b.done", b"")
    world.look()
    assert [job.call_info.file_name for job in world.jobs()] == ["b.wav"]
    world.look(3)
    assert len(world.jobs()) == 1
    world.put("a.wav.done", b"")
    world.look()
    assert len(world.jobs()) == 2


def test_names_give_the_call_and_direction_gives_the_roles() -> None:
    world = World(watch=Watch(owner=OWNER, patterns=BUILTIN["asterisk"], zone=MOSCOW))
    world.put("2026/01/31/in-101-79160000000-20260131-140512-1769857512.42.wav")
    world.look(2)
    (job,) = world.jobs()
    assert (job.call_id, job.channel_roles) == ("1769857512.42", ("operator", "customer"))
    call = job.call_info
    assert (call.direction, call.operator, call.customer_number) == ("inbound", "101", "79160000000")
    assert call.started_at is not None
    assert call.started_at.isoformat() == "2026-01-31T14:05:12+03:00"


def test_an_oktell_name_alone_gives_time_and_lines_and_no_roles() -> None:
    world = World(watch=OKTELL)
    world.put(MIX)
    world.look(2)
    (job,) = world.jobs()
    assert job.channel_roles == ()
    assert job.call_info.direction is None
    assert job.call_info.started_at is not None
    assert job.call_info.started_at.isoformat() == "2026-01-31T17:58:12.347000+03:00"
    assert job.call_info.metadata == {"lines": "101 e00042"}


@pytest.mark.parametrize("where", ["source", "here"])
def test_oktells_journal_gives_direction_sides_roles_and_chain(where: str) -> None:
    world = World(watch=OKTELL, journal="/exports/%Y%m%d.csv" if where == "here" else "%Y%m%d/connections.csv")
    world.put(MIX)
    world.look(3)
    assert world.jobs() == []  # its row may yet come
    if where == "here":
        world.here.put("exports/20260131.csv", EXPORT)
    else:
        world.put("20260131/connections.csv", EXPORT)
    world.look()
    (job,) = world.jobs()
    assert (job.call_info.direction, job.channel_roles) == ("inbound", ("operator", "customer"))
    assert (job.call_info.operator, job.call_info.customer_number) == ("101", "79160000000")
    assert job.call_info.metadata["chain_id"] == "C-1"


def test_a_call_whose_row_never_comes_is_taken_without_it() -> None:
    world = World(watch=OKTELL, journal="%Y%m%d/connections.csv")
    world.put(MIX)
    world.put("20260131/connections.csv", b"no table at all\n")
    world.look(3)
    assert world.jobs() == []
    world.pass_time(600)
    world.look()
    (job,) = world.jobs()
    assert job.channel_roles == ()


def test_only_folders_of_the_last_days_are_looked_into() -> None:
    world = World(watch=OKTELL)
    for day in ("20260129", "20260130", "20260131", "20260201"):
        world.put(f"{day}/1758/mix_101_102__2026_01_31__17_58_12_347.wav", wav(day.encode() * 4000))
    assert world.look(2).found == 2
    assert len(world.jobs()) == 2
    world.pass_time(6.5 * 3600)  # in Moscow a new day
    assert world.look(2).found == 2
    assert len(world.jobs()) == 3


def at(day: int) -> int:
    """Noon of a day around now, in nanoseconds."""
    return int(datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp() + (day - 31) * 86_400) * 1_000_000_000


def test_where_a_day_has_no_folder_a_file_is_of_the_day_that_it_was_written() -> None:
    world = World(watch=Watch(owner=OWNER, zone=MOSCOW, days=2))
    for day in (28, 29, 30, 31, 33):  # the last by a clock that runs ahead
        world.put(f"{day}.wav", wav(bytes([day, 0]) * 16_000), at(day))
    world.look(2)
    assert sorted(job.call_info.file_name or "" for job in world.jobs()) == ["30.wav", "31.wav", "33.wav"]


def test_a_span_of_past_days_is_taken_and_no_other() -> None:
    world = World(watch=Watch(owner=OWNER, zone=MOSCOW, priority="bulk"))
    for day in (28, 29, 30, 31):
        world.put(f"{day}.wav", wav(bytes([day, 0]) * 16_000), at(day))
    for _ in range(2):
        world.watcher.look_into((date(2026, 1, 29), date(2026, 1, 30)), ACME, world.stop)
    found = [(job.call_info.file_name, job.priority) for job in world.jobs()]
    assert sorted(found) == [("29.wav", "bulk"), ("30.wav", "bulk")]


def test_a_sidecar_says_more_and_can_be_waited_for() -> None:
    world = World(watch=Watch(owner=OWNER, rules=Rules(sidecar_required=True)))
    world.put("a.wav")
    world.look(3)
    assert world.jobs() == []
    world.put("a.json", '{"operator": "Анна", "channels": "customer,operator", "chain_id": "c"}'.encode())
    world.look(2)
    (job,) = world.jobs()
    assert (job.call_info.operator, job.channel_roles) == ("Анна", ("customer", "operator"))
    assert job.call_info.metadata == {"chain_id": "c"}


@pytest.mark.parametrize(
    ("path", "data", "reason"),
    [
        ("text.wav", b"just text, and no sound at all" * 100, "unsupported_media"),
        ("empty.wav", b"", "empty_file"),
        ("large.wav", wav(bytes(70_000)), "too_large"),
        ("greeting.wav", wav(), "pattern_mismatch"),
        ("in-101-7916-20260131-140512-so many words.wav", wav(), "invalid_field"),
        (f"in-{'1' * 201}-7916-20260131-140512-1.wav", wav(), "invalid_field"),
    ],
)
def test_what_is_refused_is_listed_with_its_reason_and_left_alone(path: str, data: bytes, reason: str) -> None:
    patterns = BUILTIN["asterisk"] if reason in {"pattern_mismatch", "invalid_field"} else None
    world = World(watch=Watch(owner=OWNER, patterns=patterns), max_audio_bytes=70_000)
    world.put(path, data)
    world.look(5)
    assert world.jobs() == []
    assert world.reasons() == {path: reason}
    assert world.metrics.value(WATCHED, watcher="pbx", outcome="refused", reason=reason) == 1
    assert list(world.store.list("")) == []
    assert world.source.files[path].data == data


def test_links_and_what_is_no_file_are_refused() -> None:
    world = World()
    world.source.files["link.wav"] = MemoryFile(b"/etc/passwd", WRITTEN_NS, Kind.LINK)
    world.source.files["pipe.wav"] = MemoryFile(b"", WRITTEN_NS, Kind.OTHER)
    world.look(3)
    assert world.reasons() == {"link.wav": "symlink", "pipe.wav": "not_a_file"}


def test_what_is_still_written_hidden_or_no_recording_is_not_even_seen() -> None:
    world = World()
    for name in ("a.wav.part", ".a.wav", "a.wav.tmp", "a.txt", "a.json", ".git/a.wav"):
        world.put(name)
    assert world.look(3).found == 0


def test_a_bad_sidecar_is_refused_and_a_better_one_is_taken() -> None:
    world = World()
    world.put("a.wav")
    world.put("a.json", b"{")
    world.look(3)
    assert world.reasons() == {"a.wav": "sidecar_invalid"}
    world.put("a.json", b'{"operator": "Anna"}', WRITTEN_NS + 1)
    world.look(2)
    assert [job.call_info.operator for job in world.jobs()] == ["Anna"]
    assert world.reasons() == {}


def test_a_refused_file_is_tried_again_once_it_has_changed_and_when_an_operator_says_so() -> None:
    world = World()
    world.put("a.wav", b"no sound" * 100)
    world.look(4)
    assert world.metrics.value(WATCHED, watcher="pbx", outcome="refused", reason="unsupported_media") == 1
    world.put("a.wav", wav(), WRITTEN_NS + 1)
    world.look(2)
    assert len(world.jobs()) == 1
    world.put("b.wav", b"no sound" * 100)
    world.look(3)
    assert world.seen.forget_refused("pbx", "unsupported_media") == 1
    world.look()
    assert world.metrics.value(WATCHED, watcher="pbx", outcome="refused", reason="unsupported_media") == 3


def test_the_clients_ceiling_bounds_the_priority() -> None:
    world = World(watch=Watch(owner=OWNER, priority="interactive"), client=replace(ACME, priority_ceiling="normal"))
    world.put("a.wav")
    world.look(2)
    assert [job.priority for job in world.jobs()] == ["normal"]


def test_beyond_the_quota_a_file_waits_and_the_rest_is_not_read_in_vain() -> None:
    world = World(client=replace(ACME, quota=Quota(daily_minutes=1)))
    for number in range(70):
        world.put(f"{number:02}.wav", wav(bytes([number, 0]) * 16_000))
    facts = world.look(2)
    taken = len(world.jobs())
    assert 0 < taken < 70
    assert facts.fault == "quota_exceeded"
    assert list(world.reasons().values()) == ["quota_exceeded"]
    world.look(2)
    assert (len(world.jobs()), len(world.reasons())) == (taken, 3)  # one in vain each look
    world.clients.change("acme", lambda client: replace(client, quota=Quota()))
    world.pass_time(901)
    world.look(2)
    assert len(world.jobs()) == 70
    assert world.reasons() == {}


def test_the_rate_is_kept_and_nothing_is_refused_for_it() -> None:
    world = World(client=replace(ACME, requests_per_minute=3))
    for number in range(5):
        world.put(f"{number}.wav", wav(bytes([number, 0]) * 16_000))
    world.look()
    world.stop = stop = _StopAfter(world)
    world.look()
    assert len(world.jobs()) == 5
    assert world.reasons() == {}
    assert stop.waited_s >= 39


class _StopAfter(threading.Event):
    """A stop that is never told, for whom time passes by itself."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self.waited_s = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.waited_s += timeout or 0.0
        self._world.pass_time(timeout or 0.0)
        return False


def test_a_client_that_is_not_there_and_a_source_that_is_not_there_are_told() -> None:
    world = World(watch=Watch(owner=replace(OWNER, client_id="nobody")))
    world.put("a.wav")
    assert world.look(2).fault == "unknown_client"
    world = World()
    world.put("a.wav")
    world.look()
    world.source.fault = "host_key_refused"
    assert world.look().fault == "host_key_refused"
    assert [one.look.fault for one in world.seen.watchers()] == ["host_key_refused"]
    world.source.fault = None
    world.look()
    assert len(world.jobs()) == 1


def test_one_process_looks_at_a_time() -> None:
    world = World()
    world.put("a.wav")
    with world.seen.turn(OWNER) as taken:
        assert taken
        assert world.look(2).fault == "watched_elsewhere"
    world.look(2)
    assert len(world.jobs()) == 1


def test_a_source_is_never_written_to() -> None:
    world = World()
    world.source.read_only = True
    world.put("a.wav")
    world.put("b.wav", b"no sound" * 100)
    before = dict(world.source.files)
    world.look(4)
    assert world.source.files == before
    assert len(world.jobs()) == 1
