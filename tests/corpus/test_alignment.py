"""Whatever characters a text holds, an answer never stands under another question."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatseq.core.errors import CorpusError
from chatseq.core.plugins import discover
from chatseq.corpus.clean import clean
from chatseq.corpus.read import ReadOptions, read_corpus
from chatseq.text.terminal import safe

REGISTRY = discover()
few = settings(max_examples=40, deadline=None)
many = settings(max_examples=200, deadline=None)

# What other programs take for the end of a line, besides anything else.
BREAKS = "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e"
characters = st.one_of(
    st.sampled_from(list(BREAKS) + list(" ,;\"'|#^EMé你\u0130\ufeff\x1b\x01\x7f\u202e")),
    st.characters(exclude_characters="\n\r\t\x00", exclude_categories=["Cs"]),
)
texts = st.text(characters, min_size=1, max_size=12)
rows = st.lists(st.tuples(texts, texts), min_size=1, max_size=8)
ends = st.sampled_from(["\n", "\r\n"])


def marked(given: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Give each row a number on both sides, and ends that no cleaning strips."""
    return [(f"q{n} {q} .", f"a{n} {a} .") for n, (q, a) in enumerate(given)]


def assert_aligned(name: str, content: str, given: list[tuple[str, str]], **options) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(content.encode())
        found = list(read_corpus(REGISTRY, [file], options=ReadOptions(**options)))
    assert [(e.question, e.answer) for e in found] == [(clean(q), clean(a)) for q, a in given]


@given(rows=rows, end=ends)
@few
def test_tsv_rows_stay_together(rows, end):
    given = marked(rows)
    assert_aligned("x.tsv", end.join(f"{q}\t{a}" for q, a in given), given)


@given(rows=rows, end=ends, quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
@few
def test_csv_rows_stay_together(rows, end, quoting):
    given = marked(rows)
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator=end, quoting=quoting).writerows(given)
    assert_aligned("x.csv", written.getvalue(), given, settings=("csv.delimiter=,",))


@given(rows=rows, end=ends, ascii_only=st.booleans())
@few
def test_json_lines_stay_together(rows, end, ascii_only):
    given = marked(rows)
    lines = (json.dumps({"question": q, "answer": a}, ensure_ascii=ascii_only) for q, a in given)
    assert_aligned("x.jsonl", end.join(lines), given)


@given(rows=rows, indent=st.sampled_from([None, 1]))
@few
def test_json_records_stay_together(rows, indent):
    given = marked(rows)
    assert_aligned("x.json", json.dumps(given, ensure_ascii=False, indent=indent), given)


@given(rows=rows, end=ends)
@few
def test_text_conversations_stay_together(rows, end):
    given = marked(rows)
    content = f"{end}{end}".join(f"{q}{end}{a}" for q, a in given)
    assert_aligned("x.txt", content, given, format="text", settings=("text.turn=line",))


@given(rows=rows, end=ends)
@few
def test_e_m_conversations_stay_together(rows, end):
    given = marked(rows)
    content = end.join(f"E{end}M {q}{end}M {a}" for q, a in given)
    assert_aligned("x.conv", content, given)


@given(rows=rows, end=ends)
@few
def test_parallel_lines_stay_together(rows, end):
    given = marked(rows)
    with TemporaryDirectory() as folder:
        sides = [Path(folder) / name for name in ("x.en", "x.fr")]
        for side, file in enumerate(sides):
            file.write_bytes(end.join(row[side] for row in given).encode())
        found = list(read_corpus(REGISTRY, [f"{sides[0]}+{sides[1]}"]))
    assert [(e.question, e.answer) for e in found] == [(clean(q), clean(a)) for q, a in given]


@given(rows=rows, encoding=st.sampled_from(["utf-16", "utf-32", "utf-8-sig", "gb18030"]))
@few
def test_rows_stay_together_in_every_encoding(rows, encoding):
    given = marked(rows)
    content = "\n".join(f"{q}\t{a}" for q, a in given)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "x.tsv"
        file.write_bytes(content.encode(encoding))
        options = ReadOptions(encoding=encoding if encoding == "gb18030" else None)
        found = list(read_corpus(REGISTRY, [file], options=options))
    assert [(e.question, e.answer) for e in found] == [(clean(q), clean(a)) for q, a in given]


@given(
    content=st.binary(min_size=1, max_size=200),
    name=st.sampled_from(["x.csv", "x.tsv", "x.json", "x.jsonl", "x.yml", "x.txt", "x.conv", "x"]),
    skip=st.booleans(),
)
@many
def test_no_bytes_whatever_raise_anything_but_a_corpus_error(content, name, skip):
    with TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(content)
        with contextlib.suppress(CorpusError):
            for exchange in read_corpus(REGISTRY, [file], options=ReadOptions(skip_bad=skip)):
                assert exchange.question


@given(st.text(st.characters()))
def test_a_cleaned_text_holds_nothing_that_a_terminal_obeys(text):
    assert safe(clean(text)) == clean(text)
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("dirty", "tidy"),
    [
        ("  a\tb \n", "a\tb"), ("a\x1b[31mb", "a[31mb"), ("a\r\nb\rc\x85d\u2028e", "a\nb\nc\nd\ne"),
        ("e\u0301", "é"), ("\ufeffa\u202eb\u200fc", "abc"), ("a\ud800", "a\ufffd"),
        ("a\x00b", "ab"),
        ("Bon\u202f!", "Bon\u202f!"), ("👩\u200d🚀", "👩\u200d🚀"),
    ],
)  # fmt: skip
def test_cleaning_an_example(dirty, tidy):
    assert clean(dirty) == tidy
