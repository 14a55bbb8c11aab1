"""What `check` finds, by small corpora whose answer is known."""

from __future__ import annotations

import pytest

from chatseq.corpus.check import CorpusCheck, Finding, Lengths, check_corpus
from chatseq.corpus.read import ReadOptions, ReadReport, read_corpus


@pytest.fixture
def checked(registry):
    def check(*paths: str, **options: object) -> CorpusCheck:
        report = ReadReport()
        given = ReadOptions(**options)  # type: ignore[arg-type]
        return check_corpus(read_corpus(registry, paths, options=given, report=report), report)

    return check


def test_exchanges_questions_and_answers_are_counted(write, checked):
    write("faq.tsv", "a\tx\nb\tx\na\tx\na\ty\nA?\tz\n")
    found = checked("faq.tsv")
    assert (found.exchanges, found.distinct_exchanges) == (5, 4)
    assert (found.distinct_questions, found.distinct_answers) == (3, 3)
    assert [(f.name, f.format, f.exchanges) for f in found.files] == [("faq.tsv", "tsv", 5)]


def test_repeated_exchanges_and_several_answers_have_their_places(write, checked):
    write("faq.tsv", "a\tx\nb\tx\na\tx\na\ty\n")
    found = checked("faq.tsv")
    assert found.duplicates == Finding(1, ("faq.tsv:3",))
    assert found.several_answers == Finding(1, ("faq.tsv:1", "faq.tsv:4"))


def test_an_exchange_turned_round_is_no_copy(write, checked):
    write("faq.tsv", "a\tb\nb\ta\n")
    assert checked("faq.tsv").duplicates.count == 0


def test_lengths_are_in_characters(write, checked):
    write("faq.tsv", "".join(f"{'你' * n}\tabc\n" for n in range(1, 101)))
    found = checked("faq.tsv")
    assert found.question_lengths == Lengths(50, 95, 100, "faq.tsv:100")
    assert found.answer_lengths == Lengths(3, 3, 3, "faq.tsv:1")


def test_empty_answers_are_counted(write, checked):
    write("faq.tsv", "a\tx\nwho wins\t\n")
    assert checked("faq.tsv").empty_answers == Finding(1, ("faq.tsv:2",))


def test_control_characters_are_counted_though_reading_removes_them(write, checked):
    write("faq.tsv", "a\tx\nb\t\x1b[2Jy\nc\u202e\tz\nd\u2028e\tw\n")
    assert checked("faq.tsv").control_characters == Finding(2, ("faq.tsv:2",))


@pytest.mark.parametrize(
    "fault", ["cafÃ©", "itâ€™s", "a\ufffdb", "Â£5", "ï»¿hello", "锟斤拷", "Ãœber", "烫烫烫"]
)
def test_likely_encoding_faults_are_found(fault, write, checked):
    write("faq.tsv", f"a\tx\nb\t{fault} here\n")
    assert checked("faq.tsv").encoding_faults == Finding(1, ("faq.tsv:2",))


@pytest.mark.parametrize("text", ["NÃO É", "café “x” €5", "Ã la", "Âme", "你好", "Ð Ñ", "naïve"])
def test_right_text_is_no_encoding_fault(text, write, checked):
    write("faq.tsv", f"a\t{text}\n")
    assert checked("faq.tsv").encoding_faults.count == 0


def test_questions_in_two_files_are_an_overlap_whatever_their_spelling(write, checked):
    write("train.tsv", "a\tx\nb\ty\nc\tz\n")
    write("test.tsv", "B!\tq\nd\tr\nC\ts\n")
    (overlap,) = checked("train.tsv", "test.tsv").overlaps
    assert (overlap.first, overlap.second, overlap.questions) == ("train.tsv", "test.tsv", 2)
    assert overlap.places == ("test.tsv:1", "test.tsv:3")


def test_splits_inside_a_file_are_compared_by_their_key(write, checked):
    write("all.json", '{"train": [["a", "x"], ["b", "y"]],\n"test": [["A?", "x"]]}')
    found = checked("all.json")
    assert [(o.first, o.second, o.questions) for o in found.overlaps] == [("train", "test", 1)]
    assert found.tags == {"train": 2, "test": 1}


def test_many_tags_are_no_splits(write, checked):
    write("faq.csv", "question,answer,topic\n" + "".join(f"a,b,t{n}\n" for n in range(500)))
    found = checked("faq.csv", settings=("csv.tags=topic",))
    assert found.overlaps == ()
    assert len(found.tags) <= 12


def test_context_is_counted(write, checked):
    write("talk.txt", "a\nb\nc\nd\n")
    found = checked("talk.txt")
    assert (found.with_context, found.longest_context) == (2, 2)


def test_bad_rows_and_notes_are_part_of_the_report(write, checked):
    write("faq.jsonl", '["a", "b"]\nnope\n["alone"]\n')
    found = checked("faq.jsonl", skip_bad=True)
    assert found.bad_rows == {"not valid JSON": Finding(1, ("faq.jsonl:2",))}
    assert list(found.notes.values()) == [Finding(1, ("faq.jsonl:3",))]


def test_nothing_at_all_can_be_checked():
    found = check_corpus([], ReadReport())
    assert found.exchanges == 0
    assert found.question_lengths == Lengths(0, 0, 0, "")


def test_the_figures_of_personality_chat(shared_corpora, checked):
    found = checked(str(shared_corpora / "personality_chat" / "qna_chitchat_professional.tsv"))
    assert (found.exchanges, found.distinct_questions, found.distinct_answers) == (9793, 9792, 90)


def test_the_leaks_of_clinc150_are_found(shared_corpora, checked):
    found = checked(
        str(shared_corpora / "clinc150" / "data_full.json"), settings=("json.keys=train,val,test",)
    )
    pairs = {frozenset((o.first, o.second)): o.questions for o in found.overlaps}
    # Two test queries stand in train letter by letter, three of val; more without punctuation.
    assert pairs[frozenset(("train", "test"))] >= 2
    assert pairs[frozenset(("train", "val"))] >= 3
