"""Plugins are switched off in a file that may be damaged without harm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatseq.core.disabled import DisabledPlugins, read_disabled, switch_off, switch_on
from chatseq.core.errors import ChatseqError
from chatseq.core.paths import disabled_file


def test_without_a_file_everything_is_on() -> None:
    assert read_disabled() == DisabledPlugins({}, "")


def test_what_is_switched_off_stays_off_until_it_is_switched_on() -> None:
    switch_off("one", {"attention": ("dot", "general")})
    switch_off("two", {})
    assert read_disabled().off == {"one": {"attention": ("dot", "general")}, "two": {}}
    switch_on("one")
    switch_on("never there")
    assert read_disabled() == DisabledPlugins({"two": {}}, "")


def test_the_file_is_the_owners_alone_and_holds_plain_json(home: Path) -> None:
    switch_off("one", {"attention": ("dot",)})
    file = home / "plugins.json"
    assert file.stat().st_mode & 0o077 == 0
    assert json.loads(file.read_text()) == {"off": {"one": {"attention": ["dot"]}}}
    assert [path.name for path in home.iterdir()] == ["plugins.json"]


DAMAGED = {
    "no JSON": "{",
    "no object": "[1]",
    "a list": '{"off": ["one"]}',
    "parts that are none": '{"off": {"one": 3}}',
    "names that are none": '{"off": {"one": {"attention": [3]}}}',
    "a name that is no list": '{"off": {"one": {"attention": "dot"}}}',
    "endless brackets": "[" * 100_000,
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_switches_nothing_off_and_is_told_in_one_line(home: Path, text: str) -> None:
    disabled_file().write_text(text, encoding="utf-8")
    found = read_disabled()
    assert found.off == {}
    assert found.fault.startswith(f"{home / 'plugins.json'} cannot be read, so that every plugin")
    assert "\n" not in found.fault
    assert found.fault.endswith("chatseq plugins off NAME")


def test_what_is_no_text_and_what_is_no_file_are_damage_too(home: Path) -> None:
    disabled_file().write_bytes(b"\xff\xfe\x00")
    assert "codec can't decode" in read_disabled().fault
    disabled_file().unlink()
    disabled_file().mkdir()
    assert "cannot be read" in read_disabled().fault


def test_switching_mends_a_damaged_file() -> None:
    disabled_file().write_text("{", encoding="utf-8")
    switch_off("one", {})
    assert read_disabled() == DisabledPlugins({"one": {}}, "")


def test_what_a_later_version_may_add_does_no_harm() -> None:
    disabled_file().write_text('{"off": {"one": {"new-kind": ["x"]}}, "more": 1}', encoding="utf-8")
    assert read_disabled() == DisabledPlugins({"one": {"new-kind": ("x",)}}, "")


def test_a_home_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    monkeypatch.setenv("CHATSEQ_HOME", str(file / "home"))
    with pytest.raises(ChatseqError, match="Set CHATSEQ_HOME to a folder that you can write to"):
        switch_off("one", {})
