"""Choosing a reader, keeping count, and what any reader of any plugin can rely on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatseq.core.errors import CorpusError, PartError
from chatseq.core.exchange import Exchange
from chatseq.core.plugins import Plugin, Registry, discover
from chatseq.corpus.clean import clean
from chatseq.corpus.contracts import BadRows, Source
from chatseq.corpus.read import (
    CONTROLS_REMOVED,
    ReadOptions,
    ReadReport,
    read_corpus,
    reader_settings,
)
from chatseq.corpus.sources import open_sources
from chatseq.hookspecs import hookimpl

EXAMPLES = {
    "csv": ("a.csv", "a,b\n"),
    "tsv": ("a.tsv", "a\tb\n"),
    "json": ("a.json", '[\n["a", "b"]]\n'),
    "jsonl": ("a.jsonl", '["a", "b"]\n'),
    "chatterbot": ("a.yml", "conversations:\n- - a\n  - b\n"),
    "text": ("a.txt", "a\nb\n"),
    "conv": ("a.conv", "E\nM a\nM b\n"),
    "trivia": ("a", "#Q a\n^ b\n"),
    "parallel": ("a.en+a.fr", ""),
}


class LoudReader:
    """A reader of another package: `!question!answer`, on one line."""

    def sniff(self, source: Source) -> int:
        return 99 if source.head.startswith("!") else 0

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        for line in source.lines(bad):
            _, question, answer, tag = line.text.split("!")
            yield Exchange(question, answer, tags=(tag,), source=source.place(line.number))


def with_reader(reference: object) -> Registry:
    class Loud:
        @hookimpl
        def chatseq_corpus_readers(self):
            return {"loud": reference}

    registry = discover()
    registry.add(Plugin("loud", Loud()))
    return registry


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_reader_knows_its_own_files_best_and_gives_their_places(name, write, read):
    file, content = EXAMPLES[name]
    if name == "parallel":
        write("a.en", "a\n")
        write("a.fr", "b\n")
    else:
        write(file, content)
    report = ReadReport()
    (exchange,) = read(file, report=report)
    assert report.files[0].format == name
    assert (exchange.question, exchange.answer) == ("a", "b")
    source, _, line = exchange.source.rpartition(":")
    assert source == report.files[0].name
    assert line.isdecimal()


@pytest.mark.parametrize("name", EXAMPLES)
def test_how_sure_a_reader_is_lies_between_0_and_100(name, write, registry):
    reader = registry.find("corpus-reader", name).load()()
    for file, content in EXAMPLES.values():
        if content:
            write(file, content)
            (source,) = open_sources(file)
            assert 0 <= reader.sniff(source) <= 100


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_reader_that_is_forced_upon_another_format_raises_no_other_error(name, write, registry):
    for file, content in EXAMPLES.values():
        if content:
            write(file, content * 3)
            options = ReadOptions(format=name, skip_bad=True)
            try:
                assert all(e.question for e in read_corpus(registry, [file], options=options))
            except CorpusError as told:
                assert file in str(told)  # noqa: PT017  (either outcome is right)


def test_a_reader_of_another_plugin_gets_everything_for_free(write):
    registry = with_reader(LoudReader)
    write("a.loud", "!  e\u0301\x1b !b!t\x1b\n!!c!\n")
    report = ReadReport()
    options = ReadOptions(skip_bad=True)
    found = list(read_corpus(registry, ["a.loud"], options=options, report=report))
    assert found == [Exchange("é", "b", tags=("t",), source="a.loud:1")]
    assert report.bad.counts == {"the question is empty": 1}
    assert report.bad.notes == {CONTROLS_REMOVED: 1}


def test_a_broken_reader_stops_only_what_needs_it(write):
    registry = with_reader("no_such_package.reader:Reader")
    write("a.tsv", "a\tb\n")
    assert len(list(read_corpus(registry, ["a.tsv"]))) == 1
    with pytest.raises(PartError, match="The corpus-reader 'loud' of plugin loud cannot be loaded"):
        list(read_corpus(registry, ["a.tsv"], options=ReadOptions(format="loud")))


def test_without_readers_nothing_is_recognised(write):
    write("a.tsv", "a\tb\n")
    with pytest.raises(CorpusError) as told:
        list(read_corpus(Registry(), ["a.tsv"]))
    assert str(told.value) == (
        "The format of a.tsv is not recognised. Say what it is: --format NAME."
    )


def test_files_are_read_in_order_and_reported_one_by_one(write, read):
    write("b.tsv", "a\tb\nc\td\n")
    write("a.jsonl", '["e", "f"]\n')
    report = ReadReport()
    found = read("b.tsv", "a.jsonl", report=report)
    assert [exchange.source for exchange in found] == ["b.tsv:1", "b.tsv:2", "a.jsonl:1"]
    assert [(f.name, f.format, f.exchanges) for f in report.files] == [
        ("b.tsv", "tsv", 2),
        ("a.jsonl", "jsonl", 1),
    ]


def test_bad_rows_of_all_files_are_counted_together(write, read):
    write("a.tsv", "a\tb\nc\n")
    write("b.tsv", "d\n e\tf\n")
    report = ReadReport()
    read("a.tsv", "b.tsv", skip_bad=True, report=report)
    assert report.skipped == 2
    assert report.bad.first == {"the row has only one column": "a.tsv:2"}


def test_an_answer_of_control_characters_is_not_taken_for_declining(write, read):
    write("a.tsv", "a\tb\nc\t\x1b\u202e\n")
    with pytest.raises(CorpusError) as told:
        read("a.tsv")
    assert str(told.value) == (
        "a.tsv:2: the answer holds nothing but control characters. Mend it or remove the row."
    )


def test_settings_of_readers_are_told_from_others(registry):
    settings = ("csv.header=true", "training.seed=7", "json.keys=a", "csv")
    mine, others = reader_settings(registry, settings)
    assert mine == ("csv.header=true", "json.keys=a", "csv")
    assert others == ("training.seed=7",)


def test_a_fault_is_raised_or_counted():
    with pytest.raises(CorpusError, match=r"^f:1: wrong \(x\)\. Mend it\.$"):
        BadRows().report("f:1", "wrong", "Mend it.", detail="x")
    bad = BadRows(skip=True)
    bad.report("f:1", "wrong", "Mend it.", detail="x")
    bad.report("f:2", "wrong", "Mend it.")
    assert (bad.counts, bad.first) == ({"wrong": 2}, {"wrong": "f:1"})
    assert bad.first_message == "f:1: wrong (x). Mend it."


def test_a_note_is_never_an_error():
    bad = BadRows()
    bad.note("f:1", "odd")
    bad.note("f:2", "odd")
    assert (bad.notes, bad.first_noted, bad.counts) == ({"odd": 2}, {"odd": "f:1"}, {})


def test_a_name_far_too_long_is_told(read):
    with pytest.raises(CorpusError, match="Cannot read x+: File name too long. Check the path."):
        read("x" * 5000)
    with pytest.raises(CorpusError, match="File name too long"):
        read("x" * 5000 + "+y")


def test_reading_is_lazy(write, registry):
    write("a.tsv", "a\tb\n" + "bad\n")
    first = next(read_corpus(registry, ["a.tsv"]))
    assert first == Exchange("a", "b", source="a.tsv:1")


def test_a_turn_is_cleaned_alike_as_answer_question_and_context(write, read):
    turn = "e\u0301\x1b\x85x" + "y" * 5000
    write("a.jsonl", '["a", "TURN", "b", "c"]\n'.replace("TURN", turn.replace("\x1b", "\\u001b")))
    first, second, third = read("a.jsonl")
    assert first.answer == second.question == third.context[1] == clean(turn)
