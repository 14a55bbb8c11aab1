"""The names that people give to a question and its answer, most telling first.

Labels and intents are not guessed: in files that have both, they would mix with real answers.
"""

from __future__ import annotations

from collections.abc import Iterable

QUESTIONS = (
    "instruction", "question", "questions", "prompt", "query", "input", "source", "src",
    "utterance", "message", "user", "human", "sentence", "text", "q",
    "问题", "提问", "问", "用户", "質問", "질문", "pregunta", "frage", "domanda", "вопрос",
)  # fmt: skip
ANSWERS = (
    "answer", "answers", "response", "completion", "output", "target", "tgt", "reply",
    "assistant", "bot", "a",
    "答案", "回答", "答", "回复", "回答文", "답변", "respuesta", "réponse", "reponse", "antwort",
    "risposta", "ответ",
)  # fmt: skip
# Words that head a column even where the other column has a name of its own.
HEADINGS = frozenset(
    (
        "question",
        "questions",
        "问题",
        "提问",
        "質問",
        "질문",
        "pregunta",
        "frage",
        "domanda",
        "вопрос",
    )
)
TURNS = ("messages", "turns", "conversation", "conversations", "dialogue", "dialog", "utterances")


def first_of(names: Iterable[str], there: Iterable[str]) -> str | None:
    """Return, as it is spelt there, the first of the names that is there in any case."""
    spelt = {name.strip().casefold(): name for name in there}
    return next((spelt[name] for name in names if name in spelt), None)
