"""The model that a run begins with: first weights from the seed, embeddings from a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq
from chatseq.text.terminal import safe_line
from chatseq.training.job import Job
from chatseq.training.lessons import FOR_MODEL
from chatseq.training.order import mixed


def first_model(job: Job) -> Seq2Seq:
    """Return the network of a job with the first weights that follow from its seed."""
    torch.manual_seed(mixed(job.recipe.training.seed, FOR_MODEL))
    return build_model(job.registry, job.recipe, job.tokenizer.size)


def take_pretrained(job: Job, model: Seq2Seq) -> Iterator[str]:
    """Let the embeddings begin with the vectors of `model.pretrained`, and tell how many do.

    Only a run that begins needs the file: later the vectors are in the weights.

    Raises:
        TrainingError: the file cannot be read or its vectors do not fit.
    """
    named = job.recipe.model.pretrained
    if named is None:
        return
    from chatseq.model.pretrained import apply_pretrained

    file = Path(named).expanduser()
    coverage = apply_pretrained(model, job.tokenizer, file)
    yield (
        f"{coverage.found:,} of {coverage.total:,} tokens begin with a vector of "
        f"{safe_line(file.name)}."
    )
    if coverage.bad:
        yield f"{coverage.bad:,} lines of it were passed over: {safe_line(coverage.first_bad)}."
