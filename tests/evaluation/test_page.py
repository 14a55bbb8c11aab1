"""The page of an evaluation is whole, safe to open and tells what the report tells."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from evaluation_fakes import judged

from chatseq.evaluation.contracts import JudgedReply
from chatseq.evaluation.details import DetailCollector
from chatseq.evaluation.page import BEGIN, page
from chatseq.evaluation.report import Report

VOID = {"meta"}


class Reader(HTMLParser):
    """Reads a page as a browser would: its tags, its attributes and the text of each table."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def page_of(
    *replies: JudgedReply, bot: str = "people", files: tuple[str, ...] = ("test.csv",)
) -> str:
    ledger = DetailCollector()
    ledger.add(replies)
    report = Report(count=len(replies), exact_match=0.5, details=ledger.details())
    return page(report, bot=bot, files=files)


REPLIES = (
    judged("right", "right", confidence=0.9),
    judged("wrong", "right", confidence=0.8, question="Which one?", context=("before",)),
    judged(None, "right", confidence=0.3, others=["a guess"], question="Too shy?"),
    judged(None, confidence=0.2),
)


def test_the_page_has_figures_plots_thresholds_and_lists() -> None:
    html = page_of(*REPLIES)
    reader = read(html)
    assert html.startswith(BEGIN)
    assert reader.tags.count("svg") == 4
    for heading in ("Figures", "Thresholds to choose from", "Confused most often"):
        assert f"<h2>{heading}</h2>" in html
    for text in ("answered word for word", "50.0 %", "a guess", "Too shy?", "before\nWhich one?"):
        assert text in reader.texts
    assert "Evaluation of people" in reader.texts
    assert "test.csv" in reader.texts


EVIL = "<script>alert(1)</script>\"'&amp;<img src=x onerror=alert(2)>"


def test_no_text_of_a_corpus_or_a_model_becomes_anything_but_text() -> None:
    html = page_of(
        judged(EVIL, EVIL + "!", confidence=0.9, question=EVIL, context=(EVIL,)),
        judged(None, EVIL, others=[EVIL], confidence=0.1, question=EVIL),
        bot=EVIL,
        files=(EVIL,),
    )
    reader = read(html)
    assert not {"script", "img"} & set(reader.tags)
    assert not any(name.startswith("on") for name, _ in reader.attributes)
    assert EVIL in reader.texts
    assert html.count("<script") == 0


def test_the_page_loads_nothing_and_may_not() -> None:
    reader = read(page_of(*REPLIES))
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(reader.tags)
    assert not {"src", "href", "action"} & {name for name, _ in reader.attributes}
    policy = [value for name, value in reader.attributes if value and "default-src" in value]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_chinese_and_broken_text_can_be_written() -> None:
    html = page_of(judged("你好\ud800", "再见\x1b[31m\u202e", question="怎么走？"))
    reader = read(html)
    assert "怎么走？" in reader.texts
    assert "你好\ufffd" in reader.texts
    assert not {"\x1b", "\u202e", "\ud800"} & set(html)
    assert html.encode()
    assert ("charset", "utf-8") in reader.attributes


def test_texts_run_in_their_own_direction() -> None:
    assert ("dir", "auto") in read(page_of(judged("خطأ", "صحيح", question="سؤال"))).attributes


def test_ids_are_given_once() -> None:
    ids = [value for name, value in read(page_of(*REPLIES)).attributes if name == "id"]
    assert len(ids) == len(set(ids)) == 8


@pytest.mark.parametrize(
    ("replies", "plots"),
    [
        ((), 0),
        ((judged("x", "x"),), 3),
        ((judged("x"),), 3),
        ((judged(None), judged(None, confidence=0.1)), 3),
        ((judged(None, confidence=float("nan")), judged("", "x")), 4),
    ],
)
def test_a_page_of_few_replies_has_the_plots_that_apply(
    replies: tuple[JudgedReply, ...], plots: int
) -> None:
    html = page_of(*replies)
    assert read(html).tags.count("svg") == plots
    assert "nan" not in html.lower()
    assert "None." in html


def test_what_is_to_be_declined_and_what_is_empty_is_said_so() -> None:
    reader = read(page_of(judged("x", confidence=0.5), judged(None, "y", confidence=0.1)))
    assert "(to be declined)" in reader.texts
    assert "(nothing)" in reader.texts
