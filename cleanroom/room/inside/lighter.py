"""What Snakemake 8 and 9 import in each call and no room needs: the writer of HTML reports, with
templates and a parser of texts behind it; databases behind its records of jobs; numpy behind its
reader of profiles. Half of the time that a room takes to start. All is there for who asks for it.
Not here: anything that decides what a workflow does.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import os
import sys
import types
from typing import Any, Dict, List, get_type_hints

READ_FROM = ("dataclasses", "pathlib", "typing", "snakemake_interface_report_plugins")


RECORDS = {
    "b0a82e66dcbb397a6271ce0d12a959cd3f85ca8362cfba05dbdd5784cbbdaa7b": "9.27.1",
}
"""Digests of the files below, in the versions of Snakemake that were tested without their model."""
RECORDS_MODULE = "snakemake.persistence"
RECORDS_FILES = ("persistence/__init__.py", "persistence/file.py", "persistence/db.py")


def put_off_numpy() -> None:
    """Have the reader of profiles know arrays only where somebody else has brought numpy: before
    that there are none.
    """
    if "numpy" in sys.modules:
        return
    sys.modules["numpy"] = None  # type: ignore[assignment]
    try:
        import yte.value_handler as handler
    finally:
        del sys.modules["numpy"]

    def kind(name: str) -> Any:
        return getattr(sys.modules.get("numpy"), name, ())

    def of_array(value: Any) -> Any:
        return value.tolist() if isinstance(value, kind("ndarray")) else value

    def of_text(value: Any) -> Any:
        return str(value) if isinstance(value, kind("str_")) else value

    handler._handle_numpy_array, handler._handle_numpy_str = of_array, of_text


class Record:
    """In the place of a model of pydantic: what Snakemake notes of a result, with its own fields,
    in its own words. What is read and is not plainly of the kind of its field is left to the model
    itself.
    """

    _defaults: Dict[str, Any]

    def __init_subclass__(cls, **how: Any) -> None:
        cls._defaults = {name: getattr(cls, name) for name in cls.__annotations__}

    def __init__(self, **values: Any) -> None:
        for name, default in self._defaults.items():
            made = default() if isinstance(default, type) else default
            setattr(self, name, values.get(name, made))

    @classmethod
    def model_validate(cls, found: Any) -> Any:
        kinds = get_type_hints(cls)
        if isinstance(found, dict) and all(
            _is_plainly(found[name], kinds[name]) for name in kinds if name in found
        ):
            return cls(**found)
        ours = _without_records()
        model = importlib.import_module(RECORDS_MODULE).MetadataRecord
        _without_records()
        sys.modules.update(ours)
        return model.model_validate(found)

    def model_dump(self) -> Dict[str, Any]:
        return {name: getattr(self, name) for name in self._defaults}


def _is_plainly(value: Any, kind: Any) -> bool:
    """Whether a value of JSON is of a kind, with nothing to convert."""
    inner: List[Any] = list(getattr(kind, "__args__", ()))
    base = getattr(kind, "__origin__", kind)
    if base is list:
        return type(value) is list and (
            inner[0] is Any or all(type(one) is inner[0] for one in value)
        )
    if base is dict:
        return type(value) is dict
    if isinstance(base, type) and base is not types.__dict__.get("UnionType"):
        return type(value) is base
    return any(_is_plainly(value, one) for one in inner)


def put_off_records() -> None:
    """Have Snakemake write and read its records of jobs without pydantic and SQLAlchemy, where its
    version is one that was tested so. A profile that wants a database has it.
    """
    import snakemake

    folder = os.path.dirname(str(snakemake.__file__))
    digest = hashlib.sha256()
    for file in RECORDS_FILES:
        with open(os.path.join(folder, file), "rb") as stream:
            digest.update(stream.read())
    if digest.hexdigest() not in RECORDS or {"sqlalchemy", "sqlmodel"} & set(sys.modules):
        return

    def field(default: Any = None, default_factory: Any = None, **how: Any) -> Any:
        return default_factory or default

    def database(**how: Any) -> Any:
        _without_records()
        return importlib.import_module(f"{RECORDS_MODULE}.db").DbPersistence(**how)

    stand_ins: Dict[str, Dict[str, Any]] = {
        "sqlalchemy": {"Column": lambda kind: None, "JSON": None},
        "sqlmodel": {"SQLModel": Record, "Field": field},
        f"{RECORDS_MODULE}.db": {"DbPersistence": database},
    }
    for name, content in stand_ins.items():
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__dict__.update(content)
    try:
        import snakemake.cli
    finally:
        for name in stand_ins:
            del sys.modules[name]


def _without_records() -> Dict[str, Any]:
    """Snakemake's modules of records, which the next import brings as they would be."""
    names = [name for name in sys.modules if name.startswith(RECORDS_MODULE)]
    return {name: sys.modules.pop(name) for name in names}


def put_off_reports() -> None:
    """Have Snakemake know the options of that writer, read from its own source, without importing
    it. Raises: whatever is not as it was in every Snakemake that was tested; nothing is changed
    then.
    """
    import snakemake
    from snakemake_interface_common.plugin_registry import PluginRegistryBase
    from snakemake_interface_report_plugins.registry import ReportPluginRegistry
    from snakemake_interface_report_plugins.reporter import ReporterBase

    class Reporter(ReporterBase):  # type: ignore[misc]
        def __new__(cls, *arguments: Any, **how: Any) -> Any:
            from snakemake.report.html_reporter import Reporter as Real

            return Real(*arguments, **how)

        def render(self) -> None:
            """Never called: what is made is the real one."""

    module = types.ModuleType("snakemake.report.html_reporter")
    folder = os.path.dirname(str(snakemake.__file__))
    with open(os.path.join(folder, "report", "html_reporter", "__init__.py")) as stream:
        settings = settings_in(stream.read())
    module.__dict__.update(Reporter=Reporter, ReportSettings=settings)

    def collect(self: Any) -> None:
        PluginRegistryBase.collect_plugins(self)
        self.register_plugin("html", module)

    ReportPluginRegistry.collect_plugins = collect


def settings_in(source: str) -> Any:
    """The class of settings that a module of a plug-in defines, and nothing else of it."""
    tree = ast.parse(source)
    kept: List[ast.stmt] = [
        node
        for node in tree.body
        if (isinstance(node, ast.ClassDef) and node.name == "ReportSettings")
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in READ_FROM)
    ]
    found: Dict[str, Any] = {"__name__": "snakemake.report.html_reporter"}
    body = ast.Module(body=kept, type_ignores=[])
    exec(compile(body, "html_reporter", "exec", dont_inherit=True), found)
    return found["ReportSettings"]
