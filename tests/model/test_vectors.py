"""Word vectors are read from the files that GloVe, word2vec and fastText publish."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from chatseq.core.errors import TrainingError
from chatseq.model.vectors import load_vectors

GLOVE = "the 0.5 -1 2e-1\ncat 1 2 3\nbot 4 5 6\n"
ZIPPED = gzip.compress(GLOVE.encode(), mtime=0)  # or its tests have another name each time


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "vectors.txt"


def loaded(file: Path, *wanted: str, width: int = 3) -> dict[str, list[float]]:
    found = load_vectors(file, set(wanted), width)
    assert (found.bad, found.first_bad) == (0, "")
    return {word: vector.tolist() for word, vector in found.by_word.items()}


def test_only_wanted_words_are_kept(file: Path) -> None:
    file.write_text(GLOVE)
    assert loaded(file, "the", "bot", "dog") == {
        "the": [0.5, -1, pytest.approx(0.2)],
        "bot": [4, 5, 6],
    }
    assert load_vectors(file, {"cat"}, 3).by_word["cat"].dtype == np.float32


@pytest.mark.parametrize(
    "text",
    [
        "3 3\n" + GLOVE,
        GLOVE.replace("\n", "\r\n"),
        GLOVE.replace("\n", " \n"),  # as fastText writes them
        GLOVE.replace(" ", "\t"),
        GLOVE.rstrip("\n"),
        "\ufeff" + GLOVE,
        GLOVE + "\n\n",
    ],
    ids=["header", "crlf", "space at the end", "tabs", "no last line feed", "mark", "empty lines"],
)
def test_every_dialect_gives_the_same_vectors(file: Path, text: str) -> None:
    file.write_bytes(text.encode())
    assert loaded(file, "the", "cat", "bot") == {
        "the": [0.5, -1, pytest.approx(0.2)],
        "cat": [1, 2, 3],
        "bot": [4, 5, 6],
    }


def test_a_packed_file_is_read_as_it_is(file: Path) -> None:
    file.write_bytes(ZIPPED)
    assert loaded(file, "cat") == {"cat": [1, 2, 3]}


def test_a_header_of_width_one_is_no_word(file: Path) -> None:
    file.write_text("2 1\ncat 7\nbot 8\n")
    assert loaded(file, "2", "cat", width=1) == {"cat": [7]}


def test_a_number_can_be_a_word(file: Path) -> None:
    file.write_text("2024 1 2 3\ncat 4 5 6\n")
    assert loaded(file, "2024") == {"2024": [1, 2, 3]}


def test_words_of_all_scripts_are_found(file: Path) -> None:
    file.write_text("训练 1 2 3\nété 4 5 6\nहिन्दी 7 8 9\n😀 1 1 1\n", encoding="utf-8")
    assert set(loaded(file, "训练", "été", "हिन्दी", "😀")) == {"训练", "été", "हिन्दी", "😀"}


def test_line_separators_of_other_programs_end_no_line(file: Path) -> None:
    file.write_text("a\u2028b 1 2 3\nx\x85y 4 5 6\ncat 7 8 9\n", encoding="utf-8")
    assert loaded(file, "cat", "b", "y", "a\u2028b") == {"cat": [7, 8, 9], "a\u2028b": [1, 2, 3]}


def test_of_several_lines_for_a_word_the_first_counts(file: Path) -> None:
    file.write_text("cat 1 2 3\ncat 4 5 6\n")
    assert loaded(file, "cat") == {"cat": [1, 2, 3]}


def test_capitals_serve_where_the_word_itself_is_not_there(file: Path) -> None:
    file.write_text("Paris 1 2 3\nPARIS 4 5 6\nThe 7 8 9\nthe 1 1 1\n")
    assert loaded(file, "paris", "Paris", "the") == {
        "paris": [1, 2, 3],
        "Paris": [1, 2, 3],
        "the": [1, 1, 1],
    }


def test_words_with_spaces_are_not_taken_for_their_beginning(file: Path) -> None:
    file.write_text(". . . 9 9 9\n. 1 2 3\nnew york 4 5 6\n")
    assert loaded(file, ".", "new") == {".": [1, 2, 3]}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"cat 1 2", "there are 2 numbers instead of 3"),
        (b"cat", "there are 0 numbers instead of 3"),
        (b"cat 1 x 3", "something is no number"),
        (b"cat 1 nan 3", "a number is infinite or none"),
        (b"cat 1 1e300 3", "a number is infinite or none"),
        (b"cat 0 0 0", "all numbers are zero"),
        (b"\xff\xfe 1 2 3", "the word is not UTF-8"),
        (b"cat " + b"1" * 2**17, "the line is longer than 64 KiB"),
    ],
)
def test_a_bad_line_is_passed_over_and_told_with_its_place(
    file: Path, line: bytes, told: str
) -> None:
    file.write_bytes(b"the 1 2 3\n" + line + b"\nbot 4 5 6\n" + line)
    found = load_vectors(file, {"the", "cat", "bot"}, 3)
    assert set(found.by_word) == {"the", "bot"}
    assert (found.bad, found.first_bad) == (2, f"vectors.txt:2: {told}")


def test_a_bad_line_of_a_word_that_nobody_wants_is_no_matter(file: Path) -> None:
    file.write_text("the 1 2 3\ncat x\n")
    assert loaded(file, "the")


def test_the_good_line_of_a_word_with_a_bad_one_counts(file: Path) -> None:
    file.write_text("the 1 2 3\ncat 1 2\ncat 4 5 6\n")
    found = load_vectors(file, {"cat"}, 3)
    assert found.by_word["cat"].tolist() == [4, 5, 6]
    assert found.bad == 1


@pytest.mark.parametrize("text", ["5 100\nthe 1 2 3\n", "the" + " 0.5" * 100 + "\n"])
def test_another_width_is_told_with_the_setting_that_fits(file: Path, text: str) -> None:
    file.write_text(text)
    told = (
        r"The vectors of vectors.txt have 100 numbers, those of the model 3\. "
        r"Train with: --set model.embedding_size=100"
    )
    with pytest.raises(TrainingError, match=told):
        load_vectors(file, {"the"}, 3)


def test_a_file_of_something_else_is_told(file: Path) -> None:
    file.write_text("How are you?\nFine, thank you.\n")
    with pytest.raises(TrainingError, match=r"vectors.txt:1: there is no vector. A line must hold"):
        load_vectors(file, {"How"}, 3)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty. Name a text file of word vectors"),
        (b" \n\n", "is empty. Name a text file"),
        (b"3 100\nthe \0\0\x80?", "is a binary file. Save the vectors as text"),
        (ZIPPED[:-6], "is damaged: .* Fetch the file again"),
        (ZIPPED[:12] + b"\xff" * 9, "is damaged: .* Fetch the file again"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(file: Path, content: bytes, told: str) -> None:
    file.write_bytes(content)
    with pytest.raises(TrainingError, match=f"vectors.txt {told}"):
        load_vectors(file, {"the"}, 3)


def test_a_zip_archive_is_to_be_unpacked(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("glove.50d.txt", GLOVE)
    with pytest.raises(TrainingError, match="is a zip archive. Unpack it and name one of its text"):
        load_vectors(file, {"the"}, 3)


@pytest.mark.parametrize("name", ["absent.txt", "", "a\0b"])
def test_a_path_that_leads_nowhere_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        TrainingError, match="Cannot read the word vectors .*Check model.pretrained"
    ):
        load_vectors(tmp_path / name, {"the"}, 3)


@pytest.mark.slow("writes and reads a file of 200,000 words")
def test_a_large_file_takes_little_memory_and_time(file: Path) -> None:
    lines = (f"word{number} {number}.5" + " 0.123456" * 29 + "\n" for number in range(200_000))
    with file.open("w") as stream:
        stream.writelines(lines)
    wanted = {f"word{number}" for number in range(0, 200_000, 100)}
    tracemalloc.start()
    began = time.perf_counter()
    found = load_vectors(file, wanted, 30)
    seconds = time.perf_counter() - began
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.by_word) == 2000
    assert found.by_word["word199900"][0] == 199900.5
    assert most < 2 * 2**20  # the vectors are 0.2 MiB, the file 55
    assert seconds < 30  # half a second without tracing
    file.unlink()
