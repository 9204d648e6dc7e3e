"""The renderings of a report, with Jinja2. Every value is escaped for its format; control characters become visible.

Not here: what is shown.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import markupsafe
import msgspec

from cleanroom.errors import StoreError
from cleanroom.report.sentence import leads
from cleanroom.report.view import Report

FORMATS = {"html": "report.html", "md": "report.md", "json": "report.json", "junit": "junit.xml"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|[\ud800-\udfff]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~@&$^])")


def visible(text: object) -> str:
    """Text with its control characters written out, so that none acts on a terminal, a browser or a parser."""
    return _CONTROL.sub(lambda m: f"\\x{ord(m[0]):02x}" if ord(m[0]) < 256 else f"\\u{ord(m[0]):04x}", str(text))


def one_line(text: object) -> str:
    """Visible text in one line, as in a table or a list; a newline or tab in a name shows as such."""
    return visible(str(text).replace("\n", "\\n").replace("\t", "\\t"))


def _markdown(text: object) -> str:
    """Text that Markdown does not interpret, also inside a table."""
    return _MARKDOWN.sub(r"\\\1", one_line(text))


def _code(text: object) -> str:
    """A Markdown code span: one line, in a fence longer than any run of backquotes within."""
    line = one_line(text).replace("|", "¦")
    fence = "`" * (max((len(run) for run in re.findall(r"`+", line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def _seconds(value: float) -> str:
    if value < 10:
        return f"{value:.1f} s"
    minutes, seconds = divmod(round(value), 60)
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


def _templates() -> Path:
    """The templates: in the package in a wheel, at the top of the repository in an editable install."""
    here = Path(__file__).resolve()
    for place in (here.parents[1] / "templates", here.parents[2] / "templates"):
        if place.is_dir():
            return place
    raise StoreError("The report templates are missing from this installation.", "Install cleanroom again.")


def _environment() -> jinja2.Environment:
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_templates()), undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, autoescape=lambda name: not (name or "").endswith(".md.j2"),  # noqa: S701 - Markdown has its own escapes
        finalize=lambda value: value if isinstance(value, markupsafe.Markup) else visible(value),
    )  # fmt: skip
    env.filters.update(md=_markdown, code=_code, line=one_line, seconds=_seconds, text=_value)
    env.tests.update(leading=leads, shown=lambda d: d.decides or leads(d))
    return env


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def render_template(template: str, **values: Any) -> str:
    """One of the templates, over values of a view model."""
    return _environment().get_template(template).render(**values)


def render(report: Report, form: str) -> str:
    """A report in one of `FORMATS`."""
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"
    return render_template(FORMATS[form] + ".j2", r=report)


def write_reports(report: Report, folder: Path, forms: tuple[str, ...] = tuple(FORMATS)) -> list[Path]:
    """Write the renderings, each whole or not at all. Raises: StoreError."""
    return write_files({FORMATS[form]: render(report, form) for form in forms}, folder)


def write_files(files: Mapping[str, str | bytes], folder: Path) -> list[Path]:
    """Write files by their relative names, each whole or not at all. Raises: StoreError."""
    paths = []
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.part")
            part.write_bytes(content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)
            part.replace(path)
            paths.append(path)
    except OSError as error:
        raise StoreError(f"The report cannot be written to {folder}: {error.strerror}.", "Give another folder with --out.") from None
    return paths


def safe_name(name: str) -> str:
    """A name of a profile or a path as one file name."""
    clean = re.sub(r"[^\w.+()-]", "_", name.replace("/", "__"))[:100]
    return clean if clean.strip(".") else "_"
