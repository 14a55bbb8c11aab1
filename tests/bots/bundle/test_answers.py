"""The answers in a bundle: kept by how often they come, bounded, and read back as they were."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from chatseq.bots.bundle import Manifest, open_bundle, store, write_bundle
from chatseq.bots.bundle import answers as module
from chatseq.bots.bundle.answers import KnownAnswer, answers_file, most_frequent, read_answers
from chatseq.core.errors import BundleError


def test_the_most_frequent_come_first_and_blank_ones_are_left_out() -> None:
    counted = Counter({"one": 1, "three": 3, " \n": 9, "uno": 1})
    assert most_frequent(counted) == [("three", 3), ("one", 1), ("uno", 1)]


@pytest.mark.parametrize(
    "text", ["two\nlines", '"quoted" \\', "你好 😀", "\u2028 \x00", "half \ud83d"]
)
def test_every_text_comes_back_as_it_was(text: str) -> None:
    data = answers_file({text: 2})
    assert data.count(b"\n") == 1
    assert read_answers(data.decode()) == [KnownAnswer(text, 2)]


def test_of_too_many_the_rarest_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = {"rare": 1, "often": 5, "sometimes": 2}
    monkeypatch.setattr(module, "MOST_ANSWERS", 2)
    assert [answer.text for answer in most_frequent(counted)] == ["often", "sometimes"]
    monkeypatch.setattr(module, "MOST_BYTES", len(b'{"text": "often", "count": 5}\n'))
    assert [answer.text for answer in most_frequent(counted)] == ["often"]
    assert len(answers_file(counted)) <= module.MOST_BYTES


def test_a_count_may_be_missing_and_blank_lines_are_skipped() -> None:
    assert read_answers('{"text": "a"}\n\n{"text": "b", "count": 3}') == [("a", 1), ("b", 3)]


@pytest.mark.parametrize(
    "line", ["[]", "a", '{"count": 3}', '{"text": "a", "count": "x"}', "[" * 9999]
)
def test_a_line_that_is_something_else_is_told_by_its_number(line: str) -> None:
    with pytest.raises(ValueError, match="^line 2 is not like"):
        read_answers(f'{{"text": "a"}}\n{line}\n')


def bot(folder: Path, files: dict[str, bytes]) -> Path:
    def fill(target: Path) -> None:
        for name, data in {**dict.fromkeys(NEEDED, b"{}"), **files}.items():
            (target / name).parent.mkdir(exist_ok=True)
            (target / name).write_bytes(data)

    return write_bundle(folder, Manifest("x", {}), fill).folder


NEEDED = ("recipe.toml", "tokenizer.json", "weights.safetensors")
FILE = "data/answers.jsonl"


def test_a_bundle_gives_its_answers(tmp_path: Path) -> None:
    folder = bot(tmp_path / "x", {FILE: answers_file({"a": 1, "b": 2})})
    bundle = open_bundle(folder)
    assert FILE in bundle.manifest.files  # so its checksum is compared
    assert bundle.answers() == [("b", 2), ("a", 1)]


def test_a_bundle_without_the_file_has_none(tmp_path: Path) -> None:
    assert open_bundle(bot(tmp_path / "x", {})).answers() == []


@pytest.mark.parametrize("data", [b"", b'{"text": "c"}\n', None])
def test_answers_of_another_version_are_never_given(tmp_path: Path, data: bytes | None) -> None:
    folder = bot(tmp_path / "x", {FILE: answers_file({"a": 1})})
    bundle = open_bundle(folder)
    (folder / FILE).unlink()
    if data is not None:
        (folder / FILE).write_bytes(data)
    with pytest.raises(BundleError, match="of the bot 'x' are not those that it came with"):
        bundle.answers()


def test_a_damaged_file_is_found_when_the_bot_is_opened(tmp_path: Path) -> None:
    folder = bot(tmp_path / "x", {FILE: answers_file({"a": 1})})
    (folder / FILE).write_bytes(answers_file({"b": 1}))
    with pytest.raises(BundleError, match=r"is damaged: data/answers\.jsonl"):
        open_bundle(folder)


def test_no_more_than_a_bundle_may_hold_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = open_bundle(bot(tmp_path / "x", {FILE: answers_file({"a": 2, "b": 1})}))
    monkeypatch.setattr(store, "MOST_ANSWERS", 1)
    assert bundle.answers() == [("a", 2)]
    monkeypatch.setattr(store, "MOST_BYTES", 10)
    with pytest.raises(BundleError, match="are not those that it came with"):
        bundle.answers()
