"""Where an operator asked for it: what was taken goes to done/, what was refused to failed/ with its reason."""

from __future__ import annotations

from pipeline.telemetry.families import WATCHED_UNMOVED
from services.ingest.watching.decisions import Rules
from services.ingest.watching.walking import DONE, FAILED, Survey
from services.ingest.watching.watch import Watch
from tests.unit.ingest.rig import wav
from tests.unit.ingest.watching.world import OWNER, WRITTEN_NS, World

MOVING = Watch(owner=OWNER, rules=Rules(moves=True), survey=Survey(left_out={DONE, FAILED}), poll_s=0.1)


def test_what_was_taken_goes_to_done_with_what_lies_beside_it() -> None:
    world = World(watch=MOVING)
    world.put("20260131/a.wav")
    world.put("20260131/a.json", b'{"operator": "Anna"}')
    assert world.look(2).found == 1
    assert set(world.source.files) == {"done/20260131/a.wav", "done/20260131/a.json"}
    assert world.look().found == 0
    assert len(world.jobs()) == 1


def test_what_was_refused_goes_to_failed_with_its_reason_beside_it() -> None:
    world = World(watch=MOVING)
    world.put("a.wav", b"just text" * 100)
    world.look(2)
    assert set(world.source.files) == {"failed/a.wav", "failed/a.wav.reason.txt"}
    reason = world.source.files["failed/a.wav.reason.txt"].data.decode()
    assert reason.startswith("unsupported_media\nthe bytes are text/plain")


def test_a_second_file_of_the_same_path_goes_beside_the_first() -> None:
    world = World(watch=MOVING)
    for number in range(3):
        world.put("a.wav", wav(bytes([number, 0]) * 16_000), WRITTEN_NS + number)
        world.look(2)
    assert set(world.source.files) == {"done/a.wav", "done/1/a.wav", "done/2/a.wav"}
    assert len(world.jobs()) == 3


def test_a_crash_before_the_move_is_made_good_by_the_next_look() -> None:
    world = World(watch=MOVING)
    world.put("a.wav")
    world.source.read_only = True
    world.look(3)
    assert len(world.jobs()) == 1
    assert set(world.source.files) == {"a.wav"}
    assert world.metrics.value(WATCHED_UNMOVED, watcher="pbx") == 2
    world.source.read_only = False
    world.look()
    assert set(world.source.files) == {"done/a.wav"}
    assert len(world.jobs()) == 1


def test_an_empty_file_may_be_one_that_is_about_to_be_written_to() -> None:
    world = World(watch=MOVING)
    world.put("a.wav", b"")
    assert world.look(3).waiting == 1
    assert set(world.source.files) == {"a.wav"}
