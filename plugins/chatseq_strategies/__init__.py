"""Built-in plugin: the decoding strategies and the adjusters in front of them."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_strategies() -> dict[str, Reference]:
    return {
        "beam": "chatseq_strategies.beam:Beam",
        "contrastive": "chatseq_strategies.contrastive:Contrastive",
        "diverse-beam": "chatseq_strategies.diverse_beam:DiverseBeam",
        "greedy": "chatseq_strategies.greedy:Greedy",
        "known-answers": "chatseq_strategies.known_answers:KnownAnswers",
        "lexical": "chatseq_strategies.lexical:Lexical",
        "mbr": "chatseq_strategies.mbr:Mbr",
        "sample": "chatseq_strategies.sample:Sample",
    }


@hookimpl
def chatseq_adjusters() -> dict[str, Reference]:
    return {
        "banned-words": "chatseq_strategies.banned_words:BannedWords",
        "forced-prefix": "chatseq_strategies.forced_prefix:ForcedPrefix",
        "minimum-length": "chatseq_strategies.minimum_length:MinimumLength",
        "ngram-block": "chatseq_strategies.ngram_block:NgramBlock",
        "repetition-penalty": "chatseq_strategies.repetition_penalty:RepetitionPenalty",
        "required-words": "chatseq_strategies.required_words:RequiredWords",
        "specificity": "chatseq_strategies.specificity:Specificity",
        "stop-strings": "chatseq_strategies.stop_strings:StopStrings",
    }
