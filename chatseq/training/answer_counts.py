"""The answers that a bot has learnt from, as it will know them."""

from __future__ import annotations

from collections import Counter

from chatseq.bots.bundle.answers import most_frequent
from chatseq.decoding.answers import Answers
from chatseq.training.job import Job


def counted_answers(job: Job) -> Counter[str]:
    """Return the distinct answers of the corpus, with how many exchanges each answers.

    Those of held-out questions are among them: the bot is to know them in the end.
    """
    held_out = [] if job.validation is job.train else job.validation.exchanges
    return Counter(exchange.answer for exchange in (*job.train.exchanges, *held_out))


def known_answers(job: Job) -> Answers:
    """Return what the stored bot will choose from, before it is stored."""
    return Answers(lambda: most_frequent(counted_answers(job)))
