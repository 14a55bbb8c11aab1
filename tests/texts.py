"""Texts for the tests of tokenizers: a small corpus, and every sort of text that breaks some."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

ENGLISH = [
    "How do I train a bot on my own file?",
    "How do I stop the training?",
    "Training a bot takes less than a minute.",
    "Stop the training with Ctrl-C; the bot is kept.",
]
CHINESE = ["怎么训练一个机器人？", "训练一个机器人要多久？", "训练只要一分钟。", "怎么停止训练？"]
MIXED = ["用 chatseq train 训练", "chatseq train 要多久？"]
CORPUS = ENGLISH + CHINESE + MIXED

# Bytes and code points of every sort, the ones that break tokenizers more often than others.
TROUBLE = st.sampled_from(
    [
        *(" ", "  ", "\n", "\r\n", "\t", "\x00", "\x1b[31m", "\u2028", "\x85", "\xa0", "\ufeff"),
        *("<pad>", "<pad mark>", "<0x41>", "<0xZZ>", "</s>", "[UNK]", "##", "▁", "Ġ", "'s"),
        *("e\u0301", "\u0301", "\u200d", "\U0010ffff", "\ud800", "ﬁ", "①", "😀", "👩‍👩‍👧", "🇩🇪"),
        *("你好", "，", "한국어", "か", "\u3000", "训练", "𠮷", "的训", "हिन्दी", "train", " a bot"),
    ]
)
TEXTS = st.lists(TROUBLE | st.text(max_size=6), max_size=6).map("".join)


def normal(text: str) -> str:
    """What a text is after a round trip: canonical form, no half surrogates."""
    canonical = unicodedata.normalize("NFC", text)
    return "".join("\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in canonical)
