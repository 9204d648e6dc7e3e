"""Plain text: lines in order.
Encoding and line endings are named; whatever has no format of its own and looks like text comes
here.
"""

from cleanroom.compare.formats.lines import Dialect, LineFormat
from cleanroom.compare.formats.plain import text_like

COMPARATOR = LineFormat("text", Dialect(), (), text_like)
