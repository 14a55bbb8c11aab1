"""The card of a bot: what it is, for people who find its folder."""

from __future__ import annotations

from chatseq.bots.bundle import Manifest
from chatseq.text.terminal import safe_line
from chatseq.training.job import Job


def card(job: Job, manifest: Manifest) -> str:
    """Return the card as Markdown; it holds no word of the corpus but the names of its files."""
    recipe = job.recipe
    parts = [f"- {key}: {table['name']}" for _, key, table in recipe.parts()]
    figures = [
        f"- {name}: {'not known' if value is None else f'{value:.4g}'}"
        for name, value in manifest.figures.items()
    ]
    sources = [f"- {safe_line(name)}" for name in manifest.corpus.sources] or ["- not named"]
    lines = [
        f"# {job.name}",
        "",
        "A chatbot trained with chatseq. It generates its answers with a small encoder-decoder",
        "network and can be wrong. Ask it: `chatseq chat --bot " + job.name + "`",
        "",
        f"## Trained on {manifest.corpus.exchanges} exchanges",
        "",
        *sources,
        "",
        "## Parts",
        "",
        *parts,
        f"- tokens known: {job.tokenizer.size}",
        "",
        "## Figures on questions held back from learning",
        "",
        *figures,
        "",
        "## Licence",
        "",
        manifest.licence or "Not stated. The rights in the corpus are its owner's.",
        "",
    ]
    return "\n".join(lines)
