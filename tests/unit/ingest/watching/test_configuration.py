from __future__ import annotations

from pathlib import Path

import pytest

from services.ingest.watching.configuration import Configuration, ConfigurationFault, configuration

OKTELL = """
[watchers.oktell]
client = "acme"
source = "/srv/RecordedFiles"
pattern = "oktell"
zone = "Europe/Moscow"
folders = "%Y%m%d"
journal = "%Y%m%d/connections.csv"
"""
SFTP = """
[watchers.remote]
client = "acme"
source = "sftp://razgovor@pbx.example:2222/var/spool/monitor"
pattern = "asterisk"
private_key = "/run/secrets/key"
known_hosts = "/etc/razgovor/known_hosts"
"""


def read(folder: Path, text: str) -> Configuration:
    path = folder / "watch.toml"
    path.write_text(text, encoding="utf-8")
    return configuration(path)


def test_a_folder_is_left_alone_unless_told_otherwise(tmp_path: Path) -> None:
    watcher = read(tmp_path, OKTELL).watchers["oktell"]
    assert (watcher.after, watcher.days, watcher.priority, watcher.sftp) == ("leave", 3, "normal", None)


def test_oktells_folders_are_known_and_can_be_said_otherwise(tmp_path: Path) -> None:
    unsaid = OKTELL.replace('folders = "%Y%m%d"\n', "")
    assert read(tmp_path, unsaid).watchers["oktell"].layout == "%Y%m%d"
    assert read(tmp_path, unsaid + 'folders = ""\n').watchers["oktell"].layout == ""
    assert read(tmp_path, SFTP).watchers["remote"].layout == ""


def test_an_sftp_server_is_told_by_its_address(tmp_path: Path) -> None:
    address = read(tmp_path, SFTP).watchers["remote"].sftp
    assert address is not None
    assert (address.host, address.port, address.user) == ("pbx.example", 2222, "razgovor")
    assert address.folder == "/var/spool/monitor"


def test_a_pattern_of_the_file_reads(tmp_path: Path) -> None:
    text = '[patterns.ours]\npaths = ["{direction}_{call_id}.wav"]\ndirections = {"ВХ" = "inbound"}\n'
    reading = read(tmp_path, text).read_with("ours").read("вх_7.wav")
    assert reading is not None
    assert (reading.direction, reading.call_id) == ("inbound", "7")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = ", "Invalid value"),
        ("x = 1", "x: Extra inputs are not permitted"),
        (OKTELL.replace('zone = "Europe/Moscow"\n', ""), "watchers.oktell: zone"),
        (OKTELL.replace("Europe/Moscow", "Europe/Nowhere"), "watchers.oktell.zone: no zone"),
        (OKTELL.replace("Europe/Moscow", "../../etc/passwd"), "watchers.oktell.zone: no zone"),
        (
            OKTELL.replace('"oktell"\nzone', '"nothing"\nzone').replace("journal", "# journal"),
            "there is no pattern nothing",
        ),
        (OKTELL.replace('"oktell"\nzone', '"asterisk"\nzone'), "a journal goes with the pattern oktell"),
        (OKTELL.replace("/srv/RecordedFiles", "srv"), "an absolute path"),
        (OKTELL.replace('"acme"', '"a/b"'), "watchers.oktell.client: a client's id"),
        (OKTELL.replace('%Y%m%d"\njournal', '%Y"\njournal'), "watchers.oktell.folders: folders: say year"),
        (OKTELL + 'suffixes = [".exe"]', "watchers.oktell.suffixes"),
        (OKTELL.replace("watchers.oktell", 'watchers."../x"'), "watchers.../x"),
        (SFTP.replace('known_hosts = "/etc/razgovor/known_hosts"', ""), "needs known_hosts"),
        (SFTP.replace('private_key = "/run/secrets/key"', ""), "needs private_key or password_file"),
        (SFTP.replace("razgovor@", "razgovor:hunter2@"), "without a password"),
        (SFTP.replace("razgovor@", ""), "sftp://user@host"),
        ('[patterns.oktell]\npaths = ["{call_id}"]', "oktell is there already"),
        ('[patterns.x]\npaths = ["{nope}"]', "patterns.x: there is no field"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_why(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ConfigurationFault) as caught:
        read(tmp_path, text)
    assert why in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationFault, match="No such file"):
        configuration(tmp_path / "nothing.toml")
