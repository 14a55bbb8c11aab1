"""CSV and TSV: columns, delimiters, quotes, and the place of what is wrong."""

from __future__ import annotations

import pytest

from chatseq.core.errors import CorpusError, PartError
from chatseq.corpus.read import ReadReport


def pairs(exchanges):
    return [(exchange.question, exchange.answer) for exchange in exchanges]


@pytest.mark.parametrize(
    "header",
    [
        "question,answer", "Question,Answer", "prompt,completion", "prompt,response",
        "input,output", "source,target", "问题,答案", "Frage,Antwort", " Question , Answer ",
        "question,whatever",
    ],
)  # fmt: skip
def test_a_header_that_names_the_columns_is_no_exchange(header, write, read):
    write("faq.csv", f"{header}\na,b\n")
    found = read("faq.csv")
    assert pairs(found) == [("a", "b")]
    assert found[0].source == "faq.csv:2"


@pytest.mark.parametrize("row", ["hi\tq", "q\thi", "source\tsource", "a\tb", "answer\tréponse"])
def test_a_row_that_only_looks_a_little_like_a_header_is_an_exchange(row, write, read):
    write("words.tsv", f"{row}\nyes\toui\n")
    assert pairs(read("words.tsv"))[0] == tuple(row.split("\t"))


def test_named_columns_are_found_in_any_order_among_others(write, read):
    write("faq.csv", "id,answer,date,question\n1,b,2020,a\n")
    assert pairs(read("faq.csv")) == [("a", "b")]


def test_without_a_header_the_first_two_columns_count(write, read):
    write("faq.tsv", "Hi.\t嗨。\tCC-BY 2.0\nRun.\t你用跑的。\tCC-BY\n")
    assert pairs(read("faq.tsv")) == [("Hi.", "嗨。"), ("Run.", "你用跑的。")]


def test_columns_are_set_by_name_or_by_number(write, read):
    write("faq.csv", "nr,Anliegen,Text\n1,a,b\n")
    by_name = ("csv.question=Anliegen", "csv.answer=text")
    assert pairs(read("faq.csv", settings=by_name)) == [("a", "b")]
    by_number = ("csv.question=2", "csv.answer=3", "csv.header=true")
    assert pairs(read("faq.csv", settings=by_number)) == [("a", "b")]


def test_header_false_takes_the_first_row_as_an_exchange(write, read):
    write("faq.csv", "question,answer\na,b\n")
    found = read("faq.csv", settings=("csv.header=false",))
    assert pairs(found) == [("question", "answer"), ("a", "b")]


def test_a_column_can_become_the_tag(write, read):
    write("faq.csv", "question,answer,topic\na,b,animals\n")
    assert read("faq.csv", settings=("csv.tags=topic",))[0].tags == ("animals",)


@pytest.mark.parametrize(("name", "delimiter"), [(";", ";"), ("tab", "\t"), ("|", "|")])
def test_the_delimiter_is_set_or_guessed(name, delimiter, write, read):
    write("faq.csv", f"question{delimiter}answer\na, or b{delimiter}c, d\n")
    assert pairs(read("faq.csv")) == [("a, or b", "c, d")]
    assert pairs(read("faq.csv", settings=(f"csv.delimiter={name}",))) == [("a, or b", "c, d")]


def test_the_delimiter_is_guessed_without_a_header(write, read):
    write("faq.csv", "how are you;fine, thanks\nbye;bye, you\n")
    assert pairs(read("faq.csv")) == [("how are you", "fine, thanks"), ("bye", "bye, you")]


def test_quoted_cells_hold_commas_quotes_and_line_breaks(write, read):
    write("faq.csv", 'question,answer\r\n"a, ""b""","c\r\nd"\r\n\r\ne,f\r\n')
    found = read("faq.csv")
    assert pairs(found) == [('a, "b"', "c\nd"), ("e", "f")]
    assert [exchange.source for exchange in found] == ["faq.csv:2", "faq.csv:5"]


def test_quotes_in_tsv_are_text(write, read):
    write("fra.tsv", '"Hi," he said.\t"Salut".\n"x\ty\n')
    assert pairs(read("fra.tsv")) == [('"Hi," he said.', '"Salut".'), ('"x', "y")]


def test_tsv_of_a_spreadsheet_is_known_by_its_quoted_header(write, read):
    write("faq.tsv", '"question"\t"answer"\n"a\nb"\t"c ""d"""\n')
    assert pairs(read("faq.tsv")) == [("a\nb", 'c "d"')]


def test_quoted_false_keeps_the_quotes_of_such_a_header(write, read):
    write("faq.tsv", '"a"\t"b"\n')
    assert pairs(read("faq.tsv", settings=("tsv.quoted=false",))) == [('"a"', '"b"')]


def test_an_unclosed_quote_is_told_at_the_line_where_its_row_began(write, read):
    write("faq.csv", 'question,answer\na,b\n"c,d\ne,f\n')
    with pytest.raises(CorpusError) as told:
        read("faq.csv")
    assert str(told.value) == (
        "faq.csv:3: a quoted cell is not closed properly (noticed on line 4). "
        'Close it, and write a quote inside a quoted cell twice: "".'
    )


def test_after_an_unclosed_quote_the_next_line_counts_again(write, read):
    write("faq.csv", 'question,answer\na,b\n"c,d\ne,f\ng,"h"\n')
    report = ReadReport()
    found = read("faq.csv", skip_bad=True, report=report)
    assert pairs(found) == [("a", "b"), ("e", "f"), ("g", "h")]
    assert report.bad.counts == {"a quoted cell is not closed properly": 1}


def test_an_unclosed_quote_never_swallows_a_large_file(write, read, monkeypatch):
    monkeypatch.setattr("chatseq_readers.tables.LONGEST_CELL", 2**10)
    write("faq.csv", 'question,answer\n"c,d\n' + "e,f\n" * 60_000)
    with pytest.raises(CorpusError, match=r"faq.csv:2: .* \(noticed on line 258\)"):
        read("faq.csv")
    assert len(read("faq.csv", skip_bad=True)) == 60_000


def test_an_answer_may_be_empty_and_a_question_may_not(write, read):
    write("faq.csv", "question,answer\nWho will win?,\n")
    assert pairs(read("faq.csv")) == [("Who will win?", "")]
    write("faq.csv", "question,answer\na,b\n  ,c\n")
    with pytest.raises(CorpusError) as told:
        read("faq.csv")
    assert str(told.value) == "faq.csv:3: the question is empty. Fill it or remove the row."


def test_decline_names_the_answer_that_stands_for_none(write, read):
    write("faq.csv", "a,b\nc, NONE \n")
    assert pairs(read("faq.csv", settings=("csv.decline=NONE",))) == [("a", "b"), ("c", "")]


@pytest.mark.parametrize(
    ("name", "separator"), [("faq.csv", "a comma"), ("faq.tsv", "a tab")]
)  # fmt: skip
def test_a_file_of_one_column_is_told(name, separator, write, read):
    write(name, "hello\nhow are you\n")
    with pytest.raises(CorpusError) as told:
        read(name)
    assert str(told.value) == (
        f"{name}:1: the row has only one column. "
        f"Give the row a question and an answer with {separator} between them."
    )


def test_a_file_of_one_column_gives_an_error_even_where_bad_rows_are_skipped(write, read):
    write("faq.csv", "hello\nhow are you\n")
    with pytest.raises(CorpusError) as told:
        read("faq.csv", skip_bad=True)
    assert str(told.value) == (
        "faq.csv: no question with an answer was found, and 2 bad rows were left out (read as "
        "csv). Look at the file, or say what it is: --format NAME"
    )


def test_a_row_with_too_few_columns_is_told(write, read):
    write("faq.csv", "id,question,answer\n1,a,b\n2,c\n")
    with pytest.raises(CorpusError) as told:
        read("faq.csv")
    assert str(told.value) == (
        "faq.csv:3: the row has too few columns (2, but column 3 is needed). "
        "Fill the row up, or put cells that hold a comma in quotes."
    )


def test_a_column_that_is_not_there_is_told_with_a_close_one(write, read):
    write("faq.csv", "Frage,Antwort\na,b\n")
    with pytest.raises(CorpusError) as told:
        read("faq.csv", settings=("csv.question=Fragen",))
    assert str(told.value) == "faq.csv:1: there is no column 'Fragen'. Did you mean 'Frage'?"


def test_one_column_for_both_sides_is_refused(write, read):
    write("faq.csv", "x,y\na,b\n")
    with pytest.raises(
        CorpusError, match=r"faq.csv:1: question and answer are the same column \(2"
    ):
        read("faq.csv", settings=("csv.question=y",))


def test_a_delimiter_of_two_characters_is_refused(write, read):
    write("faq.csv", "a,b\n")
    with pytest.raises(PartError, match="delimiter '::' must be one character or 'tab'"):
        read("faq.csv", settings=("csv.delimiter=::",))


def test_csv_without_a_suffix_is_known_by_its_header(write, read):
    write("faq", "question,answer\na,b\n")
    assert pairs(read("faq")) == [("a", "b")]


def test_a_header_alone_is_no_corpus(write, read):
    write("faq.csv", "question,answer\n")
    with pytest.raises(CorpusError, match=r"faq.csv: no question with an answer was found \(read"):
        read("faq.csv")
