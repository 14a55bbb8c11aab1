"""Bytes to lines: bounded, split at the line feed alone, every fault with its line.

`str.splitlines` and text files in universal-newline mode also break at U+2028, NEL, form feeds or
bare carriage returns, which would shift every pair after them. So bytes are split here, and
each line is decoded alone.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from chatseq.core.errors import CorpusError, ErrorKind, did_you_mean, nearest
from chatseq.corpus.contracts import BadRows, Line
from chatseq.text.normalise import is_han

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LONGEST_LINE = 8 * 2**20  # bytes; what a reader has in memory at once is a small multiple of it
_CHUNK = 2**16
_COMMON_ENCODINGS = ("utf-8", "utf-16", "cp1252", "latin-1", "gb18030", "big5", "shift_jis")


def decoded_lines(name: str, stream: IO[bytes], encoding: str, bad: BadRows) -> Iterator[Line]:
    """Yield the lines of a stream whose line feeds are the byte 0x0A (see `newline_bytes`)."""
    number = 0
    while raw := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            _pass_over_line(stream, raw)
            limit = f"{LONGEST_LINE // 2**20} MiB"
            advice = "Check that the file is a corpus with line breaks; break the line if it is."
            bad.report(f"{name}:{number}", f"the line is longer than {limit}", advice)
            yield Line(number, "", damaged=True)
            continue
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError as fault:
            _report_bytes(f"{name}:{number}", raw, fault, encoding, bad)
            yield Line(number, _without_end(raw.decode(encoding, "replace")), damaged=True)
        else:
            yield Line(number, _without_end(text))


def decoded_pieces(name: str, stream: IO[bytes], encoding: str, bad: BadRows) -> Iterator[Line]:
    """Yield the text with its line ends, long lines in several pieces of one number.

    For formats whose records are not lines: a whole JSON file may be one line.
    """
    number = 1
    decoder = codecs.getincrementaldecoder(encoding)()
    while raw := stream.readline(_CHUNK):
        held = decoder.getstate()[0]
        try:
            yield Line(number, decoder.decode(raw))
        except UnicodeDecodeError as wrong:
            _report_bytes(f"{name}:{number}", held + raw, wrong, encoding, bad)
            decoder.reset()
            yield Line(number, (held + raw).decode(encoding, "replace"), damaged=True)
        number += raw.endswith(b"\n")
    rest = decoder.getstate()[0]
    if rest:
        cut = UnicodeDecodeError(encoding, rest, 0, 1, "unexpected end of data")
        _report_bytes(f"{name}:{number}", rest, cut, encoding, bad)


def check_encoding(encoding: str) -> str:
    """Return the name of a text encoding as given.

    Raises:
        CorpusError: Python knows no such encoding.
    """
    try:
        "a".encode(encoding)
        codecs.getincrementaldecoder(encoding)
    except (LookupError, UnicodeError, ValueError):
        hint = did_you_mean(encoding, _COMMON_ENCODINGS)
        raise CorpusError(
            f"There is no text encoding '{encoding}' (--encoding).{hint}",
            kind=ErrorKind.ENCODING_UNKNOWN,
            place=encoding,
            choices=nearest(encoding, _COMMON_ENCODINGS),
        ) from None
    return encoding


def is_wide(encoding: str) -> bool:
    """Return whether line feeds are something other than the byte 0x0A, as in UTF-16."""
    return "\n".encode(encoding) != b"\n"


def newline_bytes(stream: IO[bytes], encoding: str) -> IO[bytes]:
    """Return the stream as UTF-8, for encodings whose lines cannot be found by bytes."""
    return io.BufferedReader(_Transcoded(stream, encoding), _CHUNK)


class _Transcoded(io.RawIOBase):
    """UTF-16 and its like as UTF-8.

    What cannot be decoded becomes bytes that are not UTF-8 either, so that the fault is found,
    with its line, when that line is decoded.
    """

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream = stream
        errors = "surrogatepass" if "utf" in encoding.lower() else "surrogateescape"
        self._decoder = codecs.getincrementaldecoder(encoding)(errors)
        self._ready = b""
        self._done = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._ready and not self._done:
            self._ready = self._next()
        view = memoryview(buffer)
        size = min(len(view), len(self._ready))
        view[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _next(self) -> bytes:
        chunk = self._stream.read(_CHUNK)
        self._done = not chunk
        try:
            return self._decoder.decode(chunk, final=not chunk).encode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            self._done = True
            return b"\xff"

    def close(self) -> None:
        self._stream.close()
        super().close()


def _without_end(text: str) -> str:
    if text.endswith("\r\n"):
        return text[:-2]
    return text[:-1] if text.endswith("\n") else text


def _pass_over_line(stream: IO[bytes], raw: bytes) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = stream.readline(_CHUNK)


def _report_bytes(
    place: str, raw: bytes, fault: UnicodeDecodeError, encoding: str, bad: BadRows
) -> None:
    detail = f"byte 0x{raw[fault.start]:02x} at byte {fault.start + 1} of the line"
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        way = f"name the encoding it has: --encoding {_likely_encoding(raw)}"
    else:
        way = "name the encoding it really has with --encoding"
    advice = f"Save the file as UTF-8, or {way}, or leave such rows out: --skip-bad"
    bad.report(place, f"the text is not {encoding.upper()}", advice, detail=detail)


def _likely_encoding(raw: bytes) -> str:
    """Return gb18030 for bytes that read as Chinese in it, else the most common Western one."""
    try:
        chinese = sum(map(is_han, raw.decode("gb18030")))
    except UnicodeDecodeError:
        return "cp1252"
    return "gb18030" if chinese > 1 else "cp1252"
