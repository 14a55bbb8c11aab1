"""Built-in plugin: the figures of `chatseq evaluate`, each defined in docs/evaluation.md."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_metrics() -> dict[str, Reference]:
    return {
        "aurc": "chatseq_metrics.confidence:Aurc",
        "auroc": "chatseq_metrics.confidence:Auroc",
        "auroc-right": "chatseq_metrics.confidence:AurocRight",
        "best-guess": "chatseq_metrics.shares:BestGuess",
        "bleu": "chatseq_metrics.bleu:Bleu",
        "calibration": "chatseq_metrics.confidence:Calibration",
        "chrf": "chatseq_metrics.chrf:Chrf",
        "declined": "chatseq_metrics.shares:Declined",
        "distinct": "chatseq_metrics.variety:Distinct",
        "exact-match": "chatseq_metrics.shares:ExactMatch",
        "most-frequent-reply": "chatseq_metrics.variety:MostFrequentReply",
        "rouge-l": "chatseq_metrics.rouge:RougeL",
        "seen-exact-match": "chatseq_metrics.shares:SeenExactMatch",
        "suggested": "chatseq_metrics.shares:Suggested",
    }
