"""Plugin for chatseq: the metric `your-part`."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_metrics() -> dict[str, Reference]:
    return {"your-part": "your_package.metric:YourPart"}
