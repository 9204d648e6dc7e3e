"""A copy of the package in which every message says something else.

A message is a string of three words or more that is no name: no key of a table, nothing that is
compared with, no pattern, no member of an enumeration.
"""

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import cleanroom

WORD = "zq"
_MESSAGE = re.compile(r"[^\W\d_]{2,}\W+(?:\S+\W+)?[^\W\d_]{2,}")
_NO_PROSE = re.compile(
    r"\\|\(\?|\[\^|^--|^[A-Z]+ \* |\bPRAGMA\b|^#!|<svg|\{\{|==|^bold |\binput\.|^import ", re.M
)
_READERS = {
    "compile",
    "startswith",
    "endswith",
    "removeprefix",
    "removesuffix",
    "partition",
    "rpartition",
    "split",
    "fullmatch",
    "match",
    "search",
    "sub",
    "execute",
    "getattr",
    "run",
    "check_output",
}


def reworded(folder: Path) -> Path:
    """The copy, as a folder for PYTHONPATH."""
    source = Path(cleanroom.__file__).parent
    target = folder / "cleanroom"
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    top = source.parent
    shutil.copytree(top / "templates", folder / "templates")
    shutil.copyfile(top / "Dockerfile", folder / "Dockerfile")
    trees = {path: ast.parse(path.read_text()) for path in sorted(target.rglob("*.py"))}
    # The sentences that older evidence has in place of values are names there, and nowhere else.
    own = target / "evidence/versions.py"
    names = {name for path, tree in trees.items() if path != own for name in _names(tree)}
    for path, tree in trees.items():
        path.write_text(ast.unparse(_Reworder(names).visit(tree)))
    codes = target / "findings/codes.toml"
    codes.write_text(
        re.sub(r'^(title|why|repair) = ".*"$', rf'\1 = "{WORD}"', codes.read_text(), flags=re.M)
    )
    settings = target / "profiles/settings.toml"
    settings.write_text(re.sub(r'\b(does|why) = "[^"]*"', rf'\1 = "{WORD}"', settings.read_text()))
    return folder


def _names(tree: ast.AST) -> Iterator[str]:
    """Strings that stand for a thing: wherever they stand, they are no message."""
    for node in ast.walk(tree):
        found: list[ast.expr | None] = []
        match node:
            case ast.Dict():
                found = list(node.keys)
            case ast.Compare():
                found = [node.left, *node.comparators]
            case ast.Subscript():
                found = [node.slice]
            case ast.Call(func=ast.Attribute(attr=name)) if name in _READERS:
                found = list(node.args)
            case ast.Call(func=ast.Name(id=name)) if name in _READERS:
                found = list(node.args)
            case ast.ClassDef() if any("Enum" in ast.unparse(base) for base in node.bases):
                found = [item.value for item in node.body if isinstance(item, ast.Assign)]
            case ast.MatchValue():
                found = [node.value]
            case ast.Assign(targets=[ast.Name(id="_PROBES")], value=texts):
                found = [texts]  # what masks are tried on
        for one in found:
            for inner in ast.walk(one) if one is not None else ():
                if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                    yield inner.value


class _Reworder(ast.NodeTransformer):
    def __init__(self, names: set[str]) -> None:
        self._names = names

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        is_docstring = isinstance(node.value, ast.Constant)
        return node if is_docstring else self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        parts = [str(v.value) if isinstance(v, ast.Constant) else "\0" for v in node.values]
        whole = "".join(parts)
        if not self._is_message(whole):
            return node
        values = [v if not isinstance(v, ast.Constant) else _said(v) for v in node.values]
        return ast.JoinedStr(values=values)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str) and self._is_message(node.value):
            return _said(node)
        return node

    def _is_message(self, text: str) -> bool:
        return (
            text not in self._names
            and _MESSAGE.search(text) is not None
            and text.count(" ") > 1
            and not _NO_PROSE.search(text)
        )


def _said(node: ast.Constant) -> ast.Constant:
    """Other words with the same places for values."""
    places = re.findall(r"%(?:\.\d+)?[sdfr]|\{\w*\}", str(node.value))
    return ast.Constant(value=" ".join([WORD, *places, ""]))
