"""Every corpus beside the project reads, with the counts that its own README gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatseq.core.errors import CorpusError
from chatseq.corpus.read import CONTROLS_REMOVED, ReadReport
from chatseq.corpus.turns import ONE_TURN

STRING_FOR_LIST = "a plain text stands where a list of turns is due"
NOT_UTF8 = "the text is not UTF-8"

CHATTERBOT = {
    "english": (2026, 2306), "chinese": (467, 552), "traditionalchinese": (456, 543),
    "persian": (773, 2491), "japanese": (568, 825), "italian": (562, 834),
    "ukrainian": (465, 727), "korean": (454, 696), "dutch": (314, 348), "portuguese": (294, 425),
    "spanish": (280, 684), "indonesian": (163, 236), "bengali": (113, 126), "german": (113, 160),
    "turkish": (93, 221), "french": (89, 109), "hindi": (52, 66), "hebrew": (49, 87),
    "oriya": (44, 44), "russian": (43, 63), "swedish": (43, 118), "marathi": (33, 105),
    "hinglish": (31, 31), "tamil": (31, 45), "yoruba": (31, 46), "urdu": (15, 15),
    "telugu": (9, 9), "thai": (6, 14),
}  # fmt: skip
STRINGS = {"english": 1, "ukrainian": 7}
SINGLES = {"ukrainian": 2}


@pytest.mark.parametrize("language", CHATTERBOT)
def test_chatterbot_gives_the_pairs_of_each_language(language, shared_corpora, read):
    files = sorted((shared_corpora / "chatterbot-corpus" / "data" / language).glob("*.yml"))
    report = ReadReport()
    pairs = read(*files, report=report, skip_bad=True)
    conversations, adjacent = CHATTERBOT[language]
    assert len(pairs) == adjacent
    assert report.bad.counts == (
        {STRING_FOR_LIST: STRINGS[language]} if language in STRINGS else {}
    )
    begun = sum(not pair.context for pair in pairs)
    left_out = STRINGS.get(language, 0) + SINGLES.get(language, 0)
    assert begun + left_out == conversations


def test_chatterbot_english_has_the_distinct_pairs_and_questions(shared_corpora, read):
    files = sorted((shared_corpora / "chatterbot-corpus" / "data" / "english").glob("*.yml"))
    pairs = {(pair.question, pair.answer) for pair in read(*files, skip_bad=True)}
    assert len(pairs) == 1176
    assert len({question for question, _ in pairs}) == 1015


def test_a_string_for_a_list_is_told_with_its_line(shared_corpora, read):
    file = shared_corpora / "chatterbot-corpus" / "data" / "english" / "trivia.yml"
    with pytest.raises(CorpusError, match=r"trivia\.yml:35: a plain text stands where a list"):
        read(file)


def test_clinc150_gives_all_splits_as_tags(shared_corpora, read):
    pairs = read(shared_corpora / "clinc150" / "data_full.json")
    counts: dict[str, int] = {}
    for pair in pairs:
        counts[pair.tags[0]] = counts.get(pair.tags[0], 0) + 1
    assert counts == {
        "train": 15_000, "val": 3_000, "test": 4_500,
        "oos_train": 100, "oos_val": 100, "oos_test": 1_000,
    }  # fmt: skip
    assert len({pair.answer for pair in pairs}) == 151


def test_clinc150_splits_are_chosen_by_key_and_out_of_scope_is_declined(shared_corpora, read):
    pairs = read(
        shared_corpora / "clinc150" / "data_full.json",
        settings=("json.keys=test,oos_test", "json.decline=oos"),
    )
    assert len(pairs) == 5_500
    assert sum(not pair.answer for pair in pairs) == 1_000


def test_personality_chat_gives_its_questions_and_answers(shared_corpora, read):
    pairs = read(shared_corpora / "personality_chat" / "qna_chitchat_professional.tsv")
    assert len(pairs) == 9_793
    assert len({pair.question for pair in pairs}) == 9_792
    assert len({pair.answer for pair in pairs}) == 90
    assert pairs[0].question == "Do you get hurt?"
    assert pairs[0].source.endswith(":2")


@pytest.mark.slow("reads a real corpus of many megabytes")
def test_self_dialogue_gives_its_dialogues_and_pairs(shared_corpora, read):
    report = ReadReport()
    pairs = read(shared_corpora / "self_dialogue" / "self_dialogue.jsonl.gz", report=report)
    assert len(pairs) == 348_554
    assert len({pair.source for pair in pairs}) == 24_164 - 9
    assert report.bad.notes[ONE_TURN] == 9
    assert max(len(pair.context) for pair in pairs) == 18


@pytest.mark.slow("reads a real corpus of many megabytes")
def test_lccc_gives_its_pairs_with_and_without_spaces(shared_corpora, read):
    file = shared_corpora / "lccc_base" / "LCCC-base_valid.json"
    spaced = read(file)
    assert len(spaced) == 36_917
    assert sum(not pair.context for pair in spaced) == 20_000
    unspaced = read(file, settings=("json.remove= ",))
    assert max(len(pair.answer) for pair in unspaced) <= 141
    assert unspaced[0].answer == spaced[0].answer.replace(" ", "")


@pytest.mark.slow("reads a real corpus of many megabytes")
@pytest.mark.parametrize(
    ("folder", "file", "count", "questions", "answers"),
    [
        ("tatoeba_fra_eng", "fra-eng.zip", 142_787, 98_659, 136_067),
        ("tatoeba_cmn_eng", "cmn-eng.zip", 24_818, 23_862, 22_599),
    ],
)
def test_tatoeba_gives_its_pairs(folder, file, count, questions, answers, shared_corpora, read):
    pairs = read(shared_corpora / folder / file)
    assert len(pairs) == count
    assert len({pair.question for pair in pairs}) == questions
    assert abs(len({pair.answer for pair in pairs}) - answers) <= 2  # NFC joins a few
    assert not any("CC-BY" in pair.answer for pair in pairs)


@pytest.mark.parametrize(("split", "count"), [("train", 1992), ("dev", 1453), ("test", 1967)])
def test_scitldr_gives_an_exchange_for_each_reference(split, count, shared_corpora, read):
    report = ReadReport()
    pairs = read(shared_corpora / "scitldr" / f"{split}.jsonl", report=report)
    assert len(pairs) == count
    assert report.bad.notes.get(CONTROLS_REMOVED, 0) == (split == "train")


@pytest.mark.parametrize(
    ("file", "questions", "broken", "line"),
    [
        ("animals", 1366, 0, 0),
        ("general", 3290, 4, 173),
        ("geography", 842, 0, 0),
        ("history", 1645, 3, 432),
        ("science-technology", 2486, 1, 2313),
    ],
)
def test_trivia_tells_every_broken_line(file, questions, broken, line, shared_corpora, read):
    path = shared_corpora / "open_trivia_qa" / "categories" / file
    report = ReadReport()
    pairs = read(path, report=report, skip_bad=True)
    assert len(pairs) == questions - broken
    assert report.bad.counts.get(NOT_UTF8, 0) == broken
    if broken:
        assert report.bad.first[NOT_UTF8] == f"{path}:{line}"
        with pytest.raises(CorpusError, match=rf"{file}:{line}: the text is not UTF-8"):
            read(path)


@pytest.mark.parametrize(
    ("file", "entries", "answered"),
    [("AskUbuntuCorpus", 162, 159), ("WebApplicationsCorpus", 89, 86), ("ChatbotCorpus", 206, 0)],
)
def test_nlu_eval_gives_its_answers_or_its_intents(file, entries, answered, shared_corpora, read):
    path = shared_corpora / "nlu_eval_corpora" / f"{file}.json"
    assert len(read(path, settings=("json.answer=intent",))) == entries
    if answered:
        report = ReadReport()
        assert len(read(path, report=report, skip_bad=True)) == answered
        assert report.skipped == entries - answered
    else:
        with pytest.raises(CorpusError, match="Name two of them: --set json.question="):
            read(path)


def test_nlu_eval_reads_intents_with_none_as_out_of_scope(shared_corpora: Path, read):
    pairs = read(
        shared_corpora / "nlu_eval_corpora" / "AskUbuntuCorpus.json",
        settings=("json.answer=intent", "json.decline=None", "json.tags=training"),
    )
    assert sum(not pair.answer for pair in pairs) == 8
    assert sum("true" in pair.tags for pair in pairs) == 53
