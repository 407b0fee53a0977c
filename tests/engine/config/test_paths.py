"""Where things are, and that the state folder is private."""

import os
import stat
from pathlib import Path

import pytest

from engine.config import PathError, StatePaths, default_config_path, default_state_dir


def test_the_config_is_below_the_xdg_config_home(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_config_path() == tmp_path / "bulkhead" / "bulkhead.toml"


@pytest.mark.parametrize("home", ["", "relative/place"])
def test_without_a_usable_xdg_config_home_it_is_below_dot_config(monkeypatch, tmp_path, home):
    monkeypatch.setenv("XDG_CONFIG_HOME", home)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_config_path() == tmp_path / ".config" / "bulkhead" / "bulkhead.toml"


def test_the_state_folder_is_the_one_of_the_contract(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_state_dir() == tmp_path / ".local" / "state" / "bulkhead"


def test_the_state_folder_is_made_private(tmp_path):
    paths = StatePaths.of(tmp_path / "a" / "b")
    paths.prepare()
    assert stat.S_IMODE(paths.state_dir.stat().st_mode) == 0o700
    assert paths.socket.name == "bulkhead.sock"
    assert paths.journal.name == "journal.sqlite"
    assert {paths.log.parent, paths.lock.parent} == {paths.state_dir}


def test_an_open_state_folder_is_closed_to_others(tmp_path):
    tmp_path.chmod(0o755)
    StatePaths.of(tmp_path).prepare()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_file_in_place_of_the_state_folder_is_a_clear_error(tmp_path):
    (tmp_path / "state").write_text("")
    for place in (tmp_path / "state", tmp_path / "state" / "below"):
        with pytest.raises(PathError, match=r"is not a folder|Not a directory"):
            StatePaths.of(place).prepare()


def test_a_state_folder_of_another_user_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(PathError, match="another user"):
        StatePaths.of(tmp_path).prepare()


def test_a_socket_path_may_have_107_bytes_and_no_more():
    longest = Path("/" + "x" * (107 - len("/bulkhead.sock") - 1))
    assert len(str(StatePaths.of(longest).socket)) == 107
    with pytest.raises(PathError, match="108 bytes; a Unix socket allows 107"):
        StatePaths.of(Path(f"{longest}x"))


def test_bytes_are_counted_not_letters():
    with pytest.raises(PathError):
        StatePaths.of(Path("/" + "ü" * 60))
