"""A file as chunks, by the suffix of its name, or by how it begins where it has none."""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePath

from assent.memory.chunks import code, data, html, markdown, notebook, packing, pdf, python, table
from assent.memory.chunks.chunk import Chunk
from assent.memory.chunks.decoding import decoded


def chunks(name: str, content: bytes) -> list[Chunk]:
    """The chunks of a file in their order; of an empty one none. They depend on its name by the suffix only.

    `Unreadable` where it is not text, is damaged or locked; `ConfigError` where a PDF needs the library for it.
    """
    suffix = PurePath(name).name.lower().rpartition(".")[2]
    if suffix == "pdf" or content.startswith(b"%PDF-"):
        return list(pdf.chunks(name, content))
    text = decoded(name, content)
    return list((_BY_SUFFIX.get(suffix) or _by_beginning(text))(text))


def _text(text: str) -> Iterator[Chunk]:
    return packing.prose(text.split("\n"))


Reader = Callable[[str], Iterator[Chunk]]

_SUFFIXES: dict[Reader, str] = {
    _text: "txt text log rst adoc org tex srt vtt eml license",
    markdown.chunks: "md markdown mdx mkd qmd rmd readme changelog contributing todo notes",
    python.chunks: "py pyi pyw",
    notebook.chunks: "ipynb",
    table.chunks: "csv tsv tab psv",
    data.nested: "json jsonl ndjson geojson json5 yaml yml xml xsd xsl svg plist",
    data.tables: "toml ini cfg conf properties env desktop",
    html.chunks: "html htm xhtml",
    code.chunks: "c h cc cpp cxx hpp hh cs java kt kts scala groovy gradle go rs swift m mm js jsx mjs cjs ts tsx vue "
    "svelte css scss sass less php rb pl pm lua r jl sql sh bash zsh fish ps1 bat cmd vb fs fsx hs ml mli ex exs erl "
    "clj cljs lisp el scm dart zig nim v sv vhd pyx pxd proto graphql tf hcl cmake mk asm s f f90 f95 pas sas do stan "
    "makefile dockerfile containerfile jenkinsfile gemfile rakefile vagrantfile bashrc zshrc profile",
}
_BY_SUFFIX = {suffix: reader for reader, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}
_BY_BEGINNING: list[tuple[re.Pattern[str], Reader]] = [
    (re.compile(r"#!.*\bpython"), python.chunks),
    (re.compile(r"#!"), code.chunks),
    (re.compile(r"\s*<(?:!doctype html|html)\b", re.IGNORECASE), html.chunks),
    (re.compile(r"\s*(?:<\?xml\b|[{\[]\s*[\"{\[])"), data.nested),
]


def _by_beginning(text: str) -> Reader:
    """How a file is read whose name says nothing."""
    return next((reader for begins, reader in _BY_BEGINNING if begins.match(text)), _text)
