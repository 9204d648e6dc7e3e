"""What Snakemake 8 and 9 import in each call and no room uses: the writer of HTML reports, with
templates and a parser of texts behind it. Its options stay what they are, and it is there for who
asks for it. Not here: anything that decides what a workflow does.
"""

from __future__ import annotations

import ast
import os
import types
from typing import Any, Dict, List

READ_FROM = ("dataclasses", "pathlib", "typing", "snakemake_interface_report_plugins")


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
