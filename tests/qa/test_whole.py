"""A bot that is really trained, for some seconds, and then asked: all parts of `qa` together."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from chatseq.bots.bot import Bot
from chatseq.bots.loader import load_bot
from chatseq.bots.responder import Correction
from chatseq.cli.main import run
from chatseq.core.errors import BundleError
from chatseq.core.exchange import Exchange, ReplySource
from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe
from chatseq.training.job import prepare
from chatseq.training.run import train

FAQ = {
    "We are open from nine to six, Monday to Saturday.": """when are you open
        what are your opening hours / are you open on saturdays / what time do you open
        when does the shop close / opening times please / are you open today""",
    "No, we are closed on Sundays.": """are you open on sundays
        is the shop open on sunday / can i come on a sunday / do you work on sundays
        sunday opening / open sundays / are you closed on sunday""",
    "You can pay by card, by phone or in cash.": """how can i pay
        do you take cards / can i pay by card / is cash accepted
        which cards do you accept / do you take cash / may i pay with my phone""",
    "Delivery takes two days.": """how long does delivery take
        when will my parcel arrive / delivery time / how fast do you deliver
        how many days until my parcel comes / when do you deliver / time of delivery""",
    "Send it back within thirty days and we refund it.": """can i return something
        how do i send it back / what if i do not like it / i want my money back
        do you give refunds / how do returns work / can i get a refund""",
    "The shop is beside the station.": """where are you
        where is the shop / what is your address / how do i find you
        where can i find the shop / are you near the station / tell me where you are""",
    "请打一二三四五六。": """电话是多少
        你们的电话号码 / 怎么打电话给你们 / 客服电话 / 请问电话 / 有电话吗 / 联系电话是什么""",
    "": """what is the weather like
        who won the football game / tell me a joke / what is love / sing a song for me
        how tall is the mountain / which horse will win""",
}
SETTINGS = (
    "model.embedding_size=32",
    "model.encoder.hidden_size=32",
    "model.decoder.hidden_size=32",
    "question.feature_buckets=1024",
    "tokenizer.vocabulary_size=512",
    "training.batch_tokens=256",
    "training.learning_rate=0.01",
    "training.max_epochs=20",
    "training.min_steps=0",
    "training.validations=1",
)
OPEN, SUNDAY, PAY, PARCEL, BACK, PLACE, PHONE, _ = FAQ

Load = Callable[..., Bot]


def rows() -> list[Exchange]:
    found = [
        (question.strip(), answer)
        for answer, questions in FAQ.items()
        for question in questions.replace("\n", "/").split("/")
    ]
    return [
        Exchange(question, answer, source=f"corpora/faq.csv:{line}")
        for line, (question, answer) in enumerate(found, 2)
    ]


@pytest.fixture(scope="module")
def faq(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """The folder of a bot that was trained on the FAQ."""
    home = tmp_path_factory.mktemp("faq")
    recipe = load_recipe("tiny").apply(SETTINGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHATSEQ_HOME", str(home))
        for _ in train(prepare(registry, rows(), recipe, name="faq")):
            pass
    return home / "bots" / "faq"


@pytest.fixture(scope="module")
def load(faq: Path, registry: Registry) -> Load:
    def loaded(*overrides: str, corrections: Sequence[Correction] = ()) -> Bot:
        given = tuple(corrections)
        return load_bot(registry, faq, overrides=overrides, corrections=lambda _: given)

    return loaded


@pytest.fixture(scope="module")
def bot(load: Load) -> Bot:
    return load()


@pytest.mark.parametrize("answer", [answer for answer in FAQ if answer])
def test_seen_questions_get_their_answers(bot: Bot, answer: str) -> None:
    asked = [one.question for one in rows() if one.answer == answer]
    replies = list(bot.responder.reply_all(asked))
    assert {reply.text for reply in replies} == {answer}
    assert {reply.source for reply in replies} <= {ReplySource.GENERATED, ReplySource.RETRIEVED}


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("WHERE IS THE SHOP???", PLACE),
        ("could i pay using a card", PAY),
        ("which days until the parcel comes", PARCEL),
        ("i want a refund of my money", BACK),
        ("please tell me the opening hours", OPEN),
        ("how can i pya", PAY),
        ("i want my mony bakc", BACK),
        ("when will my parcle arrive", PARCEL),
        ("电话号码是多少", PHONE),
    ],
)
def test_another_wording_and_typing_mistakes_get_the_answer(
    bot: Bot, question: str, answer: str
) -> None:
    reply = bot.responder.reply(question)
    guessed = [reply.text, *(other.text for other in reply.alternatives)]
    assert guessed[0 if reply.source is not ReplySource.DECLINED else 1] == answer


@pytest.mark.parametrize(
    "question",
    [one.question for one in rows() if not one.answer] + ["xqzt brrf plok", "jjjj", "?!", "ﷺ"],
)
def test_nonsense_and_what_the_corpus_declines_is_declined(bot: Bot, question: str) -> None:
    reply = bot.responder.reply(question)
    assert (reply.source, reply.text) == (ReplySource.DECLINED, "I do not know.")
    assert reply.confidence < 0.5


def test_a_threshold_can_be_set(load: Load) -> None:
    always, never = load("responder.decline_below=0"), load("responder.decline_below=1")
    for question in ("how can i pay", "tell me a joke", "xqzt brrf plok"):
        assert always.responder.reply(question).source is not ReplySource.DECLINED
        assert never.responder.reply(question).source is ReplySource.DECLINED
    assert always.responder.reply(" ").source is ReplySource.DECLINED


def test_the_zone_between_can_be_set(load: Load) -> None:
    bot = load("responder.decline_below=0", "responder.suggest_below=1")
    reply = bot.responder.reply("how can i pay")
    assert (reply.text, reply.unsure) == (PAY, True)
    assert len(reply.alternatives) == 3
    assert all(other.question for other in reply.alternatives)


def test_what_users_corrected_comes_first(load: Load) -> None:
    bot = load(corrections=[Correction("how can i pay", "Not at all.")])
    assert bot.responder.reply("How can I pay?").text == "Not at all."
    assert bot.responder.reply("where is the shop").text == PLACE


def test_a_follow_up_is_read_with_the_question_before_it(load: Load) -> None:
    bot = load(
        "responder.decline_below=0", "responder.suggest_below=1"
    )  # then nothing is clear alone
    before = ("when are you open", OPEN)
    alone, after = (bot.responder.reply("sunday", context) for context in ((), before))
    assert after.text == alone.text == SUNDAY
    assert after.confidence == alone.confidence  # the question before chooses only where it must


@pytest.mark.parametrize(
    "context",
    [
        ("when are you open", "We are op"),  # was stopped
        ("tell me a joke", "I do not know."),  # was declined
        ("", OPEN),
        (OPEN,),
        ("word " * 3000, "x" * 20_000),
    ],
)
def test_a_clear_question_is_answered_whatever_came_before(
    bot: Bot, context: Sequence[str]
) -> None:
    assert bot.responder.reply("where is the shop", context).text == PLACE
    assert bot.responder.reply("xqzt brrf plok", context).source is ReplySource.DECLINED


def test_both_engines_give_the_same_replies(load: Load) -> None:
    asked = ["how can i pya", "open", "parcel please", "tell me a joke", "电话", "xqzt"]
    by_onnx, by_torch = (
        list(load(f"engine.name={engine}").responder.reply_all(asked))
        for engine in ("onnx", "torch")
    )
    for one, other in zip(by_onnx, by_torch, strict=True):
        assert (one.text, one.source) == (other.text, other.source)
        assert one.confidence == pytest.approx(other.confidence, abs=1e-4)


def test_the_figures_are_of_questions_that_nothing_has_seen(faq: Path) -> None:
    figures = json.loads((faq / "manifest.json").read_text(encoding="utf-8"))["figures"]
    assert figures["seen_exact_match"] is None
    assert 0 <= figures["unseen_exact_match"] <= 1
    assert 0 <= figures["decline_below"] <= 1


def test_neighbours_name_the_file_without_its_folder(bot: Bot) -> None:
    nearest = bot.responder.reply("how can i pay").neighbours[0]
    assert nearest.source == next(
        one.source.removeprefix("corpora/") for one in rows() if one.question == nearest.question
    )


def test_a_damaged_file_is_told_before_a_question_is_asked(
    faq: Path, tmp_path: Path, registry: Registry
) -> None:
    folder = tmp_path / "faq"
    shutil.copytree(faq, folder)
    (folder / "data" / "ensemble.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BundleError, match=r"ensemble.json") as caught:
        load_bot(registry, folder)
    assert "\n" not in str(caught.value)


def test_an_answer_can_be_asked_for_on_the_command_line(
    faq: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ask", "--bot", str(faq), "--json", "how can i pay"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["text"] == PAY


def test_asking_loads_nothing_that_training_needs(faq: Path) -> None:
    code = (
        "import sys\n"
        "from chatseq.cli.main import run\n"
        f"run(['ask', '--bot', {str(faq)!r}, 'how can i pay'])\n"
        "heavy = {'torch', 'sklearn', 'scipy', 'bm25s', 'numba'} & set(sys.modules)\n"
        "print('LOADED', sorted(heavy))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"
    assert PAY in done.stdout
