"""The bots of a user: names, listing, removing, and the one that is chatted with."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatseq.bots.bundle import (
    Manifest,
    bot_folder,
    check_name,
    default_bot,
    find_bot,
    list_bundles,
    open_bundle,
    remove_bundle,
    safe_name,
    set_default_bot,
    write_bundle,
)
from chatseq.core.errors import BundleError
from chatseq.core.paths import bots_folder

REQUIRED = ("recipe.toml", "tokenizer.json", "weights.safetensors")


def fill(folder: Path) -> None:
    for name in REQUIRED:
        (folder / name).write_text(name)


def shelve(name: str, created: str = "") -> None:
    write_bundle(bot_folder(name), Manifest(name, {}, created=created), fill)


@pytest.mark.parametrize("name", ["faq", "faq-2.v1_x", "A", "9", "a" * 64, "console"])
def test_good_names_are_taken_as_they_are(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", ".default", "a/b", "a\\b", "../x", "/etc", "-x", "a b", "a.", "a\n", "~"),
        *("常见问题", "é", "CON", "con.txt", "lpt1", "a" * 65, "a\x00", "a:b"),
    ],
)
def test_names_that_could_leave_the_folder_are_refused(name: str) -> None:
    with pytest.raises(BundleError, match="cannot be the name of a bot"):
        check_name(name)


@given(text=st.text() | st.text(alphabet="./\\~ conNUL-_\x00é"))
def test_every_text_has_a_safe_name(text: str) -> None:
    assert check_name(safe_name(text)) == safe_name(text)


@given(text=st.text())
def test_a_name_is_refused_or_stays_within_the_folder(text: str) -> None:
    try:
        folder = bot_folder(text)
    except BundleError:
        return
    assert folder.parent == bots_folder()
    assert set(folder.name) <= {*string.ascii_letters, *string.digits, *"._-"}


@pytest.mark.parametrize(
    ("stem", "name"),
    [("my faq (v2)", "my-faq-v2"), ("Café", "Cafe"), ("常见问题", "bot"), ("con", "bot-con")],
)
def test_the_stem_of_a_file_becomes_a_name(stem: str, name: str) -> None:
    assert safe_name(stem) == name


def test_a_bot_is_found_by_name_or_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_bot("faq") == bots_folder() / "faq"
    assert find_bot("./faq") == tmp_path / "faq"
    assert find_bot(str(tmp_path / "x" / "faq")) == tmp_path / "x" / "faq"
    with pytest.raises(BundleError):
        find_bot("..faq")


def test_an_empty_folder_has_no_bots_and_no_default() -> None:
    assert list_bundles() == []
    assert default_bot() is None


def test_bots_are_listed_by_name_and_damaged_ones_with_their_fault() -> None:
    shelve("b")
    shelve("a")
    (bot_folder("b") / "manifest.json").write_text("{")
    first, second = list_bundles()
    assert (first.name, first.fault) == ("a", "")
    assert first.manifest is not None
    assert second.manifest is None
    assert "damaged: manifest.json" in second.fault


def test_a_removed_bot_is_gone_and_others_stay() -> None:
    shelve("a")
    shelve("b")
    remove_bundle("a")
    assert [stored.name for stored in list_bundles()] == ["b"]
    with pytest.raises(BundleError, match="No bot named 'a'"):
        remove_bundle("a")


def test_the_chosen_bot_is_the_default() -> None:
    shelve("a")
    shelve("b")
    set_default_bot("a")
    assert default_bot() == "a"
    set_default_bot("b")
    assert default_bot() == "b"


def test_without_a_record_the_newest_bot_is_the_default() -> None:
    shelve("a", created="2026-01-02T00:00:00+00:00")
    shelve("b", created="2026-01-01T00:00:00+00:00")
    assert default_bot() == "a"


@pytest.mark.parametrize("record", [b"gone\n", b"../x\n", b"\xff", b""])
def test_a_useless_record_falls_back_to_the_newest_bot(record: bytes) -> None:
    shelve("a")
    (bots_folder() / ".default").write_bytes(record)
    assert default_bot() == "a"


def test_a_removed_default_gives_way_to_another() -> None:
    shelve("a")
    shelve("b")
    set_default_bot("b")
    remove_bundle("b")
    assert default_bot() == "a"


def test_no_record_is_written_for_a_bad_name() -> None:
    shelve("a")
    with pytest.raises(BundleError):
        set_default_bot("../a")
    assert open_bundle(bot_folder("a")).name == "a"
    assert not (bots_folder() / ".default").exists()
