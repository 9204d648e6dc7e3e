"""Templates filled in, with Jinja2, and files written whole.
Every value is escaped for its format and bounded; what would act becomes visible.

Not here: what is shown.
"""

import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import markupsafe

from cleanroom.errors import StoreError
from cleanroom.report.visible import one_line, spoken, visible

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~@&$^])")
_LEADING = re.compile(
    r"^([-=:/]|\d+(?=\.))"
)  # lists, headings; commands of CI systems and of code hosts
# Code hosts look for these in the text that Markdown yields, so that no escape helps: mentions,
# references to issues, requests and commits, labels, milestones, addresses, and names of emoji. A
# zero-width space within, as dependency bots put it, ends the match.
_REFERENCE = re.compile(
    r"""(?<=[@#])(?=[\w@#-])|(?<=[!$&])(?=\d)|(?<=[%~^])(?=[\w"'])|(?<=:)(?=//|[\w+-])|(?<=\bwww)(?=\.)|(?<=\bGH-)(?=\d)""",
    re.IGNORECASE,
)
_COMMIT = re.compile(r"\b[0-9a-f]{7,40}\b", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]*=*")
_COMMENT = 60_000
"""The most characters of a rendering in Markdown: code hosts take comments of up to 65,536."""


def _markdown(text: object) -> markupsafe.Markup:
    """Text that Markdown and a code host do not interpret, also inside a table and at the beginning
    of a list item.
    """
    return _escaped(one_line(text, 1000).strip())


def _escaped(text: str) -> markupsafe.Markup:
    line = _COMMIT.sub(lambda m: "\u200b".join(re.findall(".{1,6}", m[0])), text)
    line = _REFERENCE.sub("\u200b", line)
    line = _LEADING.sub(
        lambda m: m[1] + "\\" if m[1].isdigit() else "\\" + m[1], _MARKDOWN.sub(r"\\\1", line)
    )
    return markupsafe.Markup(line.replace("\u200b", "&#8203;"))  # noqa: S704 - nothing in it is markup any more


def _code(text: object) -> markupsafe.Markup:
    """A Markdown code span: one line, in a fence longer than any run of backquotes within.
    Of an empty text, a span of a space.
    """
    line = one_line(text, 300).replace("|", "¦") or " "
    fence = "`" * (_longest(line) + 1)
    pad = " " if "`" in (line[0], line[-1]) or (line[0] == line[-1] == " " and line.strip()) else ""
    return markupsafe.Markup(f"{fence}{pad}{line}{pad}{fence}")  # noqa: S704 - as above


def _fence(text: object) -> markupsafe.Markup:
    """A command as a Markdown block of code, in a fence longer than any run of backquotes
    within.
    """
    line = spoken(one_line(text))
    fence = "`" * max(3, _longest(line) + 1)
    return markupsafe.Markup(f"{fence}sh\n{line}\n{fence}")  # noqa: S704 - as above


def _longest(line: str) -> int:
    """The longest run of backquotes."""
    return max(map(len, re.findall(r"`+", line)), default=0)


def _picture(address: str) -> markupsafe.Markup:
    """The address of a picture that is in the page itself; any other address becomes an empty
    picture's.
    """
    return markupsafe.Markup(address if _PICTURE.fullmatch(address) else "data:,")  # noqa: S704 - an address of known letters


@jinja2.pass_eval_context
def _finish(context: jinja2.nodes.EvalContext, value: object) -> object:
    """What every value of a template goes through that no filter has made markup of."""
    if isinstance(value, markupsafe.Markup):
        return value
    return visible(value) if context.autoescape else _escaped(one_line(value, 1000))


def _fitted(text: str) -> str:
    """Markdown that a comment can hold: whole lines, with no block of code or folded part left
    open.
    """
    if len(text) <= _COMMENT:
        return text
    kept: list[str] = []
    size, fence = 0, ""
    safe = 0  # lines up to here leave no block of code open
    for line in text.splitlines(keepends=True):
        size += len(line)
        if size > _COMMENT:
            break
        kept.append(line)
        mark = re.match(r" *(`{3,})", line)
        if mark and not fence:
            fence = mark[1]
        elif fence and line.strip() == fence:
            fence = ""
        safe = safe if fence else len(kept)
    folded = sum(
        line.startswith("<details>") - line.startswith("</details>") for line in kept[:safe]
    )
    return (
        "".join(kept[:safe])
        + "\n\n… cut here, to fit in a comment; the HTML and JSON reports have all.\n"
        + "\n</details>\n" * folded
    )


def _seconds(value: float) -> str:
    if value < 10:
        return f"{value:.1f} s"
    minutes, seconds = divmod(round(value), 60)
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


def _templates() -> Path:
    """The templates: in the package in a wheel, at the top of the repository in an editable
    install.
    """
    here = Path(__file__).resolve()
    for place in (here.parents[1] / "templates", here.parents[2] / "templates"):
        if place.is_dir():
            return place
    raise StoreError(
        "The report templates are missing from this installation.", "Install cleanroom again."
    )


@functools.cache
def _environment() -> jinja2.Environment:
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_templates()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=lambda name: not (name or "").endswith(".md.j2"),  # noqa: S701 - Markdown has its own escapes
        finalize=_finish,
    )
    env.filters.update(
        md=_markdown,
        code=_code,
        fence=_fence,
        line=one_line,
        picture=_picture,
        seconds=_seconds,
        text=_value,
    )
    return env


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def render_template(template: str, **values: Any) -> str:
    """One of the templates, over values of a view model."""
    text = _environment().get_template(template).render(**values)
    return _fitted(text) if template.endswith(".md.j2") else text


def write_files(files: Mapping[str, str | bytes], folder: Path) -> list[Path]:
    """Write files by their relative names, each whole or not at all. Raises: StoreError."""
    paths = []
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.part")
            part.write_bytes(
                content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
            )
            part.replace(path)
            paths.append(path)
    except OSError as error:
        raise StoreError(
            f"The report cannot be written to {folder}: {error.strerror}.",
            "Give another folder with --out.",
        ) from None
    return paths


def safe_name(name: str) -> str:
    """A name of a profile or a path as one file name, which no file system finds too long."""
    clean = re.sub(r"[^\w.+()-]", "_", name.replace("/", "__"))
    short = clean.encode()[:100].decode("utf-8", "ignore")
    return short if short.strip(".") else "_"
