"""Replies of the responder `qa` where answers recur: zones, choices, labels, odd questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from qa_fakes import OPEN, PAY, SEND, SHOP, TALKING, bot_of, fit

from chatseq.bots.responder import Correction
from chatseq.core.exchange import Exchange, Reply, ReplySource
from chatseq.decoding.score_answers import answer_tokens, score_answers
from chatseq.testing import RandomEngine
from chatseq.text.question_encoder import pad_questions
from chatseq_qa.responder import QaResponder

ASKED = ["when do you open", "opening", "pay cards", "parcel delivery", "will it rain", "zzz", ""]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    fit(folder)
    return folder


def qa(
    folder: Path,
    exchanges: Sequence[Exchange] = SHOP,
    corrections: Sequence[Correction] = (),
    *,
    decline_below: float | None = None,
    suggest_below: float = 0.6,
    declined: str = "",
    corrected_above: float = 0.9,
) -> QaResponder:
    bot = bot_of(folder, exchanges, corrections=lambda: corrections)
    return QaResponder(
        bot,
        decline_below=decline_below,
        suggest_below=suggest_below,
        declined=declined,
        corrected_above=corrected_above,
    )


def timeless(reply: Reply) -> Reply:
    return replace(reply, milliseconds=0.0)


@pytest.mark.parametrize("question", ["when do you open", "WHEN do you open?!", "how can i pay"])
def test_a_question_of_the_corpus_gets_its_answer(shop: Path, question: str) -> None:
    reply = qa(shop).reply(question)
    assert reply.text == (OPEN if "open" in question else PAY)
    assert reply.source in (ReplySource.GENERATED, ReplySource.RETRIEVED)
    assert reply.neighbours[0].similarity == 1.0
    assert reply.neighbours[0].source.startswith("shop.csv:")


def test_only_answers_of_the_corpus_are_said(shop: Path) -> None:
    for reply in qa(shop, decline_below=0.0).reply_all(ASKED[:-1]):
        assert reply.text in (OPEN, PAY, SEND)


def test_from_0_on_nothing_but_a_blank_question_is_declined(shop: Path) -> None:
    responder = qa(shop, decline_below=0.0)
    sources = [reply.source for reply in responder.reply_all([*ASKED, "\x00", "\ud800", "😀"])]
    assert [source is ReplySource.DECLINED for source in sources] == [
        not question.strip() for question in [*ASKED, "\x00", "\ud800", "😀"]
    ]


def test_up_to_1_everything_is_declined(shop: Path) -> None:
    replies = list(qa(shop, decline_below=1.0).reply_all(ASKED))
    assert {reply.source for reply in replies} == {ReplySource.DECLINED}
    assert {reply.text for reply in replies[:-1]} == {"I do not know."}


def test_a_question_is_declined_below_the_threshold_and_answered_from_it_on(shop: Path) -> None:
    sure = qa(shop, decline_below=0.0).reply("opening").confidence
    at, above = (qa(shop, decline_below=limit).reply("opening") for limit in (sure, sure + 1e-6))
    assert at.source is not ReplySource.DECLINED
    assert above.source is ReplySource.DECLINED
    assert (at.confidence, above.confidence) == (sure, sure)
    assert above.alternatives[0].text == at.text  # the best guess is kept
    assert above.alternatives[0].confidence == pytest.approx(sure)
    assert above.extra["decline_below"] == f"{sure + 1e-6:.3f}"


def test_between_the_two_thresholds_the_best_answer_is_said_with_others(shop: Path) -> None:
    sure = qa(shop, decline_below=0.0).reply("opening").confidence
    doubtful, certain = (
        qa(shop, decline_below=0.0, suggest_below=limit).reply("opening")
        for limit in (sure + 1e-6, sure)
    )
    assert (doubtful.unsure, certain.unsure) == (True, False)
    assert doubtful.text == certain.text
    assert doubtful.alternatives
    declined = qa(shop, decline_below=1.0, suggest_below=1.0).reply("opening")
    assert not declined.unsure


@pytest.mark.parametrize("decline_below", [0.0, 1.0])
def test_choices_are_distinct_and_fall(shop: Path, decline_below: float) -> None:
    asked = {one.question for one in SHOP}
    for reply in qa(shop, decline_below=decline_below).reply_all(ASKED[:-1]):
        said = [] if reply.source is ReplySource.DECLINED else [reply.text]
        texts = [*said, *(other.text for other in reply.alternatives)]
        assert len(set(texts)) == len(texts) == 3  # as many as the corpus has
        confidences = [reply.confidence, *(other.confidence for other in reply.alternatives)]
        assert confidences == sorted(confidences, reverse=True)
        assert all(0 <= each <= 1 for each in confidences)
        assert {other.question for other in reply.alternatives} <= asked


def test_a_choice_comes_with_a_question_of_the_corpus_that_it_answers(shop: Path) -> None:
    answers = {one.question: one.answer for one in SHOP}
    for reply in qa(shop, decline_below=1.0).reply_all(["pay", "zzz"]):
        for other in reply.alternatives:
            assert answers[other.question] == other.text
    nearest = qa(shop, decline_below=1.0).reply("can i pay by cards").alternatives
    by_text = {other.text: other.question for other in nearest}
    assert by_text[PAY] == "can i pay by card"


def test_a_label_tells_whether_the_network_alone_would_have_said_it(tmp_path: Path) -> None:
    fit(tmp_path, TALKING)
    found = set()
    for seed in range(5):
        bot = bot_of(tmp_path, TALKING, RandomEngine(vocabulary_size=30, seed=seed))
        responder = QaResponder(bot, decline_below=0.0)
        assert bot.answers is not None
        texts = bot.answers.texts
        tree = answer_tokens(list(map(bot.tokenizer.encode_answer, texts)), 32)
        for question in [one.question for one in TALKING]:
            read = pad_questions([bot.reader.read(question)], bot.reader.features)
            own = texts[int(score_answers(bot.engine, read, tree)[0].argmax())]
            reply = responder.reply(question)
            same = ReplySource.GENERATED if reply.text == own else ReplySource.RETRIEVED
            assert reply.source is same
            found.add(same)
    assert len(found) == 2


def test_a_said_answer_is_told_token_by_token_and_a_declined_one_is_not(shop: Path) -> None:
    answering, declining = qa(shop), qa(shop, decline_below=1.0)
    said = answering.explain("how can i pay", answering.reply("how can i pay"))
    declined = declining.explain("how", declining.reply("how"))
    shown = "".join(piece.text for piece in said.pieces)
    assert PAY.startswith(shown)  # as far as decoding.max_length goes
    assert len(shown) == 11
    assert all(len(piece.weights) == len(said.question_pieces) for piece in said.pieces)
    assert said.tokens == len(said.pieces) + 1  # the end mark counted
    assert (declined.pieces, declined.tokens) == ((), 0)
    for reply in (said, declined):
        assert (reply.bot, reply.model, reply.seed) == ("babbler", "0" * 64, None)


def test_a_reply_is_explained_only_when_somebody_asks(shop: Path) -> None:
    responder = qa(shop)
    for question in ("how can i pay", "xqz vrr", ""):
        reply = responder.reply(question)
        assert (reply.pieces, reply.question_pieces) == ((), ())
        explained = responder.explain(question, reply)
        assert explained.text == reply.text
        same = replace(explained, pieces=(), question_pieces=(), extra=reply.extra)
        assert same == reply


def test_a_reply_of_another_bot_is_not_explained_by_this_one(shop: Path) -> None:
    responder = qa(shop)
    other = replace(responder.reply("how can i pay"), model="another")
    assert responder.explain("how can i pay", other) == other


@pytest.mark.parametrize(
    ("question", "said"), [("is there cheese", "No idea."), ("有奶酪吗", "No idea."), ("", None)]
)
def test_what_is_said_instead_can_be_chosen(shop: Path, question: str, said: str | None) -> None:
    reply = qa(shop, decline_below=1.0, declined=" No idea. ").reply(question)
    assert reply.text == (said or "Please ask me something.")


def test_a_chinese_question_is_declined_in_chinese(shop: Path) -> None:
    assert qa(shop, decline_below=1.0).reply("有奶酪吗").text == "我不知道。"


def test_many_are_answered_as_one_by_one(shop: Path) -> None:
    responder = qa(shop)
    contexts: list[Sequence[str]] = [("how can i pay", PAY) if at % 2 else () for at in range(7)]
    together = list(responder.reply_all(ASKED, contexts))
    for reply, question, context in zip(together, ASKED, contexts, strict=True):
        alone = responder.reply(question, context)
        assert (reply.text, reply.source) == (alone.text, alone.source)
        assert reply.confidence == pytest.approx(alone.confidence, abs=1e-6)


def test_a_stream_says_it_at_once(shop: Path) -> None:
    responder = qa(shop)
    text, reply = responder.stream("how can i pay")
    assert isinstance(reply, Reply)
    assert text == reply.text == PAY
    assert timeless(reply) == timeless(responder.reply("how can i pay"))


@pytest.mark.parametrize(
    "question", ["open " * 4000, "\x00\x1b[31m", "\ud800", "😀👩‍👩‍👧", "</s><pad>", "你们几点开门"]
)
def test_any_text_gets_a_reply(shop: Path, question: str) -> None:
    for context in ((), ("how can i pay", PAY), ("odd",), (question, question)):
        reply = qa(shop).reply(question, context)
        assert 0 <= reply.confidence <= 1
        assert reply.text


def test_of_a_long_question_only_the_beginning_is_read_and_that_is_told(shop: Path) -> None:
    reply = qa(shop).reply("how can i pay " * 1500)
    assert reply.extra["note"] == "Only the first 24 tokens of the question were read."


CORRECTION = Correction("how can i pay", "In cash alone.")


def test_a_corrected_question_gets_the_corrected_answer(shop: Path) -> None:
    responder = qa(shop, corrections=[CORRECTION], decline_below=1.0)
    reply = responder.reply("How can I pay?")
    assert (reply.text, reply.source) == ("In cash alone.", ReplySource.CORRECTED)
    assert (reply.confidence, reply.unsure) == (1.0, False)
    (nearest,) = reply.neighbours
    assert (nearest.question, nearest.source) == ("how can i pay", "correction")
    assert next(iter(responder.stream("how can i pay"))) == "In cash alone."
    assert responder.reply("how do i pay").source is ReplySource.DECLINED


def test_how_like_a_corrected_question_must_be_can_be_chosen(shop: Path) -> None:
    for above, wanted in ((0.3, ReplySource.CORRECTED), (1.0, ReplySource.DECLINED)):
        responder = qa(shop, corrections=[CORRECTION], corrected_above=above, decline_below=1.0)
        assert responder.reply("how can i pay here").source is wanted


def test_corrected_questions_among_others_keep_their_places(shop: Path) -> None:
    responder = qa(shop, corrections=[CORRECTION])
    replies = list(responder.reply_all(["when do you open", "how can i pay", "", "opening hours"]))
    assert [reply.text for reply in replies[:2]] == [OPEN, "In cash alone."]
    assert replies[2].text == "Please ask me something."
    assert replies[3].text == OPEN


def test_corrections_are_known_at_once(shop: Path) -> None:
    known = list[Correction]()
    bot = bot_of(shop, corrections=lambda: tuple(known))
    responder = QaResponder(bot)
    assert responder.reply("how can i pay").text == PAY
    known.append(CORRECTION)
    assert responder.reply("how can i pay").text == "In cash alone."
    known.clear()
    assert responder.reply("how can i pay").text == PAY


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decline_below": 1.5}, r"decline_below \(1\.5\) must be between 0 and 1\."),
        ({"suggest_below": -0.1}, r"suggest_below \(-0\.1\) must be between 0 and 1\."),
        ({"corrected_above": 2.0}, r"corrected_above \(2\.0\) must be between 0 and 1\."),
        ({"decline_below": float("nan")}, r"decline_below \(nan\) must be between 0 and 1\."),
        ({"seed": -1}, r"seed \(-1\) must be 0 or more\."),
        ({"batch": 0}, r"batch \(0\) must be at least 1\."),
        ({"blank": " "}, r"blank must not be blank itself\."),
    ],
)
def test_options_that_cannot_be_are_refused(
    shop: Path, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        QaResponder(bot_of(shop), **options)  # type: ignore[arg-type]


def test_a_corpus_of_which_nothing_has_an_answer_declines_everything(tmp_path: Path) -> None:
    silent = [one for one in SHOP if not one.answer]
    fit(tmp_path, silent)
    responder = qa(tmp_path, silent, decline_below=0.0)
    for question in ("will it rain tomorrow", "how can i pay", "zzz"):
        reply = responder.reply(question)
        assert (reply.source, reply.confidence) == (ReplySource.DECLINED, 0.0)
        assert reply.alternatives == ()


def test_a_single_answer_is_said_where_it_fits(tmp_path: Path) -> None:
    one = [each for each in SHOP if each.answer == OPEN]
    fit(tmp_path, one)
    assert qa(tmp_path, one).reply("when do you open").text == OPEN
    assert qa(tmp_path, one).reply("when do you open").alternatives == ()
    assert qa(tmp_path, one).reply("qqq xxx").source is ReplySource.DECLINED


def test_a_single_question_is_a_corpus_too(tmp_path: Path) -> None:
    fit(tmp_path, SHOP[:1])
    known, nonsense = qa(tmp_path, SHOP[:1]).reply_all(["when do you open", "qqq xxx"])
    assert known.text == OPEN
    assert nonsense.confidence < known.confidence


def test_without_questions_to_decline_nonsense_is_less_likely_right(tmp_path: Path) -> None:
    fit(tmp_path, TALKING)
    responder = qa(tmp_path, TALKING)
    known, nonsense = (responder.reply(q) for q in ("how can i pay", "xqz vrr plok"))
    assert (known.text, nonsense.source) == (PAY, ReplySource.DECLINED)
    assert nonsense.confidence < known.confidence
