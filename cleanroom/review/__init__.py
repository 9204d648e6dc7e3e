"""What changed between two commits, and which of it is semantic drift. Pure; runs nothing.

Not here: how evidence comes about.
"""

from cleanroom.values.review import Drift, Reviewed, ReviewOutcome

__all__ = ["Drift", "ReviewOutcome", "Reviewed"]
