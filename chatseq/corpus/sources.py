"""Paths to sources: find out packing and encoding, refuse what is no corpus, guard the limits.

A gzip file is one source, a zip file one for each member that looks like a corpus. Nothing is
ever unpacked to disk.
"""

from __future__ import annotations

import codecs
import gzip
import io
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from chatseq.core.errors import CorpusError, ErrorKind
from chatseq.corpus.contracts import BadRows, Line, Source
from chatseq.corpus.lines import (
    check_encoding,
    decoded_lines,
    decoded_pieces,
    is_wide,
    newline_bytes,
)

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MOST_MEMBERS = 10_000  # of a zip file
MOST_UNPACKED = 2 * 2**30  # bytes from one packed file
RATIO_FREE = 64 * 2**20  # bytes that may be unpacked at any ratio
HIGHEST_RATIO = 100  # unpacked to packed, beyond those
_HEAD = 2**16
_HEAD_CHARACTERS = 2**14

_MARKS = (  # longest first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FOREIGN = (
    (b"BZh", "is packed with bzip2", "Unpack it first: bunzip2 -k FILE"),
    (b"\xfd7zXZ", "is packed with xz", "Unpack it first: unxz -k FILE"),
    (b"\x28\xb5\x2f\xfd", "is packed with zstd", "Unpack it first: unzstd FILE"),
    (b"7z\xbc\xaf", "is a 7z archive", "Unpack it and name the files in it"),
    (b"%PDF", "is a PDF document", "Copy its questions and answers into a CSV or text file"),
    (b"SQLite format 3\0", "is a SQLite database", "Export the table as CSV"),
)
_NO_CORPUS = ("readme", "license", "licence", "copying", "about", "changelog", "notice")

Opener = Callable[[], IO[bytes]]


def open_sources(path: str | Path, *, encoding: str | None = None) -> list[Source]:
    """Return the sources that a path names; `one.en+one.fr` names two parallel files.

    Raises:
        CorpusError: the path is missing, unreadable, empty, binary, or holds no corpus.
    """
    if encoding is not None:
        check_encoding(encoding)
    left, plus, right = str(path).rpartition("+")
    if plus and left and right and not _is_there(Path(path)):
        question_side = _only(_opened(Path(left), encoding), left)
        answer_side = _only(_opened(Path(right), encoding), right)
        return [replace(question_side, partner=answer_side)]
    return _opened(Path(path), encoding)


def open_beside(source: Source, name: str) -> Source:
    """Return the file of that name that lies beside a source, for readers of two files.

    Its encoding is that of the source, unless it has a mark of its own.

    Raises:
        CorpusError: there is none, it is no corpus, or the source lies in an archive.
    """
    path = source.path.with_name(name)
    if source.name != str(source.path):
        raise CorpusError(
            f"{source.name} lies in an archive, and {name} is looked for beside it. Unpack both.",
            place=source.name,
        )
    if not _is_there(path):
        raise CorpusError(
            f"{source.name} needs the file {name} beside it. Put it there, or mend its name.",
            kind=ErrorKind.CORPUS_NOT_FOUND,
            place=str(path),
        )
    return _only(_opened(path, source.encoding), str(path))


def source_of(name: str, path: Path, opener: Opener, encoding: str | None = None) -> Source:
    """Return the source behind an opener of bytes; the encoding is that of its mark, if any."""
    with told_as_corpus_errors(name), opener() as stream:
        raw = stream.read(_HEAD)
    mark, marked = next(((m, e) for m, e in _MARKS if raw.startswith(m)), (b"", ""))
    found = marked or encoding or "utf-8"
    wide = is_wide(found)
    _refuse_binary(name, raw, wide)

    def open_text() -> IO[bytes]:
        stream = opener()
        stream.read(len(mark))
        return newline_bytes(stream, found) if wide else stream

    def lines(bad: BadRows) -> Iterator[Line]:
        with told_as_corpus_errors(name), open_text() as stream:
            yield from decoded_lines(name, stream, "utf-8" if wide else found, bad)

    def pieces(bad: BadRows) -> Iterator[Line]:
        with told_as_corpus_errors(name), open_text() as stream:
            yield from decoded_pieces(name, stream, "utf-8" if wide else found, bad)

    with open_text() as stream:
        head = stream.read(_HEAD).decode("utf-8" if wide else found, "replace")
    if not head.strip():
        told = f"{name} is empty. Put a question and its answer into each row."
        raise CorpusError(told, kind=ErrorKind.NOTHING_TO_LEARN, place=name)
    _refuse_bare_returns(name, head)
    suffix = PurePosixPath(name.lower().removesuffix(".gz")).suffix
    return Source(name, path, suffix, head[:_HEAD_CHARACTERS], lines, pieces, found)


@contextmanager
def told_as_corpus_errors(name: str) -> Iterator[None]:
    """Turn what goes wrong with a file or a packing into a CorpusError."""
    try:
        yield
    except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile) as fault:
        told = f"{name} is damaged: {fault}. Fetch or pack the file again."
        raise CorpusError(told, place=name) from fault
    except (NotImplementedError, RuntimeError) as fault:  # a packing or password zipfile refuses
        told = f"{name} cannot be unpacked: {fault}. Unpack it yourself."
        raise CorpusError(told, place=name) from fault
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise CorpusError(
            f"Cannot read {name}: {reason}. Check the path and your rights to it.",
            place=name,
        ) from fault


def _opened(path: Path, encoding: str | None) -> list[Source]:
    _refuse_special(path)
    name = str(path)
    with told_as_corpus_errors(name), path.open("rb") as stream:
        start = stream.read(4)
    if start[:2] == b"PK" and start[2:4] in (b"\x03\x04", b"\x05\x06"):
        return list(_members(path, encoding))
    if start[:2] == b"\x1f\x8b":
        return [source_of(name, path, lambda: _open_gzip(path), encoding)]
    return [source_of(name, path, lambda: path.open("rb"), encoding)]


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name far too long
        return False


def _refuse_special(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        told = f"There is no file {path}. Check the path."
        raise CorpusError(told, kind=ErrorKind.CORPUS_NOT_FOUND, place=str(path)) from None
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault)
        told = f"Cannot read {path}: {reason}. Check the path."
        raise CorpusError(told, place=str(path)) from fault
    if stat.S_ISDIR(mode):
        suffixes = Counter(file.suffix for file in _listed(path) if file.suffix)
        pattern = f"*{suffixes.most_common(1)[0][0]}" if suffixes else "*"
        told = f"{path} is a folder. Name the files in it: {path / pattern}"
        raise CorpusError(told, place=str(path), choices=[str(path / pattern)])
    if not stat.S_ISREG(mode):
        raise CorpusError(
            f"{path} is not a regular file. A corpus is read more than once; save it to a file.",
            place=str(path),
        )


def _listed(folder: Path) -> list[Path]:
    try:
        return [file for file in folder.iterdir() if not file.name.startswith(".")]
    except OSError:
        return []


def _members(path: Path, encoding: str | None) -> Iterator[Source]:
    with told_as_corpus_errors(str(path)), zipfile.ZipFile(path) as archive:
        listed = archive.infolist()
    if len(listed) > MOST_MEMBERS:
        raise CorpusError(
            f"{path} holds {len(listed)} files, more than {MOST_MEMBERS}. "
            "Unpack it and name the files to read.",
            place=str(path),
        )
    if any(member.filename == "[Content_Types].xml" for member in listed):
        told = f"{path} is an Office document. Save its table as CSV and name that."
        raise CorpusError(told, place=str(path))
    chosen = [member for member in listed if _may_be_corpus(member)]
    if not chosen:
        told = f"{path} holds no corpus file. Unpack it and look what is in it."
        raise CorpusError(told, place=str(path))
    for member in sorted(chosen, key=lambda member: member.filename):
        yield source_of(f"{path}/{member.filename}", path, _opener_of(path, member), encoding)


def _may_be_corpus(member: zipfile.ZipInfo) -> bool:
    """Leave out folders, links, hidden files and the papers that come with a corpus."""
    parts = PurePosixPath(member.filename).parts
    linked = stat.S_ISLNK(member.external_attr >> 16)
    if member.is_dir() or linked or not parts or member.file_size == 0:
        return False
    if any(part.startswith((".", "__MACOSX")) for part in parts):
        return False
    name = parts[-1].lower()
    return not name.startswith("_") and PurePosixPath(name).stem not in _NO_CORPUS


def _opener_of(path: Path, member: zipfile.ZipInfo) -> Opener:
    def opener() -> IO[bytes]:
        archive = zipfile.ZipFile(path)
        try:
            inner = archive.open(member)
        except BaseException:
            archive.close()
            raise
        name = f"{path}/{member.filename}"
        return io.BufferedReader(_Unpacked(inner, archive.close, member.compress_size, name))

    return opener


def _open_gzip(path: Path) -> IO[bytes]:
    inner = gzip.GzipFile(path, "rb")
    return io.BufferedReader(
        _Unpacked(inner, lambda: None, path.stat().st_size, str(path)), buffer_size=_HEAD
    )


class _Unpacked(io.RawIOBase):
    """The bytes of a packed file, up to the size and the ratio of an honest one."""

    def __init__(
        self,
        inner: IO[bytes] | gzip.GzipFile,
        release: Callable[[], None],
        packed_size: int,
        name: str,
    ) -> None:
        self._inner = inner
        self._release = release
        self._limit = min(MOST_UNPACKED, max(RATIO_FREE, packed_size * HIGHEST_RATIO))
        self._total = 0
        self._name = name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        chunk = self._inner.read(len(view))
        view[: len(chunk)] = chunk
        self._total += len(chunk)
        if self._total > self._limit:
            raise CorpusError(
                f"{self._name} unpacks to more than {self._limit // 2**20} MiB, which its size "
                "does not suggest. If you trust it, unpack it and name the file in it.",
                place=self._name,
            )
        return len(chunk)

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
            self._release()
        super().close()


def _only(sources: list[Source], name: str) -> Source:
    if len(sources) != 1:
        raise CorpusError(
            f"{name} holds {len(sources)} files, and one side of a parallel corpus is one file. "
            "Unpack it and name the file.",
            place=name,
        )
    return sources[0]


def _refuse_binary(name: str, raw: bytes, wide: bool) -> None:
    for magic, what, advice in _FOREIGN:
        if raw.startswith(magic):
            raise CorpusError(f"{name} {what}. {advice}.", place=name)
    if raw[257:262] == b"ustar":
        told = f"{name} is a tar archive. Unpack it and name the files in it."
        raise CorpusError(told, place=name)
    if b"\0" in raw and not wide:
        raise CorpusError(
            f"{name} is a binary file: it holds a zero byte at {raw.index(0)}. Give a text file; "
            "if it is UTF-16 without a mark, say so: --encoding utf-16-le",
            place=name,
        )


def _refuse_bare_returns(name: str, head: str) -> None:
    if "\n" not in head and head.rstrip("\r").count("\r") > 1:
        raise CorpusError(
            f"{name}: the lines end in carriage returns alone. "
            "Save the file with line feeds, for example: tr '\\r' '\\n' < OLD > NEW",
            place=name,
        )
