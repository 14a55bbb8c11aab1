"""A bot as one file: what was exported comes back, and hostile files do nothing."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from chatseq.bots.bundle import (
    Manifest,
    bot_folder,
    export_bundle,
    import_bundle,
    open_bundle,
    write_bundle,
)
from chatseq.core.errors import BundleError
from chatseq.core.paths import bots_folder

CONTENT = {
    "recipe.toml": b"r" * 10,
    "tokenizer.json": b"t" * 10,
    "weights.safetensors": bytes(range(256)) * 100,
    "data/index.npz": b"i",
}


def fill(folder: Path) -> None:
    for name, data in CONTENT.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    write_bundle(bot_folder("faq"), Manifest("faq", {}), fill)
    return export_bundle("faq", tmp_path / "faq.chatseq")


def rebuilt(source: Path, change: Callable[[dict[str, bytes], zipfile.ZipFile], None]) -> Path:
    """Write the archive again with its members changed."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    target = source.with_name("changed.chatseq")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        change(members, archive)
        for name, data in members.items():
            archive.writestr(name, data)
    return target


def nothing_came_in() -> bool:
    return [path.name for path in bots_folder().iterdir()] == ["faq"]


def test_a_bot_comes_back_from_its_file(exported: Path) -> None:
    assert import_bundle(exported, name="copy") == "copy"
    copy, original = open_bundle(bot_folder("copy")), open_bundle(bot_folder("faq"))
    assert copy.manifest.files == original.manifest.files
    assert copy.manifest.created == original.manifest.created
    assert (copy.folder / "data" / "index.npz").read_bytes() == b"i"
    assert {p.stat().st_mode & 0o777 for p in copy.folder.rglob("*") if p.is_file()} == {0o600}


def test_the_file_is_private_and_leaves_no_other(exported: Path) -> None:
    assert exported.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in exported.parent.iterdir()] == ["faq.chatseq"]


def test_an_existing_file_is_not_overwritten(exported: Path) -> None:
    with pytest.raises(BundleError, match="exists already"):
        export_bundle("faq", exported)


def test_a_folder_that_cannot_be_written_is_told(exported: Path) -> None:
    with pytest.raises(BundleError, match="Cannot write .*No such file"):
        export_bundle("faq", exported.parent / "absent" / "x.chatseq")


def test_a_taken_name_is_refused_unless_it_may_be_replaced(exported: Path) -> None:
    with pytest.raises(BundleError, match="There is a bot named 'faq' already"):
        import_bundle(exported)
    assert import_bundle(exported, replace=True) == "faq"
    assert open_bundle(bot_folder("faq")).name == "faq"


def test_a_damaged_bot_is_not_exported(tmp_path: Path, exported: Path) -> None:
    (bot_folder("faq") / "recipe.toml").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"damaged: recipe\.toml"):
        export_bundle("faq", tmp_path / "again.chatseq")


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/evil", "data/../../evil", "data/", "evil.py", "C:\\evil", "a\x00b"],
)
def test_a_member_that_no_bot_has_is_refused(exported: Path, name: str) -> None:
    hostile = rebuilt(exported, lambda members, _: members.update({name: b"x"}))
    with pytest.raises(BundleError, match=r"was refused: .*no bot has.*Nothing was unpacked"):
        import_bundle(hostile, name="copy")
    assert nothing_came_in()


def test_a_symbolic_link_is_refused(exported: Path) -> None:
    def link(members: dict[str, bytes], archive: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo("card.md")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")

    with pytest.raises(BundleError, match=r"card\.md is not a plain file"):
        import_bundle(rebuilt(exported, link), name="copy")
    assert nothing_came_in()


def test_a_member_listed_twice_is_refused(exported: Path) -> None:
    def twice(members: dict[str, bytes], archive: zipfile.ZipFile) -> None:
        archive.writestr("recipe.toml", b"other")

    with pytest.warns(UserWarning, match="Duplicate name"):
        hostile = rebuilt(exported, twice)
    with pytest.raises(BundleError, match=r"holds recipe\.toml twice"):
        import_bundle(hostile, name="copy")


def test_a_bomb_is_refused_before_it_is_unpacked(exported: Path) -> None:
    def bomb(members: dict[str, bytes], archive: zipfile.ZipFile) -> None:
        members["weights.safetensors"] = bytes(50 << 20)

    with pytest.raises(BundleError, match="packed too tightly"):
        import_bundle(rebuilt(exported, bomb), name="copy")
    assert nothing_came_in()


@pytest.mark.parametrize("data", [b"", b"t" * 9, b"t" * 11, b"T" * 10])
def test_content_that_differs_from_the_manifest_is_refused(exported: Path, data: bytes) -> None:
    changed = rebuilt(exported, lambda members, _: members.update({"tokenizer.json": data}))
    with pytest.raises(BundleError, match=r"tokenizer\.json, its content does not match|refused"):
        import_bundle(changed, name="copy")
    assert nothing_came_in()


@pytest.mark.parametrize(
    ("gone", "told"), [("manifest.json", "it has no manifest"), ("recipe.toml", "it lacks recipe")]
)
def test_a_missing_member_is_named(exported: Path, gone: str, told: str) -> None:
    with pytest.raises(BundleError, match=told):
        import_bundle(rebuilt(exported, lambda members, _: members.pop(gone)), name="copy")


def test_a_member_that_the_manifest_does_not_list_is_refused(exported: Path) -> None:
    extra = rebuilt(exported, lambda members, _: members.update({"card.md": b"x"}))
    with pytest.raises(BundleError, match=r"does not list card\.md"):
        import_bundle(extra, name="copy")


@pytest.mark.parametrize("at", range(0, 100, 9))
def test_a_damaged_archive_is_refused_or_whole(exported: Path, at: int) -> None:
    data = bytearray(exported.read_bytes())
    data[len(data) * at // 100] ^= 0xFF
    exported.write_bytes(data)
    try:
        import_bundle(exported, name="copy")
    except BundleError:
        assert nothing_came_in()
    else:  # a byte that no reader looks at, such as a time stamp
        assert open_bundle(bot_folder("copy")).model == open_bundle(bot_folder("faq")).model


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_a_file_that_is_no_bot_is_told(tmp_path: Path, data: bytes, home: Path) -> None:
    (tmp_path / "x.chatseq").write_bytes(data)
    with pytest.raises(BundleError, match=r"The file x\.chatseq was refused"):
        import_bundle(tmp_path / "x.chatseq")
    assert not bots_folder().exists()


def test_an_absent_file_or_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="Cannot read .*No such file"):
        import_bundle(tmp_path / "absent.chatseq")
    with pytest.raises(BundleError, match="Cannot read .*Is a directory"):
        import_bundle(tmp_path)


def test_a_zip_of_a_thousand_members_is_refused(tmp_path: Path, home: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(1001):
            archive.writestr(f"data/{number}", b"")
    (tmp_path / "x.chatseq").write_bytes(packed.getvalue())
    with pytest.raises(BundleError, match="it has 1001 members"):
        import_bundle(tmp_path / "x.chatseq")
