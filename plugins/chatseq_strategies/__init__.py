"""Built-in plugin: the decoding strategies and the adjusters in front of them."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_strategies() -> dict[str, Reference]:
    return {
        "beam": "chatseq_strategies.beam:Beam",
        "contrastive": "chatseq_strategies.contrastive:Contrastive",
        "diverse-beam": "chatseq_strategies.diverse_beam:DiverseBeam",
        "greedy": "chatseq_strategies.greedy:Greedy",
        "mbr": "chatseq_strategies.mbr:Mbr",
        "sample": "chatseq_strategies.sample:Sample",
    }


@hookimpl
def chatseq_adjusters() -> dict[str, Reference]:
    return {"ngram-block": "chatseq_strategies.ngram_block:NgramBlock"}
