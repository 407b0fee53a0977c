"""A secret is fetched only from where it is safe, and never shown."""

import os
import sys
import types
from pathlib import Path

import pytest

from engine.config import SecretError, SecretRef, load_text
from engine.config.model import CcxtVenue


def secret_file(folder: Path, content: bytes = b"s3cr3t\n", mode: int = 0o600) -> SecretRef:
    file = folder / "key"
    file.write_bytes(content)
    file.chmod(mode)
    return SecretRef.parse(f"file:{file}")


def test_a_secret_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("BULKHEAD_TEST_KEY", "s3cr3t")
    assert SecretRef.parse("env:BULKHEAD_TEST_KEY").resolve() == "s3cr3t"


def test_an_absent_variable_is_named(monkeypatch):
    monkeypatch.delenv("BULKHEAD_TEST_KEY", raising=False)
    with pytest.raises(SecretError, match="env:BULKHEAD_TEST_KEY: the environment variable"):
        SecretRef.parse("env:BULKHEAD_TEST_KEY").resolve()


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secret_comes_from_a_private_file_without_its_newline(tmp_path, mode):
    assert secret_file(tmp_path, b"s3cr3t\r\n", mode).resolve() == "s3cr3t"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o700, 0o666])
def test_a_file_others_may_read_is_refused(tmp_path, mode):
    with pytest.raises(SecretError, match=f"mode {mode:04o}; allowed: 0600"):
        secret_file(tmp_path, mode=mode).resolve()


@pytest.mark.parametrize(
    ("content", "said"), [(b"\n", "empty"), (b"\xff", "UTF-8"), (b"x" * 70_000, "larger")]
)
def test_a_file_that_holds_no_secret_is_refused(tmp_path, content, said):
    with pytest.raises(SecretError, match=said):
        secret_file(tmp_path, content).resolve()


def test_a_missing_file_a_folder_and_a_pipe_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name, said in [("none", "cannot be opened"), ("", "regular"), ("pipe", "regular")]:
        with pytest.raises(SecretError, match=said):
            SecretRef.parse(f"file:{tmp_path}/{name}").resolve()


def test_a_file_of_another_user_is_refused(tmp_path, monkeypatch):
    reference = secret_file(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(SecretError, match="another user"):
        reference.resolve()


def test_a_relative_file_starts_at_the_config_file(tmp_path):
    secret_file(tmp_path)
    assert SecretRef.parse("file:key", tmp_path).resolve() == "s3cr3t"


def test_without_the_keyring_package_the_error_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(SecretError, match="keyring package is not installed"):
        SecretRef.parse("keyring:bulkhead/kraken").resolve()


def test_a_secret_comes_from_the_keyring(monkeypatch):
    class KeyringError(Exception):
        pass

    kept = {("bulkhead", "a/b"): "s3cr3t"}
    keyring = types.ModuleType("keyring")
    keyring.get_password = lambda service, name: kept.get((service, name))
    errors = types.ModuleType("keyring.errors")
    errors.KeyringError = KeyringError
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    assert SecretRef.parse("keyring:bulkhead/a/b").resolve() == "s3cr3t"
    with pytest.raises(SecretError, match="no such entry"):
        SecretRef.parse("keyring:bulkhead/other").resolve()


@pytest.mark.parametrize(
    "text", ["hunter2", "", "env:", "env:A B", "env:1", "file:", "keyring:", "keyring:a", "ENV:A"]
)
def test_a_text_that_is_no_reference_is_refused_without_being_quoted(text):
    with pytest.raises(ValueError, match=r"^is ") as caught:
        SecretRef.parse(text)
    assert "hunter2" not in str(caught.value)


def test_an_alert_url_is_kept_but_never_shown():
    text = "[alerts]\nurls = ['tgram://123:tokentoken/9', 'env:ALERT']\n"
    config = load_text(text, file="x")
    plain, reference = config.alerts.urls
    assert plain.resolve() == plain.written == "tgram://123:tokentoken/9"
    for shown in (repr(config), str(plain), config.model_dump_json(), f"{config.model_dump()}"):
        assert "tokentoken" not in shown
    assert str(plain) == "tgram://***"
    assert repr(reference) == "SecretRef('env:ALERT')"


def test_references_are_equal_when_they_point_at_the_same_place():
    one, other = SecretRef.parse("env:A"), SecretRef.parse("env:A")
    assert one == other
    assert hash(one) == hash(other)
    assert one != SecretRef.parse("env:B")
    assert CcxtVenue(kind="ccxt", api_key=one).references == (other,)
