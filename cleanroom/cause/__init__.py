"""Which setting or context made a difference. Here: what can be read from the evidence, without running anything."""

from cleanroom.cause.read import read_causes

__all__ = ["read_causes"]
