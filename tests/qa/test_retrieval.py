"""The responder `retrieval`: the nearest questions vote, corrections win, doubt is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from chatseq.bots.bot import Bot
from chatseq.bots.bundle.pairs import PAIRS, PLACES, write_pairs
from chatseq.bots.contracts import FitData
from chatseq.bots.responder import Correction
from chatseq.bots.streams import SingleChunkStream
from chatseq.core.errors import BundleError, PartError
from chatseq.core.exchange import Exchange, Neighbour, Reply, ReplySource
from chatseq.core.options import build_part
from chatseq.core.plugins import discover
from chatseq.testing import babbling_bot
from chatseq_qa.neighbours import Neighbourhood, neighbours_of
from chatseq_qa.postings import Match
from chatseq_qa.retrieval import RetrievalResponder

CORPUS = [
    Exchange("How do I reset my password?", "Click on Forgot password.", source="faq.csv:2"),
    Exchange("I forgot my password", "Click on Forgot password.", source="faq.csv:3"),
    Exchange("Where can I see my balance?", "On the first page.", source="faq.csv:4"),
    Exchange("Can I pay by card?", "Yes, by any card.", source="faq.csv:5"),
    Exchange("你们几点开门？", "早上九点。", source="faq.csv:6"),
    Exchange("😀", "Thank you!", source="faq.csv:7"),
    Exchange("Who will win the election?", "", source="faq.csv:8"),
    Exchange("Can I pay by card?", "Yes, by any card.", source="faq.csv:9"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("bot"))


def filled(folder: Path, corpus: Sequence[Exchange] = CORPUS) -> Path:
    write_pairs(folder, corpus)
    Neighbourhood.write(folder)
    return folder


def asked(
    folder: Path | None, question: str, *corrections: tuple[str, str], **options: object
) -> Reply:
    known = [Correction(*pair) for pair in corrections]
    bot = babbling_bot(folder=folder, corrections=lambda: known)
    return RetrievalResponder(bot, **options).reply(question)


@pytest.mark.parametrize("exchange", [one for one in CORPUS if one.answer])
def test_a_question_of_the_corpus_gets_its_answer(folder: Path, exchange: Exchange) -> None:
    reply = asked(folder, exchange.question)
    assert (reply.text, reply.source) == (exchange.answer, ReplySource.RETRIEVED)
    assert reply.confidence == 1.0
    assert not reply.unsure
    assert reply.neighbours[0].question == exchange.question


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("how to reset my pasword", "Click on Forgot password."),
        ("my balance", "On the first page."),
        ("do you take cards, can I pay with one", "Yes, by any card."),
        ("几点开门", "早上九点。"),
        ("password " * 2300, "Click on Forgot password."),
    ],
)
def test_another_wording_gets_it_with_less_confidence(
    folder: Path, question: str, answer: str
) -> None:
    reply = asked(folder, question, decline_below=0.1)
    assert (reply.text, reply.source) == (answer, ReplySource.RETRIEVED)
    assert 0.1 < reply.confidence < 1


def test_a_reply_tells_all_about_itself(folder: Path) -> None:
    reply = asked(folder, "my balance, where is it", decline_below=0.0)
    assert (reply.bot, reply.model, reply.strategy) == ("babbler", "0" * 64, "")
    assert reply.milliseconds > 0
    assert (reply.tokens, reply.pieces, reply.seed) == (0, (), None)
    first = reply.neighbours[0]
    assert first.source == "faq.csv:4"
    assert (first.question, first.answer) == (CORPUS[2].question, reply.text)
    assert reply.confidence == pytest.approx(first.similarity, abs=0.001)
    similar = [one.similarity for one in reply.neighbours]
    assert similar == sorted(similar, reverse=True)


def test_others_that_could_be_meant_come_with_their_questions(folder: Path) -> None:
    reply = asked(folder, "can I see my password", decline_below=0.0)
    texts = [reply.text, *(other.text for other in reply.alternatives)]
    assert sorted(texts) == sorted({one.answer for one in CORPUS[:4]})
    for other in reply.alternatives:
        nearest = next(one for one in reply.neighbours if one.answer == other.text)
        assert (other.question, other.confidence) == (nearest.question, nearest.similarity)


def test_there_are_three_alternatives_at_most(tmp_path: Path) -> None:
    corpus = [
        Exchange(f"the {word}", f"about the {word}") for word in ("cat", "dog", "owl", "fox", "hen")
    ]
    reply = asked(filled(tmp_path, corpus), "the yak", decline_below=0.0)
    assert len(reply.alternatives) == 3
    assert len(reply.neighbours) == 5


@pytest.mark.parametrize(
    ("decline", "suggest", "source", "unsure"),
    [
        (-0.1, 0.0, ReplySource.RETRIEVED, False),
        (-0.1, 0.1, ReplySource.RETRIEVED, True),
        (0.0, 0.1, ReplySource.RETRIEVED, True),
        (0.1, 0.2, ReplySource.DECLINED, False),
    ],
)
def test_there_are_three_zones(
    folder: Path, decline: float, suggest: float, source: ReplySource, unsure: bool
) -> None:
    question = "my balance, where is it"
    found = asked(folder, question, decline_below=0.0).confidence
    reply = asked(folder, question, decline_below=found + decline, suggest_below=found + suggest)
    assert (reply.source, reply.unsure, reply.confidence) == (source, unsure, found)


def test_a_declined_reply_keeps_its_best_guess(folder: Path) -> None:
    reply = asked(folder, "my balance", decline_below=0.99)
    assert (reply.text, reply.source) == ("I do not know.", ReplySource.DECLINED)
    best = reply.alternatives[0]
    assert (best.text, best.question) == ("On the first page.", CORPUS[2].question)
    assert best.confidence == reply.confidence
    assert not reply.unsure


@pytest.mark.parametrize(
    ("question", "options", "text"),
    [
        ("zzz", {}, "I do not know."),
        ("鱼", {}, "我不知道。"),
        ("zzz", {"declined": "Ask the office. "}, "Ask the office."),
        ("鱼", {"declined": "Ask the office."}, "Ask the office."),
        ("  ", {}, "Please ask me something."),
        ("", {"blank": "Yes?"}, "Yes?"),
    ],
)
def test_what_has_no_answer_is_declined_in_words(
    folder: Path, question: str, options: dict[str, str], text: str
) -> None:
    reply = asked(folder, question, **options)
    assert (reply.text, reply.source, reply.confidence) == (text, ReplySource.DECLINED, 0.0)
    assert (reply.alternatives, reply.neighbours) == ((), ())


def test_a_question_like_those_to_be_declined_is_declined(folder: Path) -> None:
    reply = asked(folder, "who will win the next election", decline_below=0.0)
    assert (reply.text, reply.source) == ("I do not know.", ReplySource.DECLINED)
    assert reply.neighbours[0].answer == ""
    exact = asked(folder, CORPUS[6].question, decline_below=0.0)
    assert (exact.source, exact.confidence) == (ReplySource.DECLINED, 0.0)


def test_the_same_in_every_language_and_whatever_is_asked(folder: Path) -> None:
    for question in ("😀", "😀😀", "\ud800", "\x00", "?", "x" * 20_000, "鱼" * 20_000):
        assert 0 <= asked(folder, question).confidence <= 1


def test_corrections_come_first(folder: Path) -> None:
    better = (CORPUS[2].question, "In the app.")
    reply = asked(folder, "where can i see my BALANCE", better)
    assert (reply.text, reply.source) == ("In the app.", ReplySource.CORRECTED)
    assert (reply.confidence, reply.unsure) == (1.0, False)
    assert reply.neighbours[0] == Neighbour(*better, "correction", 1.0)
    assert reply.neighbours[1].source == "faq.csv:4"
    assert reply.alternatives[0].text == "On the first page."


def test_a_correction_is_not_its_own_alternative(folder: Path) -> None:
    reply = asked(folder, CORPUS[2].question, (CORPUS[2].question, CORPUS[2].answer))
    assert reply.source is ReplySource.CORRECTED
    assert reply.text not in [other.text for other in reply.alternatives]


def test_a_correction_is_for_questions_that_are_enough_alike(folder: Path) -> None:
    correction = ("where is the manager", "On holiday.")
    question = "where is the manager now"
    assert asked(folder, question, correction, corrected_above=0.99).text != "On holiday."
    found = asked(folder, question, correction, corrected_above=0.5)
    assert (found.text, found.source) == ("On holiday.", ReplySource.CORRECTED)
    assert 0.5 < found.confidence < 1


def test_a_nearer_question_of_the_corpus_wins_over_a_correction(folder: Path) -> None:
    correction = ("Where can I see my balance today?", "Nowhere.")
    reply = asked(folder, CORPUS[2].question, correction, corrected_above=0.5)
    assert (reply.text, reply.source) == ("On the first page.", ReplySource.RETRIEVED)


def test_corrections_are_known_without_a_corpus() -> None:
    reply = asked(None, "Hello there", ("hello there", "Hi!"))
    assert (reply.text, reply.source) == ("Hi!", ReplySource.CORRECTED)
    assert asked(None, "hello there").source is ReplySource.DECLINED


def test_the_stream_says_it_at_once(folder: Path) -> None:
    stream = RetrievalResponder(babbling_bot(folder=folder)).stream(CORPUS[2].question)
    assert stream.partial() == Reply(
        "", ReplySource.RETRIEVED, 0.0, bot="babbler", interrupted=True
    )
    assert next(stream) == CORPUS[2].answer
    assert stream.partial().interrupted
    reply = next(stream)
    assert reply is stream.partial()
    assert isinstance(reply, Reply)
    assert reply.neighbours
    assert list(stream) == []


def test_a_stream_without_words_has_the_reply_alone() -> None:
    empty = Reply("", ReplySource.CORRECTED, 1.0)
    assert list(SingleChunkStream(lambda: empty, "x")) == [empty]


def test_many_are_answered_in_order(folder: Path) -> None:
    responder = RetrievalResponder(babbling_bot(folder=folder))
    questions = [one.question for one in CORPUS[:4]]
    contexts = [("earlier",)] * 4
    for given in ((), contexts):
        replies = list(responder.reply_all(questions, given))
        assert [reply.text for reply in replies] == [one.answer for one in CORPUS[:4]]


# What a bot must have.


def test_a_bot_without_an_index_is_to_be_trained_again(tmp_path: Path) -> None:
    write_pairs(tmp_path, CORPUS)
    with pytest.raises(BundleError) as fault:
        RetrievalResponder(babbling_bot(folder=tmp_path))
    assert str(fault.value) == (
        "The bot 'babbler' has no index of its questions: it was trained without. Train it again: "
        "chatseq train FILE --bot babbler --set responder.name=retrieval"
    )


@pytest.mark.parametrize(
    "name", ["index.json", "index-numbers.npy", "index-norms.npy", PLACES, PAIRS]
)
@pytest.mark.parametrize("data", [b"", b"\xff\x00"])
def test_what_cannot_be_read_is_told_in_one_line(tmp_path: Path, name: str, data: bytes) -> None:
    (filled(tmp_path) / name).write_bytes(data)
    with pytest.raises(BundleError) as fault:
        RetrievalResponder(babbling_bot(folder=tmp_path))
    told = str(fault.value)
    assert told.startswith("The bot 'babbler' has an index that cannot be read: ")
    assert ". Train it again: chatseq train FILE --bot babbler" in told
    assert "\n" not in told


def test_an_index_of_another_corpus_is_refused(tmp_path: Path) -> None:
    filled(tmp_path)
    write_pairs(tmp_path, CORPUS[:3])
    with pytest.raises(BundleError, match="cannot be read: 8 questions for 3 pairs"):
        RetrievalResponder(babbling_bot(folder=tmp_path))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"neighbours": 0}, "neighbours (0) must be at least 1."),
        ({"decline_below": 1.5}, "decline_below (1.5) must be between 0 and 1."),
        ({"suggest_below": -0.1}, "suggest_below (-0.1) must be between 0 and 1."),
        ({"corrected_above": float("nan")}, "corrected_above (nan) must be between 0 and 1."),
        ({"blank": " "}, "blank must not be blank itself."),
    ],
)
def test_options_out_of_range_are_told(options: dict[str, object], told: str) -> None:
    registry = discover()
    with pytest.raises(PartError) as fault:
        build_part(
            registry, "responder", {"name": "retrieval", **options}, babbling_bot(), where="in [qa]"
        )
    assert str(fault.value) == f"The responder 'retrieval' cannot be built in [qa]: {told}"


# What it learns.


def learnt(folder: Path, train: Sequence[Exchange], held_out: Sequence[Exchange]) -> object:
    write_pairs(folder, [*train, *held_out])
    bot: Bot = babbling_bot(folder=folder)
    data = FitData(bot, train, held_out, closed=True, seed=0)
    return RetrievalResponder.fit(data, folder, {"neighbours": 2})


def test_it_learns_all_exchanges_and_is_judged_by_what_the_network_did_not_see(
    tmp_path: Path,
) -> None:
    held_out = [
        Exchange("please reset my password", "Click on Forgot password."),
        Exchange("where is my balance", "Somewhere else."),
        Exchange("who will win", ""),
        Exchange("will there be an election", "No."),
    ]
    assert learnt(tmp_path, CORPUS, held_out) == {"retrieved_right": 0.5}
    assert asked(tmp_path, "where is my balance").text == "Somewhere else."


def test_without_held_out_exchanges_there_is_nothing_to_be_judged_by(tmp_path: Path) -> None:
    assert learnt(tmp_path, CORPUS, []) == {}
    assert asked(tmp_path, CORPUS[2].question).text == CORPUS[2].answer


def test_neighbours_are_told_once_and_in_order() -> None:
    matches = [Match(3, 0.9), Match(7, 0.9), Match(2, 0.5), Match(0, 0.2)]
    found = neighbours_of(matches, CORPUS.__getitem__, 2)
    assert found == [
        Neighbour("Can I pay by card?", "Yes, by any card.", "faq.csv:5", 0.9),
        Neighbour("Where can I see my balance?", "On the first page.", "faq.csv:4", 0.5),
    ]


def test_no_more_of_the_corpus_is_read_than_needed() -> None:
    class Counted(list[Exchange]):
        read = 0

        def __getitem__(self, at: int) -> Exchange:  # type: ignore[override]
            self.read += 1
            return super().__getitem__(at)

    corpus = Counted(CORPUS)
    neighbours_of([Match(at, 0.5) for at in range(8)], corpus.__getitem__, 2)
    assert corpus.read == 2
