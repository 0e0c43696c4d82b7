"""The vault: what it seals opens in its place, with the right key, and nowhere else."""

import base64
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from models.db.vault import Place, Sealed, Vault, lazy_vault, vault
from models.errors import Unavailable
from models.settings import Settings

SECRET = SecretStr("rk_live_1234")
HERE = Place(tenant_id="01TENANTA", table="stripe_account")


def key() -> bytes:
    return os.urandom(32)


def test_what_is_sealed_opens_in_its_place() -> None:
    kept = Vault([key()])
    sealed = kept.seal(SECRET, HERE)
    assert kept.open(Sealed.split(sealed.key_id, sealed.joined), HERE) == SECRET
    assert b"rk_live" not in sealed.joined


def test_the_same_secret_never_looks_the_same_twice() -> None:
    kept = Vault([key()])
    one, two = kept.seal(SECRET, HERE), kept.seal(SECRET, HERE)
    assert one.wrapped_key != two.wrapped_key
    assert one.ciphertext != two.ciphertext


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(HERE, tenant_id="01TENANTB"),
        replace(HERE, table="platform_connection"),
        replace(HERE, row="01ROW"),
    ],
)
def test_moved_to_another_place_it_does_not_open(elsewhere: Place) -> None:
    kept = Vault([key()])
    sealed = kept.seal(SECRET, HERE)
    with pytest.raises(Unavailable) as caught:
        kept.open(sealed, elsewhere)
    assert caught.value.__cause__ is None


def test_neither_half_can_be_exchanged_for_anothers() -> None:
    kept = Vault([key()])
    mine = kept.seal(SECRET, HERE)
    theirs = kept.seal(SecretStr("x"), replace(HERE, tenant_id="01TENANTB"))
    for forged in (
        replace(mine, ciphertext=theirs.ciphertext),
        replace(mine, wrapped_key=theirs.wrapped_key),
        replace(mine, ciphertext=b""),
        Sealed.split(mine.key_id, b"short"),
    ):
        with pytest.raises(Unavailable):
            kept.open(forged, HERE)


def test_older_keys_open_what_they_sealed_and_the_newest_seals() -> None:
    old, new = key(), key()
    sealed = Vault([old]).seal(SECRET, HERE)
    rotated = Vault([new, old])
    assert rotated.open(sealed, HERE) == SECRET
    assert rotated.seal(SECRET, HERE).key_id != sealed.key_id
    with pytest.raises(Unavailable, match="not configured"):
        Vault([new]).open(sealed, HERE)


@pytest.mark.parametrize("keys", [[], [b"short"]])
def test_a_key_has_32_bytes(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(keys)


def test_keys_come_from_the_setting_newest_first(tmp_path: Path) -> None:
    old, new = (base64.b64encode(key()).decode() for _ in range(2))
    before = vault(Settings(data_dir=tmp_path, master_key=SecretStr(old)))
    sealed = before.seal(SECRET, HERE)
    after = vault(Settings(data_dir=tmp_path, master_key=SecretStr(f"{new}, {old}")))
    assert after.open(sealed, HERE) == SECRET
    assert list(tmp_path.iterdir()) == []


def test_the_embedded_stack_keeps_a_key_of_its_own(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    sealed = vault(settings).seal(SECRET, HERE)
    path = tmp_path / "data" / "master_key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert vault(settings).open(sealed, HERE) == SECRET


def test_a_deployment_without_a_key_says_so_once_one_is_needed(tmp_path: Path) -> None:
    way = lazy_vault(Settings(data_dir=tmp_path, mode="deployment"))
    with pytest.raises(Unavailable, match="THROUGHLINE_MASTER_KEY"):
        way()
    assert list(tmp_path.iterdir()) == []


def test_a_rewrapped_secret_opens_with_the_newest_key_alone() -> None:
    old, new = key(), key()
    sealed = Vault([old]).seal(SECRET, HERE)
    rewrapped = Vault([new, old]).rewrap(sealed, HERE)
    assert rewrapped.ciphertext == sealed.ciphertext
    assert Vault([new]).open(rewrapped, HERE) == SECRET
    with pytest.raises(Unavailable):
        Vault([old]).open(rewrapped, HERE)


def test_only_what_opens_here_is_rewrapped() -> None:
    kept = Vault([key()])
    sealed = kept.seal(SECRET, HERE)
    elsewhere = Place(tenant_id="01TENANTB", table="stripe_account")
    damaged = replace(sealed, ciphertext=sealed.ciphertext[:-1] + b"\0\0")
    for wrong, place in [(sealed, elsewhere), (damaged, HERE)]:
        with pytest.raises(Unavailable):
            kept.rewrap(wrong, place)
