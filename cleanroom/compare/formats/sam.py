"""SAM as text: records in order.
`@PG` and `@CO` lines, which carry versions and command lines, are apart. BAM: `alignments.py`.
"""

import re

from cleanroom.compare.formats.interface import BY_CONTENT, NO
from cleanroom.compare.formats.lines import Dialect, LineFormat

APART = re.compile(r"@(?:PG|CO)\t")
DIALECT = Dialect(
    header=re.compile(r"@[A-Z][A-Z]\t"),
    apart=APART,
    dated=re.compile(r"(?!)"),
    thing="line",
    things="lines",
)
COMPARATOR = LineFormat(
    "sam",
    DIALECT,
    (".sam",),
    lambda head: BY_CONTENT if re.match(rb"@(?:HD|SQ)\t[A-Z]{2}:", head) else NO,
)
