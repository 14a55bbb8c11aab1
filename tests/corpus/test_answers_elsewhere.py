"""Corpus readers that find the answer elsewhere in the file, or in a file beside it.

They are the readers of docs/hooks/chatseq_corpus_readers.md.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatseq.core.errors import CorpusError, ErrorKind
from chatseq.core.exchange import Exchange
from chatseq.corpus.contracts import BadRows, Source
from chatseq.corpus.read import ReadOptions, ReadReport, read_corpus
from chatseq.corpus.sources import open_beside, open_sources
from chatseq.hookspecs import hookimpl
from chatseq.testing import Outcome, broken, builtin_registry, check_part

PAGE = Path(__file__).parents[2] / "docs" / "hooks" / "chatseq_corpus_readers.md"
BLOCK = re.compile(r"(?:^    .*\n|^\n(?=\n*    ))+", re.MULTILINE)


def readers() -> dict[str, Any]:
    """Return what the blocks of the page define."""
    found: dict[str, Any] = {}
    section = PAGE.read_text(encoding="utf-8").partition("## Answers that stand elsewhere")[2]
    for block in BLOCK.findall(section.partition("## Example")[0]):
        exec(textwrap.dedent(block), found)  # noqa: S102  (our own page)
    return found


SectionReader: Any = readers()["SectionReader"]
TwoFileReader: Any = readers()["TwoFileReader"]
READERS = [SectionReader, TwoFileReader]
MEMORY = "reading needs little memory"


class Plugin:
    @hookimpl
    def chatseq_corpus_readers(self) -> dict[str, object]:
        return {"sections": SectionReader, "two-files": TwoFileReader}


def outcome(component: Any, name: str) -> Outcome:
    [found] = [o for o in check_part("corpus-reader", component) if o.check.name == name]
    return found


@pytest.mark.parametrize("component", READERS)
def test_they_pass_all_checks_but_the_one_that_they_declare(component: Any) -> None:
    outcomes = check_part("corpus-reader", component, name="mine")
    assert broken(outcomes) == []
    [left_out] = [o for o in outcomes if o.result == "not applicable"]
    assert left_out.check.name == MEMORY
    assert left_out.reason == f"its answers stand elsewhere: {component.answers_elsewhere}"


def test_without_the_declaration_memory_must_stay_bounded() -> None:
    class Silent(SectionReader):
        """Read it all before the first pair."""

        answers_elsewhere = ""

    assert "the first of 3000 pairs comes after" in outcome(Silent, MEMORY).reason


class TakesTheNextAnswer(SectionReader):
    """Give answers to questions by their order, whatever their numbers."""

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        marked = [line.text for line in source.lines(bad) if not line.damaged]
        asked = [text[4:] for text in marked if text[:1] == "Q"]
        said = [text[4:] for text in marked if text[:1] == "A"]
        for at, (question, answer) in enumerate(zip(asked, said, strict=False), 1):
            yield Exchange(question, answer, source=source.place(at))


class IgnoresDamage(TwoFileReader):
    """Take a damaged answer as it is."""

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        other = open_beside(source, f"{source.path.stem}.answers")
        answers = [line.text.partition(" ")[2] for line in other.lines(bad)]
        for line, answer in zip(source.lines(bad), answers, strict=False):
            if not line.damaged:
                place = source.place(line.number)
                yield Exchange(line.text.partition(" ")[2], answer, source=place)


class NeedsNoAnswers(TwoFileReader):
    """Read nothing where the other file is missing."""

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        if source.path.with_suffix(".answers").exists():
            yield from super().read(source, bad)


class OpensItself(TwoFileReader):
    """Open the other file without a word about its fault."""

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        source.path.with_suffix(".answers").read_bytes()
        return super().read(source, bad)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("wrong", "check", "told"),
    [
        (TakesTheNextAnswer, "bad rows are reported", "beside a damaged row it reads"),
        (IgnoresDamage, "bad rows are reported", "beside a damaged row it reads"),
        (NeedsNoAnswers, "anything is read or refused",
         "example.answers is missing, and it reads []"),
        (OpensItself, "anything is read or refused", "FileNotFoundError"),
    ],
)  # fmt: skip
def test_what_they_declare_excuses_nothing_else(wrong: Any, check: str, told: str) -> None:
    assert told in outcome(wrong, check).reason


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"faq.{name}").write_text(text, encoding="utf-8")
    return folder / f"faq.{next(iter(texts))}"


def test_two_files_are_read_by_the_name_of_one(tmp_path: Path) -> None:
    file = write(tmp_path, questions="1 Where?\n2 When?\n", answers="2 Now.\n1 Here.\n")
    report = ReadReport()
    found = list(read_corpus(builtin_registry(Plugin()), [file], report=report))
    assert [(each.question, each.answer) for each in found] == [
        ("Where?", "Here."),
        ("When?", "Now."),
    ]
    assert [each.source for each in found] == [f"{file}:1", f"{file}:2"]
    assert report.files[0].format == "two-files"


def test_a_damaged_answer_is_told_with_its_own_file_and_line(tmp_path: Path) -> None:
    file = write(tmp_path, questions="1 Where?\n2 When?\n", answers="")
    (tmp_path / "faq.answers").write_bytes(b"1 Here.\n2 N\xffw.\n")
    with pytest.raises(CorpusError, match=r"faq\.answers:2"):
        list(read_corpus(builtin_registry(Plugin()), [file]))
    left = read_corpus(builtin_registry(Plugin()), [file], options=ReadOptions(skip_bad=True))
    assert [each.question for each in left] == ["Where?"]


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    file = write(tmp_path, questions="1 Where?\n")
    with pytest.raises(CorpusError) as caught:
        list(read_corpus(builtin_registry(Plugin()), [file]))
    assert str(caught.value) == (
        f"{file} needs the file faq.answers beside it. Put it there, or mend its name."
    )
    assert caught.value.kind is ErrorKind.CORPUS_NOT_FOUND
    assert caught.value.place == str(tmp_path / "faq.answers")


def test_beside_a_member_of_an_archive_nothing_is_found(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "faq.zip", "w") as archive:
        archive.writestr("faq.questions", "1 Where?\n")
    [source] = open_sources(tmp_path / "faq.zip")
    with pytest.raises(CorpusError, match=r"lies in an archive, .* Unpack both\."):
        open_beside(source, "faq.answers")


def test_the_other_file_has_the_encoding_that_was_given(tmp_path: Path) -> None:
    (tmp_path / "faq.questions").write_bytes("1 Où?\n".encode("latin-1"))
    (tmp_path / "faq.answers").write_bytes("1 Là.\n".encode("latin-1"))
    [source] = open_sources(tmp_path / "faq.questions", encoding="latin-1")
    [line] = open_beside(source, "faq.answers").lines(BadRows())
    assert line.text == "1 Là."
