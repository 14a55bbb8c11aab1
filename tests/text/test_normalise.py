"""What counts as the same text, as a word, and as Chinese: hand-written cases, and one home."""

from __future__ import annotations

import re
import sys
import unicodedata
from pathlib import Path

import pytest
from tokenizers import Regex, pre_tokenizers

from chatseq.text.normalise import (
    HAN,
    KANA,
    UNSPACED,
    folded,
    has_han,
    is_han,
    normalise_answer,
    question_key,
    question_text,
    units,
)

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "chatseq" / "text" / "normalise.py"
SOURCES = [path for folder in ("chatseq", "plugins") for path in (ROOT / folder).rglob("*.py")]
# A range of a character class that begins or ends among Chinese characters, however it is spelt.
HAN_RANGE = re.compile(
    r"\\u(?:2e80|300[57]|3400|4dbf|4e00|9fa5|9fff|f900|faff)|\\U000(?:2|3)[0-9a-f]{4}|[一-鿿]-[一-鿿]"
    r"|0x(?:3400|4e00|9fff)",
    re.IGNORECASE,
)


def test_answers_are_the_same_whatever_their_white_space_and_their_way_of_writing_accents() -> None:
    assert normalise_answer("\ta \u00a0 b\n") == "a b"
    assert normalise_answer("e\u0301") == "\u00e9"


def test_answers_of_other_case_or_width_are_others() -> None:
    assert len(set(map(normalise_answer, ("a", "A", "ａ", "a.")))) == 4


def test_case_width_and_quotes_are_folded() -> None:
    assert folded("  WHAT’S up？ ") == "what's up?"
    assert folded("ＡＢＣ１") == "abc1"


def test_the_same_question_may_have_other_spaces() -> None:
    assert question_text("What’s \n UP") == question_text(" what's up ")
    assert question_text("what's up?") != question_text("what's up")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Do you eat?", "do  you eat"),
        ("Ｈｅｌｌｏ", "hello"),
        ("STRASSE", "straße"),
        ("你好吗？", "你好吗"),
        ("what's up", "what s up"),
    ],
)
def test_spellings_of_one_question_share_a_key(one: str, other: str) -> None:
    assert question_key(one) == question_key(other)


@pytest.mark.parametrize(("one", "other"), [("?!", "!?"), ("😀", "😢"), ("你好", "你好吗")])
def test_different_questions_have_different_keys(one: str, other: str) -> None:
    assert question_key(one) != question_key(other)


def test_units_are_words_without_case_and_punctuation() -> None:
    assert units("Don't STOP, it's 3.5!") == ["don", "t", "stop", "it", "s", "3", "5"]
    assert units("Straße_und") == ["strasse", "und"]
    assert units("नमस्ते दुनिया") == ["नमस्ते", "दुनिया"]


def test_units_of_scripts_without_spaces_are_characters() -> None:
    assert units("GPU很贵") == ["gpu", "很", "贵"]
    assert units("カタカナ、ひら・") == list("カタカナひら")
    assert units("한국어 말") == ["한국어", "말"]


def test_units_of_a_text_of_signs_alone_are_its_characters() -> None:
    assert units("🙂 !") == ["🙂", "!"]
    assert units(" ") == []


def test_chinese_is_told_from_kana_and_latin() -> None:
    assert has_han("ok 好")
    assert has_han("𠮷")
    assert not has_han("かな カナ ok")
    assert [character for character in "二〇、々a" if is_han(character)] == list("二〇々")


def test_han_is_what_tokenizers_take_for_it() -> None:
    alone = pre_tokenizers.Split(Regex(r"\p{Han}"), "isolated")
    characters = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) not in ("Cn", "Cs")
    ]
    pieces = alone.pre_tokenize_str("".join(f"{character}\n" for character in characters))
    told = {text for text, _ in pieces if len(text) == 1 and text != "\n"}
    assert len(told) > 90_000
    assert {character for character in characters if is_han(character)} == told


def test_scripts_without_spaces_hold_letters_and_no_punctuation() -> None:
    for name in ("・", "、", "。", "？", "\u3000", "〜"):
        assert not re.match(f"[{UNSPACED}]", name)
    for name in ("好", "々", "か", "ナ", "ー", "ﾅ", "ไ", "မ", "말"):
        assert re.match(f"[{UNSPACED}]", name)
    assert not re.search(f"[{HAN}]", "かナー")
    assert not re.search(f"[{KANA}]", "好々")


def test_han_is_defined_in_one_place() -> None:
    assert HAN_RANGE.search(HOME.read_text("utf-8"))
    others = [
        f"{path.relative_to(ROOT)}: {spelt.group()}"
        for path in SOURCES
        if path != HOME and (spelt := HAN_RANGE.search(path.read_text("utf-8")))
    ]
    assert others == []


@pytest.mark.parametrize(
    "rule",
    [
        r"def \w*evenly\w*",
        r"def \w*answers_recur",
        r"def \w*normalise_answer|def plain\(text",
        r"\* len\((?:items|exchanges|questions|rows)\) //",
        r"2 \* len\(answers\) <= ",
    ],
)
def test_a_text_rule_is_written_once(rule: str) -> None:
    found = {path.name for path in SOURCES if re.search(rule, path.read_text("utf-8"))}
    assert len(found - {"job.py"}) == 1
