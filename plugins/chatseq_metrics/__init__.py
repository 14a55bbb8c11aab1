"""Built-in plugin: the figures of `chatseq evaluate`, each defined in docs/evaluation.md."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_metrics() -> dict[str, Reference]:
    return {
        "auroc": "chatseq_metrics.auroc:Auroc",
        "bleu": "chatseq_metrics.bleu:Bleu",
        "chrf": "chatseq_metrics.chrf:Chrf",
        "declined": "chatseq_metrics.shares:Declined",
        "distinct": "chatseq_metrics.variety:Distinct",
        "exact-match": "chatseq_metrics.shares:ExactMatch",
        "most-frequent-reply": "chatseq_metrics.variety:MostFrequentReply",
        "rouge-l": "chatseq_metrics.rouge:RougeL",
    }
