"""One verb per file; each takes parsed arguments and returns an exit code."""
