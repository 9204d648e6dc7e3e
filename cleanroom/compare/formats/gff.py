"""GFF and GTF: records in order.
Comments and pragmas are a header; those that carry a date or a version are apart.
"""

import re

from cleanroom.compare.formats.interface import BY_CONTENT, NO
from cleanroom.compare.formats.lines import Dialect, LineFormat

DIALECT = Dialect(
    header=re.compile(r"#"),
    apart=re.compile(r"#[#!](?:date|annotation-date|source-version|genome-build-date)\b"),
    dated=re.compile(r"#(?!#)"),  # a region can read as a date
    binding=re.compile(r"##FASTA|>"),
)
COMPARATOR = LineFormat(
    "gff",
    DIALECT,
    (".gff", ".gff3", ".gtf"),
    lambda head: BY_CONTENT if head.startswith(b"##gff-version") else NO,
)
