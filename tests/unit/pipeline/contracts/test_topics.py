from __future__ import annotations

from pipeline.contracts.topics import group_of, is_rare, topics


def test_what_is_rare_is_read_in_a_group_of_its_own() -> None:
    assert [name for name in topics() if is_rare(name)] == [
        name for name in topics() if name.endswith((".retry", ".dlq"))
    ]
    assert group_of("transcriber", "audio.uploaded") == "transcriber"
    assert group_of("transcriber", "audio.uploaded.retry") == "transcriber.rare"
