"""What a part says of itself, read from its source without importing it.

Docstrings, options and papers are taken from a class that a plugin names by a string, and from the
classes that it is built on; see chatseq.core.static_docs. A class that is handed over as it is
is looked at.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from chatseq.core.plugins import Part
from chatseq.core.static_docs import Located, Module, find, look_up


@dataclass(frozen=True, slots=True)
class OptionText:
    """An option as its source writes it."""

    name: str
    type: str
    default: str  # empty where the option must be given
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """The words of a part about itself; empty where its source cannot be read."""

    doc: str = ""
    options: tuple[OptionText, ...] = ()
    papers: tuple[str, ...] = ()  # "Luong et al. 2015, section 3.1"
    place: str = ""  # "file:line"

    @property
    def summary(self) -> str:
        """The first line of the docstring, without the closing period."""
        return _first_line(self.doc)

    @property
    def prose(self) -> str:
        """The docstring without what it says of each argument."""
        return _ARGS.sub("", f"{self.doc}\n").strip()


def describe(part: Part) -> Description:
    """Return what a part's source says; never raises for a broken part."""
    if not isinstance(part.reference, str):
        return _of_object(part.reference)
    found = _source_of(part.reference)
    return _of_source(found) if found else Description()


def summary_of(part: Part) -> str:
    """Return only the first line that a part says of itself, for listings."""
    if not isinstance(part.reference, str):
        return _first_line(inspect.getdoc(part.reference) or "")
    found = _source_of(part.reference)
    return _first_line(_doc_of(found)) if found else ""


def papers_in(text: str) -> Iterator[str]:
    """Yield the papers that a text names by authors and year, each once."""
    named = _PAPER.finditer(" ".join(text.split()))
    yield from dict.fromkeys(f"{paper[1]} {paper[2]}{paper[3]}" for paper in named)


def options_told(doc: str) -> dict[str, str]:
    """Return what a docstring says under `Args:` of each argument."""
    told: dict[str, str] = {}
    lines = iter(inspect.cleandoc(doc).split("\n"))
    if not any(line.strip() == "Args:" for line in lines):
        return told
    name, depth = "", 0
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if line.strip() and not indent:
            break
        begun = _ARGUMENT.fullmatch(line.strip())
        if begun and (not name or indent <= depth):
            name, depth = begun[1].lstrip("*"), indent
            told[name] = begun[2]
        elif name and line.strip():
            told[name] = f"{told[name]} {line.strip()}".strip()
    return told


_ARGS = re.compile(r"^Args:\n(?:[ \t]+.*\n|\n)*", re.MULTILINE)
_ARGUMENT = re.compile(r"(\*{0,2}\w+)(?: \([^)]*\))?: *(.*)")
_AUTHOR = r"(?:(?:van|von|de|den|der|del|di|la|le|ter) )*[A-Z][\w'’-]*\w"
_AUTHORS = rf"{_AUTHOR}(?:(?:, {_AUTHOR})*,? (?:and|&) {_AUTHOR}| et al\.,?)"
_NUMBER = r"(?:[A-Z]?\d[\w.]*(?<!\.)|[A-Z](?:\.\d+)*\b)"
_NAMED = r"(?:sections?|figures?|tables?|equations?|eqs?\.|appendix|chapters?)"
_PLACE = rf"(?:, (?:{_NAMED} {_NUMBER}(?:(?:, | and | to |–){_NUMBER})*|[A-Z]\.\d[\d.]*\b))?"
_PAPER = re.compile(
    rf"({_AUTHORS}|(?<=\(){_AUTHOR},?|{_AUTHOR}(?= \()) \(?((?:19|20)\d\d[a-z]?)\)?({_PLACE})"
)


def _first_line(doc: str) -> str:
    return doc.strip().split("\n")[0].rstrip(".")


def _source_of(reference: str) -> Located | None:
    module, _, name = reference.partition(":")
    return find(module, name)


def _doc_of(found: Located) -> str:
    return found.doc or _help_of_command(found)


def _of_source(found: Located) -> Description:
    lineage = list(found.lineage())
    docs = [doc for each in lineage for doc in _docs(each)]
    return Description(
        _doc_of(found),
        tuple(_options(lineage, docs)),
        _papers(docs, found.module.doc),
        f"{found.module.file}:{found.node.lineno}",
    )


def _papers(docs: Iterable[str], doc_of_module: str) -> tuple[str, ...]:
    """Return the papers that a class names; those of its module where it names none."""
    named = dict.fromkeys(paper for doc in docs for paper in papers_in(doc))
    return tuple(named) or tuple(papers_in(doc_of_module))


def _docs(found: Located) -> Iterator[str]:
    yield _doc_of(found)
    if found.constructor is not None and found.constructor is not found.node:
        yield ast.get_docstring(found.constructor) or ""


def _help_of_command(found: Located) -> str:
    """Return the `help=` of a decorator, where a command keeps its first line."""
    for decorator in found.node.decorator_list:
        for keyword in getattr(decorator, "keywords", []):
            if keyword.arg == "help" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
    return ""


def _options(lineage: list[Located], docs: Iterable[str]) -> Iterator[OptionText]:
    """Yield the keyword-only arguments of the constructor.

    It is the nearest that is written. Those of the next come after it where it hands on all that
    it does not know (`**options`).
    """
    told = _all_told(docs)
    seen: set[str] = set()
    for found in lineage:
        constructor = found.constructor
        if constructor is None:
            continue
        for argument, default in zip(
            constructor.args.kwonlyargs, constructor.args.kw_defaults, strict=True
        ):
            if argument.arg not in seen:
                seen.add(argument.arg)
                kind = _type(argument.annotation, found.module)
                value = ast.unparse(default) if default is not None else ""
                yield OptionText(argument.arg, kind, value, told.get(argument.arg, ""))
        if constructor.args.kwarg is None:
            return


def _all_told(docs: Iterable[str]) -> dict[str, str]:
    """Return what is said of each argument, the nearest docstring first."""
    told: dict[str, str] = {}
    for doc in docs:
        told = {**options_told(doc), **told}
    return told


def _type(annotation: ast.expr | None, module: Module) -> str:
    """Return a type as it is written, a name for some choices replaced by the choices."""
    if annotation is None:
        return ""
    if isinstance(annotation, ast.Name):
        found = look_up(module, annotation.id)
        if found and isinstance(found[1], ast.Subscript) and _is_literal(found[1]):
            annotation = found[1]
    return ast.unparse(annotation)


def _is_literal(node: ast.Subscript) -> bool:
    return ast.unparse(node.value).rpartition(".")[2] == "Literal"


def _of_object(component: Callable[..., Any]) -> Description:
    """Describe a callable that is already there."""
    docs = [inspect.getdoc(component) or ""]
    for owner in inspect.getmro(component) if inspect.isclass(component) else ():
        docs += [owner.__doc__ or "", vars(owner).get("__init__", owner).__doc__ or ""]
    doc_of_module = inspect.getdoc(inspect.getmodule(component)) or ""
    return Description(
        docs[0],
        _options_of_object(component, docs),
        _papers(docs, doc_of_module),
        _place(component),
    )


def _options_of_object(component: Callable[..., Any], docs: list[str]) -> tuple[OptionText, ...]:
    try:
        parameters = list(inspect.signature(component).parameters.values())
    except (TypeError, ValueError):
        return ()
    told = _all_told(docs)
    return tuple(
        OptionText(
            each.name,
            "" if each.annotation is each.empty else _type_of_object(each.annotation),
            "" if each.default is each.empty else repr(each.default),
            told.get(each.name, ""),
        )
        for each in parameters
        if each.kind is each.KEYWORD_ONLY
    )


def _type_of_object(annotation: Any) -> str:
    if isinstance(annotation, str):
        return annotation
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _place(component: Callable[..., Any]) -> str:
    try:
        return f"{inspect.getsourcefile(component)}:{inspect.getsourcelines(component)[1]}"
    except (OSError, TypeError):
        return ""
