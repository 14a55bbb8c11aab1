"""`chatseq corpus check` and `chatseq corpus show`."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from chatseq.cli.main import run


@pytest.fixture
def chatseq(capsys):
    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(["corpus", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def fresh_python():
    def call(script: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        ).stdout

    return call


def test_check_prints_counts_and_places(write, chatseq):
    write("faq.tsv", "a\tx\nb\ty\na\tx\n")
    code, out, err = chatseq("check", "faq.tsv")
    assert (code, err) == (0, "")
    assert "distinct questions" in out
    assert "repeated exchanges: faq.tsv:3" in out


def test_check_json_is_one_object_alone_on_stdout(write, chatseq):
    write("train.tsv", "a\tx\nb\ty\n")
    write("test.tsv", "b\ty\n")
    code, out, err = chatseq("check", "train.tsv", "test.tsv", "--json")
    found = json.loads(out)
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert found["exchanges"] == 3
    assert found["overlaps"][0]["questions"] == 1
    assert found["duplicates"] == {"count": 1, "places": ["test.tsv:1"]}


def test_check_counts_every_bad_row_and_ends_with_the_first(write, chatseq):
    write("faq.tsv", "a\tx\nb\nc\n")
    code, out, err = chatseq("check", "faq.tsv")
    assert code == 1
    assert "left out: the row has only one column" in out
    assert err == (
        "Error: faq.tsv:2: the row has only one column. "
        "Give the row a question and an answer with a tab between them.\n"
    )


def test_check_with_skip_bad_is_content(write, chatseq):
    write("faq.tsv", "a\tx\nb\nc\n")
    code, out, err = chatseq("check", "faq.tsv", "--skip-bad", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["bad_rows"] == {
        "the row has only one column": {"count": 2, "places": ["faq.tsv:2"]}
    }


def test_show_prints_context_question_answer_and_place(write, chatseq):
    write("talk.jsonl", '["a", "b\\nc", "d"]\n{"question": "who wins", "answer": null}\n')
    code, out, err = chatseq("show", "talk.jsonl")
    assert (code, err) == (0, "")
    assert out == (
        "talk.jsonl:1\n  ? a\n  > b\n    c\n"
        "talk.jsonl:1\n  | a\n  ? b\n    c\n  > d\n"
        "talk.jsonl:2\n  ? who wins\n  > (to be declined)\n"
    )


def test_show_stops_after_n_and_tells_tags(write, chatseq):
    write("all.json", '{"train": [["a", "b"], ["c", "d"]]}')
    assert chatseq("show", "all.json", "-n", "1")[1] == "all.json:1  [train]\n  ? a\n  > b\n"


def test_show_stops_before_a_later_bad_row(write, chatseq):
    write("faq.tsv", "a\tb\nbad\n")
    assert chatseq("show", "faq.tsv", "-n", "1")[0] == 0
    assert chatseq("show", "faq.tsv", "-n", "2")[0] == 1


def test_show_json_reads_back_as_the_same_corpus(write, chatseq):
    write("talk.txt", "a\nb\nc\n")
    first = chatseq("show", "talk.txt", "--json")[1]
    write("again.json", first)
    again = json.loads(chatseq("show", "again.json", "--json")[1])
    kept = ("context", "question", "answer")
    assert [[e[k] for k in kept] for e in again] == [
        [e[k] for k in kept] for e in json.loads(first)
    ]


def test_the_options_of_reading_reach_the_reader(write, chatseq):
    write("faq.dat", "Straße;Weg;Ort\n".encode("cp1252"))
    arguments = ("--format", "csv", "--encoding", "cp1252", "--set", "csv.answer=3")
    code, out, _ = chatseq("show", "faq.dat", *arguments)
    assert (code, out) == (0, "faq.dat:1\n  ? Straße\n  > Ort\n")


def test_escape_sequences_never_reach_the_terminal(write, chatseq):
    write("faq\x1b]0;x\x07.tsv", "a\x1b[2J\tb\x9b31m\u202e\n")
    for command in ("show", "check"):
        code, out, err = chatseq(command, "faq\x1b]0;x\x07.tsv")
        assert code == 0
        assert not set("\x1b\x07\x9b\u202e") & set(out + err)


BAD_USES = {
    "an unknown format": (
        ("faq.tsv", "--format", "cvs"),
        "No corpus-reader named 'cvs' (--format). Did you mean 'csv'?",
    ),
    "an unknown reader": (
        ("faq.tsv", "--set", "tvs.header=true"),
        "No corpus-reader named 'tvs' in --set. Did you mean 'tsv'?",
    ),
    "an unknown option": (
        ("faq.tsv", "--set", "tsv.haeder=true"),
        "The corpus-reader 'tsv' has no option 'haeder' in --set. Did you mean 'header'?",
    ),
    "a value of another type": (
        ("faq.tsv", "--set", "tsv.header=perhaps"),
        "The option 'header' of the corpus-reader 'tsv' cannot be 'perhaps' in --set:",
    ),
    "no setting": (
        ("faq.tsv", "--set", "header"),
        (
            "'header' is no setting of a reader. Write --set "
            "reader.option=value, for example --set csv.question=Frage"
        ),
    ),
    "an option without use": (
        ("faq.tsv", "--set", "csv.header=true"),
        (
            "No file is read as csv, so its options have no "
            "use (--set csv.…). Set options of tsv, or force the format: --format csv"
        ),
    ),
    "a folder": (("folder",), "folder is a folder. Name the files in it: folder/*.txt"),
    "a format nobody knows": (
        ("page.html",),
        (
            "The format of page.html is not recognised. Say what it is: --format NAME. "
            "Choose from: chatterbot, conv, csv, json, jsonl, parallel, text, trivia, tsv."
        ),
    ),
}


@pytest.mark.parametrize("case", BAD_USES)
@pytest.mark.parametrize("command", ["check", "show"])
def test_a_wrong_use_is_told_in_one_line(case, command, write, chatseq):
    arguments, message = BAD_USES[case]
    write("faq.tsv", "a\tb\n")
    write("folder/a.txt", "a\n")
    write("page.html", "<p>a</p>\n")
    code, out, err = chatseq(command, *arguments)
    assert (code, out) == (1, "")
    assert err.startswith("Error: ")
    assert message in err
    assert err.count("\n") == 1


def test_no_file_is_a_fault_of_usage(chatseq):
    assert chatseq("check")[0] == 2


def test_checking_needs_neither_torch_nor_a_database(write, fresh_python):
    write("faq.tsv", "a\tb\n")
    script = (
        "import sys; from chatseq.cli.main import run; run(['corpus', 'check', 'faq.tsv']); "
        "print(sorted({'torch', 'sqlalchemy', 'onnxruntime'} & set(sys.modules)))"
    )
    assert fresh_python(script).splitlines()[-1] == "[]"


def test_a_one_column_file_ends_with_its_first_bad_row(write, chatseq):
    write("faq.csv", "hello\nbye\n")
    code, out, err = chatseq("check", "faq.csv")
    assert (code, out) == (1, "")
    assert err.startswith("Error: faq.csv:1: the row has only one column. ")
    assert "no question with an answer was found" in chatseq("check", "faq.csv", "--skip-bad")[2]
