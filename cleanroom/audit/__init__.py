"""Settings and plans of all profiles: what each setting is here, what differs, what should be
fixed. Pure; runs nothing.

Not here: how evidence comes about, and whether results agree.
"""

from cleanroom.audit.auditing import audit

__all__ = ["audit"]
