from __future__ import annotations

import pytest

from services.transcriber.domain.roles import channel_mode, divides_speakers, roles_of


@pytest.mark.parametrize(
    ("channels", "identical", "mode"),
    [(1, False, "mono"), (2, False, "stereo"), (2, True, "dual_mono"), (4, False, "multichannel")],
)
def test_the_mode_follows_from_the_channels(channels: int, identical: bool, mode: str) -> None:  # noqa: FBT001  a table
    assert channel_mode(channels, identical=identical) == mode
    assert divides_speakers(mode) == (mode in {"stereo", "multichannel"})


def test_roles_come_from_the_map_in_its_order() -> None:
    assert roles_of("stereo", 2, ("customer", "operator")) == {0: "customer", 1: "operator"}


@pytest.mark.parametrize(
    ("mode", "channels", "channel_map"),
    [
        ("stereo", 2, ()),
        ("stereo", 2, ("operator",)),
        ("mono", 1, ("operator",)),
        ("mono", 1, ("operator", "customer")),
        ("dual_mono", 2, ("operator", "customer")),
        ("multichannel", 3, ("operator", "customer")),
    ],
)
def test_roles_are_never_guessed(mode: str, channels: int, channel_map: tuple[str, ...]) -> None:
    assert roles_of(mode, channels, channel_map) == dict.fromkeys(range(channels))
