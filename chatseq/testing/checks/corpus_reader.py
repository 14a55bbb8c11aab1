"""What every corpus reader must keep to; see chatseq.corpus.contracts.CorpusReader.

Its format is the one that `example_file` writes, or else those of the usual formats of which it is
the surest of all readers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

from chatseq.core.errors import CorpusError
from chatseq.core.exchange import Exchange
from chatseq.corpus.clean import clean
from chatseq.corpus.contracts import BadRows, CorpusReader, Line, Source
from chatseq.corpus.sources import open_sources
from chatseq.testing.check import Context, Make, NotApplicable, check, require
from chatseq.testing.checks.formats import Beside, Files, Writes, usual_formats, written_by
from chatseq.testing.registry import builtin_registry
from chatseq.testing.rounds import Rounds
from chatseq.testing.subject import ANSWERS_ELSEWHERE, EXAMPLE_FILE, Pairs

KIND = "corpus-reader"
BREAKS = "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e"  # what other programs take for the end of a line
PAIRS = tuple((f"q{n}. what is it", f"a{n}. it is this") for n in range(1, 7))
BROKEN_LINES = tuple((f"q{n}. {b}what is it", f"a{n}. it {b} is") for n, b in enumerate(BREAKS, 1))
DAMAGED = re.compile("([qa]3[.])( [wi])")  # between which a byte is spoilt, once in a file
MANY = 3000


def arguments() -> Iterator[tuple[()]]:
    """Yield nothing: a reader has options only."""
    yield ()


@check()
def its_sureness_is_a_whole_number_to_100(make: Make, context: Context) -> None:
    """Sniffing gives 0 for what is not its own, up to 100 for what certainly is."""
    reader = make()
    for files in (write(PAIRS) for write in usual_formats().values()):
        sure = reader.sniff(_source(files, context))
        fits = type(sure) is int and 0 <= sure <= 100
        require(fits, f"it is {sure!r} sure of {'+'.join(files)}")


@check(Rounds.FIRST)
def it_reads_what_it_claims(make: Make, context: Context) -> None:
    """Of a file of which it is the surest of all readers, it reads the right pairs."""
    reader = make()
    for format_, write in usual_formats().items():
        source = _source(write(PAIRS), context)
        if _is_surest(reader, source, context):
            try:
                found = _pairs(reader.read(source, BadRows()))
            except CorpusError as fault:
                raise AssertionError(f"it claims {format_}, and reads: {fault}") from fault
            require(found == list(PAIRS), f"it claims {format_}, and reads {found[:2]}")


@check(Rounds.FIRST)
def its_own_files_are_recognised(make: Make, context: Context) -> None:
    """Of a file in its format it is surer than all other readers."""
    reader = make()
    for source in _own(reader, context, PAIRS):
        require(_is_surest(reader, source, context), f"another reader is as sure of {source.name}")


@check(Rounds.FIRST)
def pairs_come_with_their_places(make: Make, context: Context) -> None:
    """Every pair is read in order, each with `file:line` of where its record begins."""
    for source in _own(make(), context, PAIRS):
        found = list(make().read(source, BadRows()))
        require(_pairs(found) == list(PAIRS), f"of {source.name} it reads {_pairs(found)[:2]}")
        asked_in = _line_of_each(source)
        lines = [_line(exchange, source) for exchange in found]
        for number, (before, own) in enumerate(pairwise((0, *asked_in))):
            told = f"the record of {PAIRS[number][0]!r} is told to begin in line {lines[number]}"
            fits = min(before + 1, own) <= lines[number] <= own
            require(fits, f"{told}, and its question stands in line {own}")


@check(Rounds.FIRST)
def strange_line_ends_shift_no_pair(make: Make, context: Context) -> None:
    """Characters that other programs take for line ends leave every answer where it belongs."""
    wanted = [(_plain(question), _plain(answer)) for question, answer in BROKEN_LINES]
    for source in _own(make(), context, BROKEN_LINES):
        found = [(_plain(q), _plain(a)) for q, a in _pairs(make().read(source, BadRows()))]
        require(len(found) == len(wanted), f"{len(wanted)} pairs are written, {len(found)} read")
        for one, other in zip(found, wanted, strict=True):
            require(one == other, f"{other} is read as {one}")


@check(Rounds.FIRST)
def bad_rows_are_reported(make: Make, context: Context) -> None:
    """A damaged row is an error with its place, or is counted and left out; no other is touched."""
    reader = make()
    for files, spoilt in _spoilt(_own_files(reader, context, PAIRS)):
        source = _source(files, context, spoilt)
        bad = BadRows(skip=True)
        found = _pairs(reader.read(source, bad))
        wrong = [pair for pair in found if pair not in PAIRS]
        require(not wrong, f"beside a damaged row it reads {wrong[:2]}")
        require(bool(bad.counts), "a damaged row is neither read nor reported")
        try:
            list(reader.read(source, BadRows()))
        except CorpusError as fault:
            names = "|".join(map(re.escape, files))
            told = re.search(rf"({names}):\d+", str(fault))
            require(told is not None, f"the error tells no place: {fault}")
        else:
            raise AssertionError("a damaged row is passed over where it should be an error")


@check(Rounds.FIRST)
def anything_is_read_or_refused(make: Make, context: Context) -> None:
    """Whatever its files hold, or if one is missing, nothing but a CorpusError is raised."""
    reader = make()
    foreign = ["".join(write(PAIRS).values()) for write in usual_formats().values()]
    odd = ["x", "\ufffd\t\t\n\n\n,", '"', "{[" * 500, "\\u12", "- - - -\n:", "<a>&amp;</a>", "\t\n"]
    for own in _own_files(reader, context, PAIRS):
        for text in (*foreign, *odd):
            odd_source = _source(own, context, dict.fromkeys(own, (text + "\nz\n").encode()))
            with suppress(CorpusError):
                for exchange in reader.read(odd_source, BadRows(skip=True)):
                    require(isinstance(exchange, Exchange), f"it yields {exchange!r}")
        _missing_files_are_told(reader, own, context)


@check(Rounds.FIRST)
def reading_needs_little_memory(make: Make, context: Context) -> None:
    """The first pair comes long before the last line of a large file was read."""
    if elsewhere := getattr(context.subject.component, ANSWERS_ELSEWHERE, ""):
        raise NotApplicable(f"its answers stand elsewhere: {elsewhere}")
    many = [(f"q{n}. what is it", f"a{n}. it is this") for n in range(MANY)]
    for source in _own(make(), context, many):
        taken = [0]
        counted = replace(
            source, lines=_counting(source.lines, taken), pieces=_counting(source.pieces, taken)
        )
        next(make().read(counted, BadRows()))
        total = sum(len(line.text) for line in source.lines(BadRows()))
        what = f"the first of {MANY} pairs comes after {taken[0]} of {total} characters"
        require(taken[0] < total / 2, what)


@check(Rounds.FIRST)
def one_reader_serves_many_files(make: Make, context: Context) -> None:
    """Two files that are read in turns give what each gives alone."""
    reader = make()
    for one, other in zip(
        _own(reader, context, PAIRS), _own(reader, context, PAIRS[::-1]), strict=True
    ):
        both = zip(reader.read(one, BadRows()), reader.read(other, BadRows()), strict=False)
        first, second = map(list, zip(*both, strict=True))
        require(_pairs(first) == list(PAIRS), "two files that are read in turns mix")
        require(_pairs(second) == list(PAIRS[::-1]), "two files that are read in turns mix")


def _own(reader: CorpusReader, context: Context, pairs: Pairs) -> Iterator[Source]:
    """Yield these pairs as sources in each format of the reader."""
    for files in _own_files(reader, context, pairs):
        yield _source(files, context)


def _own_files(reader: CorpusReader, context: Context, pairs: Pairs) -> list[Files]:
    return [write(pairs) for write in _own_formats(reader, context)]


def _own_formats(reader: CorpusReader, context: Context) -> list[Writes]:
    write = context.subject.file or getattr(context.subject.component, EXAMPLE_FILE, None)
    if write is not None:
        return [written_by(write)]
    own = [
        write
        for write in usual_formats().values()
        if _is_surest(reader, _source(write(PAIRS), context), context)
    ]
    if not own:
        raise NotApplicable(
            "no file of its format is at hand; give example_file(pairs) -> (name, text)"
        )
    return own


def _is_surest(reader: CorpusReader, source: Source, context: Context) -> bool:
    sure = reader.sniff(source)
    component = context.subject.component
    others = [other.sniff(source) for each, other in _installed() if each is not component]
    return 0 < sure >= max(others, default=0)


@cache
def _installed() -> tuple[tuple[Any, CorpusReader], ...]:
    """Return chatseq's own readers and what builds them."""
    loaded = [part.load() for part in builtin_registry().parts(KIND).values()]
    return tuple((component, component()) for component in loaded)


def _missing_files_are_told(reader: CorpusReader, own: Files, context: Context) -> None:
    """Require that an error names the file that should lie beside the first."""
    first, *others = own
    if not isinstance(own, Beside) or not others:
        return
    source, names = _source(Beside({first: own[first]}), context), " and ".join(others)
    try:
        found = _pairs(reader.read(source, BadRows(skip=True)))
    except CorpusError as fault:
        named = any(name in str(fault) for name in others)
        require(named, f"{names} is missing, and the error is: {fault}")
    else:
        raise AssertionError(f"{names} is missing, and it reads {found[:2]}")


def _spoilt(own: Sequence[Files]) -> Iterator[tuple[Files, Mapping[str, bytes]]]:
    """Yield files with what stands in one of them instead: a record that is damaged."""
    for files in own:
        named = files if isinstance(files, Beside) else [next(iter(files))]
        for name in named:
            damaged = DAMAGED.sub("\\1\ud800\\2", files[name], count=1)
            yield files, {name: damaged.encode(errors="surrogatepass")}


def _source(files: Files, context: Context, instead: Mapping[str, bytes] | None = None) -> Source:
    """Return files as a source, some of them with another content."""
    folder = context.folder()
    contents = {name: text.encode() for name, text in files.items()} | dict(instead or {})
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    named = list(files)[:1] if isinstance(files, Beside) else list(files)
    [source] = open_sources("+".join(str(folder / name) for name in named))
    return source


def _pairs(found: Any) -> list[tuple[str, str]]:
    return [(clean(exchange.question), clean(exchange.answer)) for exchange in found]


def _plain(text: str) -> str:
    return " ".join(clean(text).split())


def _line(exchange: Exchange, source: Source) -> int:
    match = re.fullmatch(rf"{re.escape(source.name)}:(\d+)", exchange.source)
    require(match is not None, f"{exchange.source!r} is no place like {source.name}:1")
    return int(match[1]) if match else 0


def _line_of_each(source: Source) -> list[int]:
    """Return the line in which each question stands."""
    lines = list(source.lines(BadRows()))
    marks = [question.partition(".")[0] + "." for question, _ in PAIRS]
    return [next(line.number for line in lines if mark in line.text) for mark in marks]


def _counting(
    read: Callable[[BadRows], Iterator[Line]], taken: list[int]
) -> Callable[[BadRows], Iterator[Line]]:
    def counted(bad: BadRows) -> Iterator[Line]:
        for line in read(bad):
            taken[0] += len(line.text)
            yield line

    return counted
