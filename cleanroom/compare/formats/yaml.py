"""YAML: the graph of its nodes, whatever the style and the order of keys.
Nothing is constructed; aliases are followed, never unfolded.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from cleanroom.compare.formats.interface import BY_NAME, NO, Found, Inner, NotExamined
from cleanroom.compare.formats.json import Number, Object, Pairs, Walk
from cleanroom.compare.formats.plain import looks_like_text
from cleanroom.values.declared import CompareOptions

_MOST = 32 * 2**20
_NODES = 200_000
"""The most nodes of one file, those that aliases repeat among them."""
_TRUE, _FALSE, _NULL = {"true", "yes", "on", "y"}, {"false", "no", "off", "n"}, {"", "~", "null"}
_WHOLE = re.compile(r"[+-]?[0-9]+")
_REAL = re.compile(
    r"[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?[0-9]+[eE][+-]?[0-9]+"
)
_PLAIN = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


class Typed(tuple[str, str]):
    """(tag, text) of a scalar that is no text, number, truth value or null."""


class Yaml:
    name, version, extra = "yaml", "2", ""
    options = frozenset({"ignore", "absolute", "relative"})

    def handles(self, head: bytes, name: str) -> int:
        return BY_NAME if name.endswith((".yaml", ".yml")) and looks_like_text(head) else NO

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        walk = Walk(rules)
        walk.values(_load(left), _load(right), "")
        return walk.found()


class Documents(Pairs):
    """Several documents, or none: never the same as a list of values."""


def _load(path: Path) -> Any:
    if path.stat().st_size > _MOST:
        raise NotExamined(f"it is larger than {_MOST} bytes")
    try:
        documents = list(
            yaml.compose_all(
                path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
            )
        )
        budget = [_NODES]
        values = [_value(node, budget) for node in documents]
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, ArithmeticError) as error:
        raise NotExamined(f"it is not YAML ({str(error).splitlines()[0]})") from None
    except RecursionError:
        raise NotExamined("it is nested too deeply") from None
    return (
        values[0]
        if len(values) == 1
        else Documents((f"document {i}", value) for i, value in enumerate(values, 1))
    )


def _value(node: Any, budget: list[int]) -> Any:
    """A node as `Walk` knows values; what aliases unfold to is bounded."""
    budget[0] -= 1
    if budget[0] < 0:
        raise NotExamined("it unfolds to too much")
    if isinstance(node, yaml.CollectionNode) and node.tag not in _PLAIN:
        raise NotExamined(f"it has a collection of another type ({node.tag})")
    if isinstance(node, yaml.MappingNode):
        pairs = [(_key(k), _value(v, budget)) for k, v in node.value]
        found = Object(pairs)
        return found if len(found) == len(pairs) and not _may_collide(node) else Pairs(pairs)
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, budget) for child in node.value]
    tag = node.tag.removeprefix("tag:yaml.org,2002:")
    lower = node.value.lower()
    if tag == "null" and lower in _NULL:
        return None
    if tag == "bool" and lower in _TRUE | _FALSE:
        return lower in _TRUE
    if (
        tag == "int"
        and _WHOLE.fullmatch(node.value)
        and (not node.value.strip("+-0") or not node.value.lstrip("+-").startswith("0"))
    ):
        return Number(node.value)  # with a zero before it, it is octal in YAML 1.1
    if tag == "float" and _REAL.fullmatch(node.value):
        return Number(node.value)
    return node.value if tag == "str" else Typed((tag, node.value))


def _may_collide(node: Any) -> bool:
    """Whether two keys that are no texts could be one key in two spellings (1 and 0x1, yes and
    true): then their order counts.
    """
    odd = [
        k
        for k, _ in node.value
        if k.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
    ]
    return len(odd) > 1 and not all(
        k.tag == "tag:yaml.org,2002:int" and re.fullmatch(r"0|-?[1-9][0-9]*", k.value) for k in odd
    )


def _key(node: Any) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise NotExamined("a key is not a scalar")
    if node.tag != "tag:yaml.org,2002:str":
        return f"!<{node.tag}> {node.value}"
    return f"\\{node.value}" if node.value.startswith(("!", "\\")) else str(node.value)


COMPARATOR = Yaml()
