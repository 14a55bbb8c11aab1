"""Files to exchanges: choose the reader, read, clean, and keep count of what was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from chatseq.core.errors import CorpusError, ErrorKind, PartError, did_you_mean
from chatseq.core.exchange import Exchange
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.corpus.clean import clean, count_controls
from chatseq.corpus.contracts import BadRows, CorpusReader, Source
from chatseq.corpus.sources import open_sources

KIND = "corpus-reader"
CONTROLS_REMOVED = "control characters were removed"
_REMEMBERED = 512  # turns: those of one conversation come again as context
_SHORT = 4096  # characters; longer turns are not kept


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How the files are to be read."""

    format: str | None = None  # the name of a reader; None: found out for each file
    encoding: str | None = None  # of files without a byte order mark; None: UTF-8
    skip_bad: bool = False  # leave bad rows out and count them, instead of stopping
    settings: tuple[str, ...] = ()  # options of readers: "csv.question=Frage"


@dataclass(slots=True)
class FileReport:
    """What one source gave."""

    name: str
    format: str
    encoding: str
    exchanges: int = 0


@dataclass(slots=True)
class ReadReport:
    """What was read and what was left out; filled while the exchanges are taken."""

    files: list[FileReport] = field(default_factory=list)
    bad: BadRows = field(default_factory=BadRows)

    @property
    def skipped(self) -> int:
        """The number of bad rows that were left out."""
        return sum(self.bad.counts.values())


class _Job(NamedTuple):
    source: Source
    reader: CorpusReader
    report: FileReport


def read_corpus(
    registry: Registry,
    paths: Iterable[str | Path],
    *,
    options: ReadOptions | None = None,
    report: ReadReport | None = None,
) -> Iterator[Exchange]:
    """Yield the exchanges of the files in order, cleaned; memory stays bounded.

    All files are opened and recognised before the first exchange comes.

    Args:
        report: filled on the way, for callers that show what was left out

    Raises:
        CorpusError: a file cannot be read or holds nothing, or, without `skip_bad`, a bad row.
        PartError: no such reader or reader option.
    """
    options = options or ReadOptions()
    report = report if report is not None else ReadReport()
    report.bad.skip = options.skip_bad
    jobs = list(_jobs(registry, paths, options))
    for job in jobs:
        report.files.append(job.report)
        yield from _read(job, report.bad)


def clean_pairs(pairs: Iterable[Exchange | tuple[str, str]]) -> list[Exchange]:
    """Return pairs of question and answer as exchanges, cleaned as those of a file are.

    Raises:
        CorpusError: a question is empty.
    """
    cleaned = []
    for number, pair in enumerate(pairs, 1):
        exchange = pair if isinstance(pair, Exchange) else Exchange(*pair)
        cleaned.append(tidy := _cleaned(exchange, clean))
        if not tidy.question:
            place = exchange.source or f"pair {number}"
            told = f"{place}: the question is empty. Fill it or leave the pair out."
            raise CorpusError(told, kind=ErrorKind.CORPUS_ROW, place=place)
    return cleaned


def reader_settings(
    registry: Registry, settings: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return those settings that are options of readers (`csv.question=...`), and the others."""
    readers = registry.parts(KIND)
    mine: list[str] = []
    others: list[str] = []
    for setting in settings:
        (mine if setting.partition(".")[0] in readers else others).append(setting)
    return tuple(mine), tuple(others)


def _jobs(registry: Registry, paths: Iterable[str | Path], options: ReadOptions) -> Iterator[_Job]:
    readers = _readers(registry, options)
    used: set[str] = set()
    for path in paths:
        for source in open_sources(path, encoding=options.encoding):
            name = options.format or _recognised(source, readers, registry.off_hint())
            used.add(name)
            yield _Job(source, readers[name], FileReport(source.name, name, source.encoding))
    for name in _parsed(registry, options.settings):
        if name not in used:
            read_as = " and ".join(sorted(used))
            raise CorpusError(
                f"No file is read as {name}, so its options have no use (--set {name}.…). "
                f"Set options of {read_as}, or force the format: --format {name}",
                kind=ErrorKind.SETTING_UNKNOWN,
                place=name,
                choices=sorted(used),
            )


def _readers(registry: Registry, options: ReadOptions) -> dict[str, CorpusReader]:
    """Return the readers to choose from, built with their options."""
    given = _parsed(registry, options.settings)
    parts = registry.parts(KIND)
    if options.format is not None:
        parts = {options.format: registry.find(KIND, options.format, where="(--format)")}
    readers = {}
    for name in parts:
        spec = {**given.get(name, {}), "name": name}
        try:
            readers[name] = build_part(registry, KIND, spec, where="in --set")
        except PartError:
            if name in given or options.format is not None:
                raise  # else a broken plugin must not stop files that it has nothing to do with
    return readers


def _parsed(registry: Registry, settings: Iterable[str]) -> dict[str, dict[str, str]]:
    parsed: dict[str, dict[str, str]] = {}
    for setting in settings:
        path, equals, value = setting.partition("=")
        reader, dot, option = path.strip().partition(".")
        if not (equals and dot and reader and option) or option == "name":
            raise PartError(
                f"'{setting}' is no setting of a reader. Write --set reader.option=value, "
                "for example --set csv.question=Frage",
                kind=ErrorKind.SETTING_INVALID,
                place=setting,
            )
        registry.find(KIND, reader, where="in --set")
        parsed.setdefault(reader, {})[option] = value
    return parsed


def _recognised(source: Source, readers: dict[str, CorpusReader], hint: str) -> str:
    sure = {name: reader.sniff(source) for name, reader in readers.items()}
    best = max(sure, key=lambda name: sure[name], default="")
    if not best or sure[best] <= 0:
        names = did_you_mean("", readers)
        raise CorpusError(
            f"The format of {source.name} is not recognised. Say what it is: --format NAME.{names}"
            f"{hint}",
            kind=ErrorKind.FORMAT_UNKNOWN,
            place=source.name,
            choices=sorted(readers),
        )
    return best


def _read(job: _Job, bad: BadRows) -> Iterator[Exchange]:
    clean_turn = _remembering_clean()
    before = sum(bad.counts.values())
    for exchange in job.reader.read(job.source, bad):
        tidy = _cleaned(exchange, clean_turn)
        if tidy is not exchange and _had_controls(exchange):
            bad.note(exchange.source, CONTROLS_REMOVED)
        if not tidy.question:
            bad.report(tidy.source, "the question is empty", "Fill it or remove the row.")
            continue
        if not tidy.answer and exchange.answer.strip():  # else it would mean "decline"
            what = "the answer holds nothing but control characters"
            bad.report(tidy.source, what, "Mend it or remove the row.")
            continue
        job.report.exchanges += 1
        yield tidy
    if not job.report.exchanges:
        left_out = sum(bad.counts.values()) - before
        why = f", and {left_out} bad rows were left out" if left_out else ""
        raise CorpusError(
            f"{job.source.name}: no question with an answer was found{why} (read as "
            f"{job.report.format}). Look at the file, or say what it is: --format NAME",
            kind=ErrorKind.NOTHING_TO_LEARN,
            place=job.source.name,
        )


def _had_controls(exchange: Exchange) -> bool:
    return bool(count_controls(exchange.question) or count_controls(exchange.answer))


def _remembering_clean() -> Callable[[str], str]:
    """Return `clean` for turns of the context, which come again with every later exchange."""
    kept = lru_cache(maxsize=_REMEMBERED)(clean)
    return lambda turn: kept(turn) if len(turn) < _SHORT else clean(turn)


def _cleaned(exchange: Exchange, clean_turn: Callable[[str], str]) -> Exchange:
    question = clean(exchange.question)
    answer = clean(exchange.answer)
    context = exchange.context and tuple(map(clean_turn, exchange.context))
    tags = exchange.tags and tuple(map(clean_turn, exchange.tags))
    if (
        question == exchange.question
        and answer == exchange.answer
        and context == exchange.context
        and tags == exchange.tags
    ):
        return exchange
    return replace(exchange, question=question, answer=answer, context=context, tags=tags)
