"""Opening: packing, encodings, line ends, and one clear line for whatever is no corpus."""

from __future__ import annotations

import gzip
import io
import os
import re
import tracemalloc
import zipfile

import pytest

from chatseq.core.errors import CorpusError
from chatseq.corpus import lines, sources
from chatseq.corpus.read import ReadReport

ROWS = "question,answer\nWie spät?,Früh.\n你好吗,很好\n"


def pairs(exchanges):
    return [(exchange.question, exchange.answer) for exchange in exchanges]


EXPECTED = [("Wie spät?", "Früh."), ("你好吗", "很好")]


def zipped(members: dict[str, str | bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le-mark", "utf-16-be-mark"]
)
def test_a_byte_order_mark_tells_the_encoding(encoding, write, read):
    marked = encoding.endswith("-mark")
    text = ("\ufeff" if marked else "") + ROWS
    write("faq.csv", text.encode(encoding.removesuffix("-mark")))
    assert pairs(read("faq.csv")) == EXPECTED


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16-le", "utf-16-be", "utf-8"])
def test_a_declared_encoding_is_used(encoding, write, read):
    write("faq.csv", ROWS.encode(encoding))
    assert pairs(read("faq.csv", encoding=encoding)) == EXPECTED


def test_a_mark_wins_over_a_declared_encoding(write, read):
    write("faq.csv", ROWS.encode("utf-8-sig"))
    assert pairs(read("faq.csv", encoding="gb18030")) == EXPECTED


def test_utf_16_lines_are_not_cut_inside_characters_that_hold_the_byte_of_a_line_feed(write, read):
    write("faq.tsv", "ਊ\u0a0a\tਊ\n\u0d0a\tb\n".encode("utf-16"))
    assert [exchange.source for exchange in read("faq.tsv")] == ["faq.tsv:1", "faq.tsv:2"]


@pytest.mark.parametrize("name", ["faq.csv.gz", "faq.csv"])
def test_gzip_is_unpacked_by_its_content(name, write, read):
    write(name, gzip.compress(ROWS.encode()))
    assert pairs(read(name)) == EXPECTED


def test_zip_members_are_read_and_companions_passed_over(write, read):
    content = {
        "fra/": b"",
        "fra/_about.txt": "Terms and conditions",
        "fra/README.md": "# Read me",
        "fra/LICENSE": "Free",
        "fra/.hidden.csv": "x,y",
        "__MACOSX/fra/._fra.csv": b"\0\0\0",
        "fra/fra.csv": ROWS,
    }
    write("fra.zip", zipped(content))
    found = read("fra.zip")
    assert pairs(found) == EXPECTED
    assert found[0].source == "fra.zip/fra/fra.csv:2"


def test_members_of_a_zip_come_by_name(write, read):
    write("all.zip", zipped({"b.csv": "c,d\n", "a.csv": "a,b\n"}))
    assert pairs(read("all.zip")) == [("a", "b"), ("c", "d")]


def test_crlf_and_lf_may_alternate(write, read):
    write("faq.tsv", "a\tb\r\nc\td\ne\tf\r\n")
    assert pairs(read("faq.tsv")) == [("a", "b"), ("c", "d"), ("e", "f")]


def test_the_last_line_needs_no_line_feed(write, read):
    write("faq.tsv", "a\tb\r\nc\td")
    assert pairs(read("faq.tsv")) == [("a", "b"), ("c", "d")]


BAD_FILES = {
    "a missing file": ("no.csv", None, "There is no file no.csv. Check the path."),
    "an empty file": (
        "empty.csv",
        b"",
        "empty.csv is empty. Put a question and its answer into each row.",
    ),
    "blank lines only": (
        "blank.csv",
        b"\n \r\n",
        "blank.csv is empty. Put a question and its answer into each row.",
    ),
    "an empty gzip": (
        "e.csv.gz",
        gzip.compress(b""),
        "e.csv.gz is empty. Put a question and its answer into each row.",
    ),
    "a binary file": (
        "photo.csv",
        b"\x89PNG\0\0",
        (
            "photo.csv is a binary file: it holds a zero byte at 4. Give "
            "a text file; if it is UTF-16 without a mark, say so: --encoding utf-16-le"
        ),
    ),
    "a PDF": (
        "faq.pdf",
        b"%PDF-1.4\n",
        ("faq.pdf is a PDF document. Copy its questions and answers into a CSV or text file."),
    ),
    "bzip2": (
        "faq.bz2",
        b"BZh91AY",
        ("faq.bz2 is packed with bzip2. Unpack it first: bunzip2 -k FILE."),
    ),
    "a spreadsheet": (
        "faq.xlsx",
        zipped({"[Content_Types].xml": "<x/>", "xl/sheet.xml": "<x/>"}),
        "faq.xlsx is an Office document. Save its table as CSV and name that.",
    ),
    "a zip without a corpus": (
        "e.zip",
        zipped({"README.md": "x"}),
        "e.zip holds no corpus file. Unpack it and look what is in it.",
    ),
    "a damaged gzip": (
        "d.csv.gz",
        gzip.compress(ROWS.encode() * 99)[:-9],
        (
            "d.csv.gz is damaged: Compressed file "
            "ended before the end-of-stream marker was reached. Fetch or pack the file again."
        ),
    ),
    "a damaged zip": (
        "d.zip",
        b"PK\x03\x04rubbish",
        ("d.zip is damaged: File is not a zip file. Fetch or pack the file again."),
    ),
    "bare returns": (
        "mac.csv",
        b"a,b\rc,d\re,f\r",
        (
            "mac.csv: the lines end in carriage returns alone. Save the "
            "file with line feeds, for example: tr '\\r' '\\n' < OLD > NEW"
        ),
    ),
    "a format nobody knows": (
        "page.yml.csv.json",
        b"hello there",
        (
            "page.yml.csv.json:1: not valid JSON (it begins with "
            "neither [ nor {). Mend the file; nothing after this place can be read."
        ),
    ),
    "Latin-1": (
        "faq.csv",
        b"q,a\nWo?,Caf\xe9\n",
        (
            "faq.csv:2: the text is not UTF-8 (byte 0xe9 at byte 8 "
            "of the line). Save the file as UTF-8, or name the encoding it has: --encoding cp1252, "
            "or leave such rows out: --skip-bad"
        ),
    ),
    "GB18030": (
        "faq.csv",
        "q,a\n你好吗,很好\n".encode("gb18030"),
        (
            "faq.csv:2: the text is not UTF-8 (byte "
            "0xc4 at byte 1 of the line). Save the file as UTF-8, or name the encoding it has: "
            "--encoding gb18030, or leave such rows out: --skip-bad"
        ),
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_is_no_corpus_is_told_in_one_clear_line(case, write, read):
    name, content, message = BAD_FILES[case]
    if content is not None:
        write(name, content)
    with pytest.raises(CorpusError) as told:
        read(name)
    assert str(told.value) == message


def test_a_folder_is_refused_with_the_pattern_of_its_files(write, read):
    write("english/a.yml", "x")
    write("english/b.yml", "x")
    write("english/c.txt", "x")
    with pytest.raises(CorpusError) as told:
        read("english")
    assert str(told.value) == "english is a folder. Name the files in it: english/*.yml"


def test_a_pipe_is_refused(tmp_path, read, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    with pytest.raises(CorpusError, match="pipe is not a regular file. A corpus is read more"):
        read("pipe")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_told(write, read):
    write("secret.csv", ROWS).chmod(0)
    with pytest.raises(CorpusError, match=r"Cannot read secret.csv: Permission denied. Check the"):
        read("secret.csv")


def test_a_fault_of_the_disk_is_told_as_a_corpus_error():
    with pytest.raises(CorpusError) as told, sources.told_as_corpus_errors("faq.csv"):
        raise PermissionError(13, "Permission denied")
    assert str(told.value) == (
        "Cannot read faq.csv: Permission denied. Check the path and your rights to it."
    )


def test_a_locked_zip_is_told(write, read):
    packed = bytearray(zipped({"a.csv": ROWS}))
    packed[6] |= 1  # the flag of encryption, in the member's own header
    packed[packed.index(b"PK\x01\x02") + 8] |= 1  # and in the directory
    write("locked.zip", bytes(packed))
    with pytest.raises(CorpusError, match=r"locked.zip/a.csv cannot be unpacked: .*encrypted"):
        read("locked.zip")


def test_an_unknown_encoding_is_told_with_a_close_one(write, read):
    write("faq.csv", ROWS)
    with pytest.raises(CorpusError) as told:
        read("faq.csv", encoding="utf-9")
    assert str(told.value) == (
        "There is no text encoding 'utf-9' (--encoding). Did you mean 'utf-8'?"
    )


@pytest.mark.parametrize("encoding", ["rot13", "zip", "base64", "undefined"])
def test_codecs_that_are_no_text_encoding_are_refused(encoding, write, read):
    write("faq.csv", ROWS)
    with pytest.raises(CorpusError, match=f"There is no text encoding '{encoding}'"):
        read("faq.csv", encoding=encoding)


def test_all_files_are_opened_before_the_first_exchange(write, registry):
    from chatseq.corpus.read import read_corpus

    write("faq.csv", ROWS)
    with pytest.raises(CorpusError, match=r"There is no file gone.csv"):
        next(read_corpus(registry, ["faq.csv", "gone.csv"]))


@pytest.mark.parametrize("where", [0, 1, 2])
def test_a_bad_line_is_skipped_alone_and_counted(where, write, read):
    rows = [b"a\tb\n", b"c\td\n", b"e\tf\n"]
    rows[where] = b"caf\xe9\tx\n"
    write("faq.tsv", b"".join(rows))
    report = ReadReport()
    found = read("faq.tsv", skip_bad=True, report=report)
    assert [exchange.source for exchange in found] == [
        f"faq.tsv:{number}" for number in (1, 2, 3) if number != where + 1
    ]
    assert report.bad.counts == {"the text is not UTF-8": 1}
    assert report.bad.first == {"the text is not UTF-8": f"faq.tsv:{where + 1}"}


def test_broken_utf_16_has_its_line(write, read):
    write("faq.tsv", b"\xff\xfe" + "a\tb\nc\t".encode("utf-16-le") + b"\x00\xd8" + b"d\0\n\0")
    with pytest.raises(CorpusError, match=r"faq.tsv:2: the text is not UTF-8"):
        read("faq.tsv")


def test_utf_16_cut_in_the_middle_of_a_character_has_its_line(write, read):
    write("faq.tsv", b"\xff\xfe" + "a\tb\nc\td".encode("utf-16-le") + b"x")
    with pytest.raises(CorpusError, match=r"faq.tsv:2: the text is not UTF-8"):
        read("faq.tsv")


def test_a_line_of_100_mb_is_told_within_bounded_memory(write, read):
    write("long.tsv", b"a\tb\n" + b"x" * 100_000_000 + b"\n" + b"c\td\n")
    tracemalloc.start()
    with pytest.raises(CorpusError) as told:
        read("long.tsv")
    report = ReadReport()
    found = read("long.tsv", skip_bad=True, report=report)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(told.value) == (
        "long.tsv:2: the line is longer than 8 MiB. "
        "Check that the file is a corpus with line breaks; break the line if it is."
    )
    assert [exchange.source for exchange in found] == ["long.tsv:1", "long.tsv:3"]
    assert peak < 40_000_000


def test_a_json_file_of_one_long_line_is_no_long_line(write, read, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST_LINE", 1000)
    write("all.json", "[" + ",".join('["你好","b"]' for _ in range(9000)) + "]")
    assert len(read("all.json")) == 9000


def test_a_zip_bomb_is_stopped(write, read, monkeypatch):
    monkeypatch.setattr(sources, "RATIO_FREE", 2**20)
    write("bomb.zip", zipped({"a.tsv": (b"a\t" + b"b" * 500 + b"\n") * 2**14}))
    with pytest.raises(CorpusError) as told:
        read("bomb.zip")
    assert re.fullmatch(
        r"bomb.zip/a.tsv unpacks to more than \d MiB, which its size does not suggest. "
        "If you trust it, unpack it and name the file in it.",
        str(told.value),
    )


def test_a_gzip_bomb_is_stopped(write, read, monkeypatch):
    monkeypatch.setattr(sources, "RATIO_FREE", 2**20)
    write("bomb.tsv.gz", gzip.compress((b"a\t" + b"b" * 500 + b"\n") * 2**14))
    with pytest.raises(CorpusError, match=r"bomb.tsv.gz unpacks to more than \d MiB"):
        read("bomb.tsv.gz")


def test_an_honest_file_of_many_copies_is_no_bomb(write, read):
    write("many.tsv.gz", gzip.compress(b"hello\thi\n" * 100_000))
    assert len(read("many.tsv.gz")) == 100_000


def test_a_zip_of_too_many_files_is_refused(write, read, monkeypatch):
    monkeypatch.setattr(sources, "MOST_MEMBERS", 2)
    write("many.zip", zipped({f"{n}.csv": "a,b" for n in range(3)}))
    with pytest.raises(CorpusError, match=r"many.zip holds 3 files, more than 2. Unpack it and"):
        read("many.zip")


def test_nothing_is_written_beside_a_zip(write, read, tmp_path):
    write("slip.zip", zipped({"../../evil.csv": "a,b\n", "/evil.csv": "c,d\n"}))
    before = sorted(tmp_path.parent.rglob("*"))
    assert pairs(read("slip.zip")) == [("c", "d")]
    assert sorted(tmp_path.parent.rglob("*")) == before
