"""The responder `seq2seq`: one reply, streamed, batched, stopped, and what it tells of itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

import pytest

from chatseq.bots.bot import Bot, BotData
from chatseq.bots.responder import ReplyStream, Responder
from chatseq.core.errors import PartError
from chatseq.core.exchange import Alternative, Reply, ReplySource
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe, load_recipe
from chatseq.testing import RandomEngine, ScriptedEngine, saying
from chatseq.text.question_encoder import QuestionEncoder
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID, Tokenizer
from chatseq_subword.part import Subword
from chatseq_subword.tokenizer import SubwordTokenizer

ANSWERS = {
    "hello": "Hello! How can I help?",
    "smile": "Have one: 😀👍🏽!",
    "what time is it": "I have no clock.",
    "你好": "你好！很高兴见到你。",
    "nothing": "",
}


@pytest.fixture(scope="module")
def tokenizer() -> SubwordTokenizer:
    texts = [text for pair in ANSWERS.items() for text in pair if "😀" not in text]
    return Subword(vocabulary_size=600).learn(texts * 3)


def bot_of(
    registry: Registry,
    tokenizer: Tokenizer,
    *settings: str,
    answers: Mapping[str, str] | None = None,
    sure: float = 0.9,
    engine: Any = None,
) -> Bot:
    recipe = load_recipe("tiny").apply(["responder.name=seq2seq", "question.features=0", *settings])
    read = QuestionEncoder(tokenizer).read
    script = {
        read(question).ids[:-1]: tokenizer.encode(answer)
        for question, answer in (answers or ANSWERS).items()
    }
    language = saying(script, sure)
    engine = engine or ScriptedEngine(language, vocabulary_size=tokenizer.size)
    return Bot(registry, recipe, tokenizer, engine, BotData(name="fake", model="c0ffee"))


@pytest.fixture
def bot(registry: Registry, tokenizer: SubwordTokenizer) -> Bot:
    return bot_of(registry, tokenizer)


def streamed(stream: ReplyStream) -> tuple[list[str], Reply]:
    *parts, reply = stream
    assert isinstance(reply, Reply)
    assert all(isinstance(part, str) and part for part in parts)
    return [str(part) for part in parts], reply


@pytest.mark.parametrize(("question", "answer"), [p for p in ANSWERS.items() if p[1]])
def test_the_answer_comes_word_for_word(bot: Bot, question: str, answer: str) -> None:
    reply = bot.responder.reply(question)
    assert (reply.text, reply.source) == (answer, ReplySource.GENERATED)


def test_a_reply_tells_all_about_itself(bot: Bot, tokenizer: SubwordTokenizer) -> None:
    reply = bot.responder.reply("HELLO ")  # read as in training: case and margins do not matter
    ids = tokenizer.encode(ANSWERS["hello"])
    assert reply.confidence == pytest.approx(0.9)
    assert (reply.bot, reply.model, reply.strategy) == ("fake", "c0ffee", "greedy")
    assert reply.tokens == len(ids) + 1
    assert reply.milliseconds > 0
    assert reply.seed is None  # greedy does not draw
    assert [piece.text for piece in reply.pieces] == tokenizer.pieces(ids)
    assert all(piece.log_prob == pytest.approx(math.log(0.9)) for piece in reply.pieces)
    assert reply.question_pieces == tuple(tokenizer.pieces([*tokenizer.encode("hello"), END_ID]))
    assert all(len(piece.weights) == len(reply.question_pieces) for piece in reply.pieces)
    assert reply.alternatives == ()
    assert not reply.interrupted


@pytest.mark.parametrize("strategy", ["greedy", "beam"])
@pytest.mark.parametrize("question", [*ANSWERS, "", "never heard"])
def test_the_stream_says_the_same_as_the_reply(
    registry: Registry, tokenizer: SubwordTokenizer, strategy: str, question: str
) -> None:
    bot = bot_of(registry, tokenizer, f"decoding.strategy.name={strategy}")
    parts, reply = streamed(bot.responder.stream(question))
    whole = bot.responder.reply(question)
    assert "".join(parts) == reply.text == whole.text
    assert reply.confidence == pytest.approx(whole.confidence)
    assert reply.pieces == whole.pieces
    assert reply.source is whole.source


def test_greedy_streams_token_by_token_and_never_half_a_character(bot: Bot) -> None:
    parts, reply = streamed(bot.responder.stream("hello"))
    assert len(parts) == len(reply.pieces)
    parts, reply = streamed(bot.responder.stream("smile"))
    assert "😀" in parts
    assert "👍" in parts
    assert len(parts) < len(reply.pieces)


def test_nothing_is_computed_before_the_first_piece_is_asked_for(
    registry: Registry, tokenizer: SubwordTokenizer
) -> None:
    class Untouchable(ScriptedEngine):
        def encode(self, *given: Any) -> Any:
            raise AssertionError

    engine = Untouchable(saying({}), vocabulary_size=tokenizer.size)
    stream = bot_of(registry, tokenizer, engine=engine).responder.stream("hello")
    assert stream.partial().text == ""
    with pytest.raises(AssertionError):
        next(stream)
    assert stream.partial().interrupted


def test_a_stream_that_is_closed_stops_and_gives_what_was_said(bot: Bot) -> None:
    stream = bot.responder.stream("hello")
    said = str(next(stream)) + str(next(stream))
    stream.close()
    assert next(stream, None) is None
    part = stream.partial()
    assert part.text == said
    assert ANSWERS["hello"].startswith(said)
    assert part.interrupted
    assert part.source is ReplySource.GENERATED
    assert len(part.pieces) == part.tokens == 2
    assert part.confidence == pytest.approx(0.9)
    assert part.bot == "fake"
    stream.close()


def test_closing_takes_no_further_step(registry: Registry, tokenizer: SubwordTokenizer) -> None:
    class Counting(RandomEngine):
        steps = 0

        def step(self, *given: Any) -> Any:
            self.steps += 1
            return super().step(*given)

    engine = Counting(vocabulary_size=tokenizer.size, end_bonus=-99.0)
    bot = bot_of(registry, tokenizer, engine=engine)
    stream = bot.responder.stream("hello")
    next(stream)
    before = engine.steps
    stream.close()
    assert engine.steps == before <= 3


def test_an_interrupt_within_a_step_leaves_a_partial_reply(
    registry: Registry, tokenizer: SubwordTokenizer
) -> None:
    class Stopping(ScriptedEngine):
        steps = 0

        def step(self, *given: Any) -> Any:
            self.steps += 1
            if self.steps == 4:
                raise KeyboardInterrupt
            return super().step(*given)

    script = {(*tokenizer.encode("hello"),): tokenizer.encode(ANSWERS["hello"])}
    engine = Stopping(saying(script), vocabulary_size=tokenizer.size)
    stream = bot_of(registry, tokenizer, engine=engine).responder.stream("hello")
    said = "".join(str(next(stream)) for _ in range(3))
    with pytest.raises(KeyboardInterrupt):
        next(stream)
    stream.close()
    assert stream.partial().text == said
    assert len(stream.partial().pieces) == 3


def test_after_the_end_the_part_is_the_whole(bot: Bot) -> None:
    stream = bot.responder.stream("hello")
    _, reply = streamed(stream)
    assert stream.partial() is reply


@pytest.mark.parametrize("question", ["", "   ", "\n\t", "\u3000"])
def test_a_blank_question_is_turned_away_politely(bot: Bot, question: str) -> None:
    reply = bot.responder.reply(question)
    assert reply.text == "Please ask me something."
    assert reply.source is ReplySource.DECLINED
    assert (reply.confidence, reply.tokens) == (0.0, 0)


@pytest.mark.parametrize("question", ["\u200b", "\x00", "💥", "\ud83d", "\ufeff", "[" * 300])
def test_strange_questions_get_a_reply(bot: Bot, question: str) -> None:
    assert bot.responder.reply(question).text


def test_an_overlong_question_is_read_as_far_as_it_goes(
    registry: Registry, tokenizer: SubwordTokenizer
) -> None:
    answers = {"hello hello hello": "I have no clock."}
    bot = bot_of(registry, tokenizer, "question.max_tokens=4", answers=answers)
    whole, long = bot.responder.reply_all(["hello hello hello", "hello " * 1_000_000])
    assert whole.text == long.text == "I have no clock."
    assert whole.extra == {}
    assert long.extra == {"note": "Only the first 4 tokens of the question were read."}
    assert len(long.question_pieces) == 4


def test_where_the_network_has_no_words_the_bot_declines_in_the_language_of_the_question(
    registry: Registry, tokenizer: SubwordTokenizer
) -> None:
    bot = bot_of(registry, tokenizer)
    for question, words in (("nothing", "I do not know."), ("没有", "我不知道。")):
        reply = bot.responder.reply(question)
        assert (reply.text, reply.source) == (words, ReplySource.DECLINED)
        assert reply.tokens == 1
    other = bot_of(registry, tokenizer, 'responder.declined="Pass."')
    assert other.responder.reply("nothing").text == "Pass."


def test_many_questions_are_answered_in_order_and_in_batches(
    registry: Registry, tokenizer: SubwordTokenizer
) -> None:
    class Counting(RandomEngine):
        encoded: list[int]
        lengths: list[int]

        def encode(self, ids: Any, *given: Any) -> Any:
            self.encoded.append(len(ids))
            self.lengths.append(ids.shape[1])
            return super().encode(ids, *given)

    engine = Counting(vocabulary_size=tokenizer.size, end_bonus=3.0)
    engine.encoded, engine.lengths = [], []
    bot = bot_of(registry, tokenizer, "responder.batch=4", "decoding.max_length=12", engine=engine)
    questions = [*ANSWERS, "", "a much longer question than the others", "hello there", "  "] * 7
    together = list(bot.responder.reply_all(questions))
    assert max(engine.encoded) == 4
    assert engine.lengths == sorted(engine.lengths)  # like with like, so little is padded
    assert [reply.text for reply in together] == [bot.responder.reply(q).text for q in questions]
    assert len({reply.text for reply in together}) > 4


def test_beams_bring_alternatives_with_their_confidence(
    registry: Registry, tokenizer: SubwordTokenizer
) -> None:
    bot = bot_of(registry, tokenizer, "decoding.strategy.name=beam", sure=0.6)
    reply = bot.responder.reply("hello")
    assert reply.text == ANSWERS["hello"]
    assert reply.confidence == pytest.approx(0.6)
    assert reply.strategy == "beam"
    assert reply.alternatives
    texts = [alternative.text for alternative in reply.alternatives]
    assert len({reply.text, *texts}) == len(texts) + 1
    confidences = [alternative.confidence for alternative in reply.alternatives]
    assert confidences == sorted(confidences, reverse=True)
    assert reply.confidence > confidences[0]
    assert all(isinstance(alternative, Alternative) for alternative in reply.alternatives)


def test_an_alternative_has_words_and_other_words_than_the_reply(
    registry: Registry, tokenizer: SubwordTokenizer
) -> None:
    # Two words, each in pieces and in bytes, and no word at all.
    whole, other = tokenizer.encode("hello"), tokenizer.encode("smile")
    spelt, other_spelt = ([FIRST_FREE_ID + byte for byte in text] for text in (b"hello", b"smile"))
    assert tokenizer.decode(spelt) == tokenizer.decode(whole) != tokenizer.decode(other)
    ways = {tuple(whole): 0.4, tuple(spelt): 0.3, (): 0.15}
    others = {tuple(other): 0.1, tuple(other_spelt): 0.05}
    ways |= others

    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        following: dict[int, float] = {}
        for way, share in ways.items():
            if way[: len(reply)] == reply:
                token = (*way, END_ID)[len(reply)]
                following[token] = following.get(token, 0.0) + share
        return {token: share / sum(following.values()) for token, share in following.items()}

    engine = ScriptedEngine(language, vocabulary_size=tokenizer.size)
    settings = ("decoding.strategy.name=beam", "decoding.strategy.n_best=5")
    bot = bot_of(registry, tokenizer, *settings, engine=engine)
    reply = bot.responder.reply("anything")
    said = [alternative.text for alternative in reply.alternatives]
    assert [reply.text, *said] == ["hello", "smile"]
    surest = max(share ** (1 / (len(way) + 1)) for way, share in others.items())
    assert reply.alternatives[0].confidence == pytest.approx(surest)


def test_the_part_of_a_beam_reply_tells_only_what_stood(
    registry: Registry, tokenizer: SubwordTokenizer
) -> None:
    shared, ends = tokenizer.encode("hello"), [tokenizer.encode("a b"), tokenizer.encode("c d")]

    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        if len(reply) < len(shared):
            return {shared[len(reply)]: 1.0}
        rest = reply[len(shared) :]
        return {(*end, END_ID)[len(rest)]: 0.5 for end in ends if tuple(end[: len(rest)]) == rest}

    engine = ScriptedEngine(language, vocabulary_size=tokenizer.size)
    stream = bot_of(
        registry, tokenizer, "decoding.strategy.name=beam", engine=engine
    ).responder.stream("anything")
    said = "".join(str(next(stream)) for _ in shared)
    decoding = stream._decoding  # type: ignore[attr-defined]
    next(decoding)  # interrupted before what follows was looked at
    stream.close()
    part = stream.partial()
    assert part.text == said == "hello"
    assert [piece.text for piece in part.pieces] == tokenizer.pieces(shared)
    assert part.confidence == pytest.approx(1.0)


def test_a_reply_cut_by_the_maximum_length_keeps_whole_characters(
    registry: Registry, tokenizer: SubwordTokenizer
) -> None:
    full = tokenizer.encode(ANSWERS["smile"])
    for longest in range(1, len(full) + 2):
        bot = bot_of(registry, tokenizer, f"decoding.max_length={longest}")
        reply = bot.responder.reply("smile")
        assert ANSWERS["smile"].startswith(reply.text)
        assert reply.tokens == longest


def test_context_is_taken_and_not_looked_at(bot: Bot) -> None:
    assert bot.responder.reply("hello", ["a", "b"]).text == ANSWERS["hello"]
    assert streamed(bot.responder.stream("hello", ["a", "b"]))[1].text == ANSWERS["hello"]


def test_a_tokenizer_that_changes_its_text_cannot_take_back_what_was_shown(
    registry: Registry,
) -> None:
    class Fickle:
        size = 20

        def encode(self, text: str) -> list[int]:
            return [5 + len(text) % 9]

        def encode_answer(self, text: str) -> list[int]:
            return self.encode(text)

        def sample(self, text: str, seed: int, *, dropout: float = 0.1) -> list[int]:
            return self.encode(text)

        def decode(self, ids: Sequence[int]) -> str:
            return "ab" if len(ids) % 2 else "xyz"

        def pieces(self, ids: Sequence[int]) -> list[str]:
            return ["?"] * len(ids)

        def to_json(self) -> str:
            return ""

    engine = ScriptedEngine(lambda q, r: {END_ID if len(r) == 4 else 6: 1.0}, vocabulary_size=20)
    bot = bot_of(registry, Fickle(), engine=engine)
    parts, reply = streamed(bot.responder.stream("hello"))
    assert "".join(parts) == reply.text == "ab"


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("responder.batch=0", r"batch \(0\) must be at least 1"),
        ("responder.seed=-1", r"seed \(-1\) must be 0 or more"),
        ('responder.blank=" "', "blank must not be blank"),
        ("responder.bach=3", "has no option 'bach'.* Did you mean 'batch'"),
    ],
)
def test_options_out_of_range_are_refused(
    registry: Registry, tokenizer: SubwordTokenizer, setting: str, told: str
) -> None:
    bot = bot_of(registry, tokenizer, setting)
    with pytest.raises(PartError, match=told):
        _ = bot.responder


def test_the_responder_keeps_its_contract(bot: Bot) -> None:
    responder: Responder = bot.responder
    stream: ReplyStream = responder.stream("hello")
    parts = list(takewhile(lambda part: isinstance(part, str), stream))
    assert "".join(map(str, parts)) == ANSWERS["hello"]


def test_the_recipe_decides_how_questions_are_read(tokenizer: SubwordTokenizer) -> None:
    from chatseq.bots.bot import question_encoder

    recipe: Recipe = load_recipe("tiny").apply(
        ["question.fold=false", "question.features=7", "question.max_tokens=9"]
    )
    reader = question_encoder(recipe, tokenizer)
    assert (reader.fold, reader.features, reader.max_tokens) == (False, 7, 9)
    assert reader.buckets == recipe.question.feature_buckets
