"""The model that a run begins with: first weights from the seed, from a bot or from a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file

from chatseq.bots.bundle import Bundle
from chatseq.core.errors import TrainingError
from chatseq.engines.device import check_device, torch_device
from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq
from chatseq.text.terminal import safe_line
from chatseq.training.deterministic import derive_seed
from chatseq.training.job import Job
from chatseq.training.step_plan import FOR_MODEL


def build_initial_model(job: Job) -> Seq2Seq:
    """Return the network of a job, on its device, with the weights that follow from its seed.

    They are drawn on the processor, so that they are the same on every device.

    Raises:
        EngineError: there is no such device, or none as the engine wants it at the end.
    """
    settings, engine = job.recipe.training, job.recipe.engine
    check_device(engine.name, engine.device)  # not at the end of a long run
    device = torch_device(settings.device, setting="training.device")
    torch.manual_seed(derive_seed(settings.seed, FOR_MODEL))
    return build_model(job.registry, job.recipe, job.tokenizer.size).to(device)


def load_initial_weights(job: Job, model: Seq2Seq) -> Iterator[str]:
    """Let the model begin with the weights of the job's warm start, and tell so.

    Without one, the embeddings begin with the vectors of `model.pretrained`, if any. Only a run
    that begins needs these files: later all is in its own weights.

    Raises:
        TrainingError: the file cannot be read, or what it holds does not fit.
    """
    if job.warm_start is not None:
        _take_weights(job.warm_start.bundle, model)
        yield f"Begins with the weights of the bot '{job.warm_start.bundle.name}'."
        return
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


def _take_weights(bundle: Bundle, model: Seq2Seq) -> None:
    try:
        model.load_state_dict(load_file(bundle.weights))
        reason = "" if bundle.is_current() else "the bot was replaced meanwhile"
    except Exception as fault:  # safetensors and torch raise classes of their own
        reason = str(fault).strip().split("\n")[0]
    if reason:
        raise TrainingError(
            f"Cannot begin with the weights of the bot '{bundle.name}': {reason}. "
            f"{bundle.weights}. Start again, or train the bot on its file: chatseq train FILE"
        )
