"""Small models for the engines."""

from __future__ import annotations

import pytest
import torch

from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe, load_recipe
from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq

VOCABULARY = 70


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return load_recipe("tiny").apply(
        [
            "model.embedding_size=8",
            "model.encoder.hidden_size=6",
            "model.decoder.hidden_size=12",
            "question.features=3",
            "question.feature_buckets=16",
        ]
    )


@pytest.fixture(scope="session")
def model(registry: Registry, recipe: Recipe) -> Seq2Seq:
    torch.manual_seed(0)
    return build_model(registry, recipe, VOCABULARY).eval()
