"""Text that a repository chose, with what would act on a terminal, parser or CI system written out.

Not here: the escapes of one format (`render.py`, `sarif.py`).
"""

import re
from typing import Any

import msgspec

BLOCK = 30_000
"""The most characters of a text that keeps its lines, such as a log."""
LINE = 5_000
"""The most characters of one line; a path that Linux can open has at most 4096 bytes."""

# What has no shape of its own (Unicode: controls, formats, surrogates, line separators, fillers and
# tags) could reorder a line, hide a part of a name, or command a terminal. U+FE0E and U+FE0F only
# choose how an emoji looks.
_UNSEEN = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\u2800\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# CI systems obey `##[name ...]` and `##name[...]` anywhere in a line that a program prints, and
# `::name::` where a line begins.
_COMMAND = r"(?<=#)#(?=\w*\[)"
_ACTS = re.compile(f"[{_UNSEEN}]|{_COMMAND}")
_BEGINS = re.compile(r"^(\s*):(?=:)", re.MULTILINE)


def visible(text: object, most: int = BLOCK) -> str:
    """Text with whatever would act written out; lines and tabs stay, a long text is cut."""
    return _ACTS.sub(lambda m: _written(ord(m[0])), bounded(str(text), most))


def one_line(text: object, most: int = LINE) -> str:
    """Visible text in one line, as in a table; a newline or tab in a name shows as such."""
    return visible(bounded(str(text), most).replace("\n", "\\n").replace("\t", "\\t"))


def spoken(text: object) -> str:
    """Visible text for standard output or error, of which no line commands a CI system."""
    return _BEGINS.sub(r"\1\\x3a", visible(text))


def bounded(text: str, most: int) -> str:
    """At most so many characters, and how many were left out."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} more characters)"


def json_text(value: Any) -> str:
    """A value as indented JSON; what would act on a terminal or a CI system is escaped.

    There is no NaN in JSON: it becomes null. Half a surrogate pair is no text: it is written out.
    """
    try:
        raw = msgspec.json.encode(value)
    except UnicodeEncodeError:
        raw = msgspec.json.encode(_whole(msgspec.to_builtins(value)))
    return _ACTS.sub(_json_escape, msgspec.json.format(raw, indent=2).decode()) + "\n"


def _written(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(match: re.Match[str]) -> str:
    """Such characters stand only within JSON's strings, where an escape means the same."""
    pair = match[0].encode("utf-16-be")
    return "".join(f"\\u{pair[i : i + 2].hex()}" for i in range(0, len(pair), 2))


def _whole(value: Any) -> Any:
    """The same with every half of a surrogate pair written out."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_whole(key): _whole(one) for key, one in value.items()}
        case list() | tuple():
            return [_whole(one) for one in value]
        case _:
            return value
