"""BED, bedGraph and wiggle: records in order. Comment, browser and track lines are a header."""

import re

from cleanroom.compare.formats.lines import Dialect, LineFormat

DIALECT = Dialect(
    header=re.compile(r"#|track\b|browser\b"),
    dated=re.compile(r"#"),
    binding=re.compile(r"(track|browser|fixedStep|variableStep)\b"),
)
COMPARATOR = LineFormat(
    "bed", DIALECT, (".bed", ".bedgraph", ".bdg", ".wig", ".narrowpeak", ".broadpeak")
)
