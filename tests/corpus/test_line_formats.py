"""Plain text, E/M conversations, parallel files, quiz blocks and ChatterBot's YAML."""

from __future__ import annotations

import re

import pytest

from chatseq.core.errors import CorpusError, PartError
from chatseq.core.exchange import MOST_CONTEXT_TURNS
from chatseq.corpus.read import ReadReport
from chatseq.corpus.turns import ONE_TURN


def pairs(exchanges):
    return [(exchange.question, exchange.answer) for exchange in exchanges]


def test_empty_lines_part_the_conversations_of_a_text(write, read):
    write("talk.txt", "\nHi\nHello\nHow are you?\n\n \nBye\nSee you\n")
    found = read("talk.txt")
    assert [(e.context, e.question, e.answer, e.source) for e in found] == [
        ((), "Hi", "Hello", "talk.txt:2"),
        (("Hi",), "Hello", "How are you?", "talk.txt:2"),
        ((), "Bye", "See you", "talk.txt:7"),
    ]


def test_where_empty_lines_part_single_lines_each_is_a_turn_of_one_conversation(write, read):
    write("talk.txt", "Hi\n\nHello\n\nBye\n")
    found = read("talk.txt")
    assert pairs(found) == [("Hi", "Hello"), ("Hello", "Bye")]
    assert [exchange.source for exchange in found] == ["talk.txt:1", "talk.txt:3"]


def test_paragraphs_can_be_turns(write, read):
    write("talk.txt", "Hi\nthere\n\nHello\nyou\n")
    found = read("talk.txt", settings=("text.turn=paragraph", "text.tags=play"))
    assert pairs(found) == [("Hi\nthere", "Hello\nyou")]
    assert found[0].tags == ("play",)


def test_an_unknown_way_to_part_turns_is_refused(write, read):
    write("talk.txt", "Hi\nHello\n")
    with pytest.raises(PartError, match="The option 'turn' of the corpus-reader 'text' cannot be"):
        read("talk.txt", settings=("text.turn=page",))


@pytest.mark.parametrize("labels", [("Q: ", "A: "), ("User:", "bot:"), ("问：", "答：")])
def test_labels_of_speakers_are_dropped(labels, write, read):
    write("faq.txt", f"{labels[0]}What is A: b?\n{labels[1]}A letter.\n")
    assert pairs(read("faq.txt")) == [("What is A: b?", "A letter.")]


def test_words_that_look_like_labels_later_stay(write, read):
    write("faq.txt", "Who?\nUser: me\n")
    assert pairs(read("faq.txt")) == [("Who?", "User: me")]


def test_a_single_line_is_noted_and_gives_no_exchange(write, read):
    write("talk.txt", "Hi\nHello\n\nalone\n")
    report = ReadReport()
    assert pairs(read("talk.txt", report=report)) == [("Hi", "Hello")]
    assert (report.bad.notes, report.bad.first_noted) == ({ONE_TURN: 1}, {ONE_TURN: "talk.txt:4"})


def test_a_book_is_no_conversation(write, read, monkeypatch):
    monkeypatch.setattr("chatseq_readers.blocks.MOST_LINES", 3)
    write("book.txt", "a\nb\nc\nd\ne\n\nf\ng\n")
    with pytest.raises(CorpusError) as told:
        read("book.txt")
    assert str(told.value) == (
        "book.txt:1: a conversation is longer than 3 lines. "
        "Part conversations as this format does, or name the format: --format NAME"
    )
    assert pairs(read("book.txt", skip_bad=True)) == [("f", "g")]


def test_a_damaged_line_takes_its_whole_conversation_with_it(write, read):
    write("talk.txt", b"a\nb\n\nc\n\xff\nd\n\ne\nf\n")
    assert pairs(read("talk.txt", skip_bad=True)) == [("a", "b"), ("e", "f")]


def test_the_context_of_an_endless_conversation_stays_short(write, read):
    write("talk.txt", "".join(f"turn {n}\n\n" for n in range(200)))
    last = read("talk.txt")[-1]
    assert (len(last.context), last.question) == (MOST_CONTEXT_TURNS, "turn 198")
    assert last.context[-1] == "turn 197"


def test_e_begins_and_m_speaks(write, read):
    write("xiao.conv", "E\nM 你好\nM 很好\nE\nM a\r\nM b\r\nM c\n")
    found = read("xiao.conv")
    assert pairs(found) == [("你好", "很好"), ("a", "b"), ("b", "c")]
    assert [exchange.source for exchange in found] == ["xiao.conv:2", "xiao.conv:5", "xiao.conv:5"]


def test_the_e_m_form_is_known_without_a_suffix_and_loses_its_slashes(write, read):
    write("xiao", "E\nM 你/好\nM 很/好\n")
    assert pairs(read("xiao", settings=("conv.remove=/",))) == [("你好", "很好")]


@pytest.mark.parametrize(
    ("bad_line", "message"),
    [
        (
            "X y",
            (
                "xiao.conv:4: the line is neither E nor M. Begin each turn with 'M ' and each "
                "conversation with a line 'E'."
            ),
        ),
        ("M", "xiao.conv:3: a turn is empty (turn 2). Remove or fill it."),
    ],
)
def test_a_bad_conversation_of_the_e_m_form_is_left_out_whole(bad_line, message, write, read):
    write("xiao.conv", f"\nE\nM a\n{bad_line}\nM b\nE\nM c\nM d\n")
    with pytest.raises(CorpusError) as told:
        read("xiao.conv")
    assert str(told.value) == message
    assert pairs(read("xiao.conv", skip_bad=True)) == [("c", "d")]


def test_a_plus_joins_two_parallel_files(write, read):
    write("train.en", "Hi.\nRun!\n\nBye.\n")
    write("train.fr", "Salut.\r\nCours !\r\n\r\nAu revoir.")
    found = read("train.en+train.fr")
    assert pairs(found) == [("Hi.", "Salut."), ("Run!", "Cours !"), ("Bye.", "Au revoir.")]
    assert found[2].source == "train.en:4"


def test_a_file_whose_name_holds_a_plus_is_one_file(write, read):
    write("c++.tsv", "a\tb\n")
    assert pairs(read("c++.tsv")) == [("a", "b")]


def test_a_missing_side_is_told(write, read):
    write("train.en", "Hi.\n")
    with pytest.raises(CorpusError, match=r"There is no file train.fr. Check the path."):
        read("train.en+train.fr")


def test_parallel_files_of_different_length_are_told(write, read):
    write("train.en", "a\nb\n")
    write("train.fr", "c\n")
    with pytest.raises(CorpusError) as told:
        read("train.en+train.fr")
    assert str(told.value) == (
        "train.fr: the other side has more lines (train.en). "
        "Line n of one file must answer line n of the other; find the line that is missing."
    )


@pytest.mark.parametrize(("english", "side"), [("a\n\nc\n", "train.en"), ("a\nb\nc\n", "train.fr")])
def test_a_side_that_is_empty_alone_is_told(english, side, write, read):
    write("train.en", english)
    write("train.fr", "d\nx\nf\n" if side == "train.en" else "d\n\nf\n")
    with pytest.raises(CorpusError, match=f"{side}:2: only this side is empty. Fill both sides"):
        read("train.en+train.fr")
    found = read("train.en+train.fr", skip_bad=True)
    assert pairs(found) == [("a", "d"), ("c", "f")]


def test_a_damaged_line_of_either_side_takes_its_pair_alone(write, read):
    write("train.en", b"a\n\xff\nc\nd\n")
    write("train.fr", b"e\nf\n\xff\nh\n")
    assert pairs(read("train.en+train.fr", skip_bad=True)) == [("a", "e"), ("d", "h")]


def test_the_parallel_reader_needs_two_files(write, read):
    write("a.txt", "a\nb\n")
    with pytest.raises(CorpusError, match="a.txt is only one side of a parallel corpus. Name both"):
        read("a.txt", format="parallel")


def test_quiz_blocks_give_question_and_answer_without_choices(write, read):
    write("quiz", "\n#Q What is\n\nA man. A plan?\n^ Panama\nA Panama\nB Rome\n\n#Q x\r\n^ y\r\n")
    found = read("quiz")
    assert pairs(found) == [("What is\n\nA man. A plan?", "Panama"), ("x", "y")]
    assert [exchange.source for exchange in found] == ["quiz:2", "quiz:9"]


def test_a_quiz_question_without_an_answer_is_told(write, read):
    write("quiz", "#Q a\nA b\n\n#Q c\n^ d\n")
    with pytest.raises(CorpusError) as told:
        read("quiz")
    assert str(told.value) == "quiz:1: the question has no line with ^. Give it one: ^ the answer"


YAML = """\
categories:
- talk
conversations:
- - Hi
  - Hello
  - 1963
- - "Yes?"
  - no
"""


def test_chatterbot_turns_stay_as_written(write, read):
    write("talk.yml", YAML)
    found = read("talk.yml")
    assert [(e.question, e.answer, e.source) for e in found] == [
        ("Hi", "Hello", "talk.yml:4"), ("Hello", "1963", "talk.yml:4"),
        ("Yes?", "no", "talk.yml:7"),
    ]  # fmt: skip


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"---\n", b"# comment\n"])
def test_chatterbot_files_may_have_a_mark_crlf_and_no_last_line_feed(before, write, read):
    write("talk.yml", before + YAML.strip().replace("\n", "\r\n").encode())
    assert len(read("talk.yml")) == 3


def test_the_key_of_the_conversations_can_be_set(write, read):
    write("talk.yml", "conversations:\n- - x\n  - y\ndialogues:\n- [a, b]\n")
    assert pairs(read("talk.yml", settings=("chatterbot.key=dialogues",))) == [("a", "b")]


HINT = ' Write each conversation as a list: "- - question", then "  - answer".'
BAD_YAML = {
    "a text for a list": (
        "- Who? - Me.",
        "5: a plain text stands where a list of turns is due ('Who? - Me.')." + HINT,
    ),
    "a mapping for a list": (
        "- Who: Me.",
        "5: a mapping stands where a list of turns is due." + HINT,
    ),
    "a list for a turn": (
        "- - Who\n  - [a, b]",
        "5: a list or mapping stands where a turn is due." + HINT,
    ),
    "an alias": ("- - &x Who\n  - *x", "5: an alias stands where a text is due." + HINT),
    "an empty turn": ("- - Who\n  -", "5: a turn is empty (turn 2). Remove or fill it."),
}


@pytest.mark.parametrize("case", BAD_YAML)
def test_a_bad_conversation_of_yaml_is_told_with_its_line_or_skipped(case, write, read):
    given, message = BAD_YAML[case]
    write("talk.yml", f"conversations:\n- - a\n  - b\n# here\n{given}\n- - c\n  - d\n")
    with pytest.raises(CorpusError) as told:
        read("talk.yml")
    assert str(told.value) == f"talk.yml:{message}"
    assert pairs(read("talk.yml", skip_bad=True)) == [("a", "b"), ("c", "d")]


BROKEN_YAML = {
    "bad syntax": ("conversations:\n- - a\n  - 'b\n", r"talk.yml:4: not valid YAML \(found"),
    "deep": ("conversations: " + "[" * 5000, r"talk.yml:1: not valid YAML \(nested too deeply\)"),
    "a text for all": (
        "conversations: hello",
        r"talk.yml:1: the conversations are no list \('hello'",
    ),
    "a list for all": ("- - a\n  - b\n", "talk.yml:1: the file is no mapping with conversations"),
    "an alias for all": (
        "x: &x [[a, b]]\nconversations: *x",
        "talk.yml:2: an alias stands where a text is due",
    ),
    "another document": ("questions:\n- a\n", "talk.yml: no question with an answer was found"),
}


@pytest.mark.parametrize("case", BROKEN_YAML)
def test_yaml_that_is_no_corpus_is_told(case, write, read):
    content, message = BROKEN_YAML[case]
    write("talk.yml", content)
    with pytest.raises(CorpusError, match=message):
        read("talk.yml")
    with pytest.raises(CorpusError, match=r"talk.yml: no question with an answer was found"):
        read("talk.yml", skip_bad=True)


def test_a_billion_laughs_multiply_nothing(write, read):
    bomb = "x0: &x0 [ha, ha]\n" + "".join(
        f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 30)
    )
    write("talk.yml", bomb + "conversations:\n- - a\n  - b\n- *x29\n")
    assert pairs(read("talk.yml", skip_bad=True)) == [("a", "b")]


def test_a_conversation_without_end_is_told_and_not_kept(write, read, monkeypatch):
    monkeypatch.setattr("chatseq_readers.chatterbot.LARGEST_CONVERSATION", 1000)
    write("talk.yml", "conversations:\n- - a\n" + "  - again\n" * 500 + "- - c\n  - d\n")
    report = ReadReport()
    assert pairs(read("talk.yml", skip_bad=True, report=report)) == [("c", "d")]
    assert report.bad.first == {"a conversation is far too long": "talk.yml:2"}


def test_a_damaged_line_takes_its_yaml_conversation_with_it(write, read):
    lines = [b"conversations:", b"- - a", b"  - b", b"- - caf\xe9", b"  - x", b"- - c", b"  - d"]
    write("talk.yml", b"\n".join(lines))
    with pytest.raises(CorpusError, match=r"talk.yml:4: the text is not UTF-8"):
        read("talk.yml")
    assert pairs(read("talk.yml", skip_bad=True)) == [("a", "b"), ("c", "d")]


def test_escape_sequences_in_yaml_neither_stop_it_nor_stay(write, read):
    write("talk.yml", 'conversations:\n- - "a\\e[31m"\n  - b\x1b[0m\n')
    assert not re.search("\x1b", repr(read("talk.yml")))
