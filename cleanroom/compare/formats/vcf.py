"""VCF: records in order. Header lines that carry dates, versions or command lines are apart; BCF:
`alignments.py`.
"""

import re

from cleanroom.compare.formats.interface import FOR_CERTAIN, NO
from cleanroom.compare.formats.lines import Dialect, LineFormat

HEADER = re.compile(r"#")
APART = re.compile(
    r"##(?:file[dD]ate|source|startTime|cmdline|[Cc]ommand[Ll]ine|GATKCommandLine[^=]*|\w*(?:[Cc]ommand|[Cc]md)"
    r"|(?i:(?:bcftools|samtools|htslib|vcftools|gatk|picard|snpeff|snpsift|deepvariant|glnexus|freebayes|strelka|manta|octopus|sniffles"
    r"|clair3|medaka|longshot|whatshap|varscan|lofreq|delly|tool|program|software|caller|pipeline|source)\w*version))="
)
DATED = re.compile(r"##(?!\w*=<|reference\b|assembly\b)")
"""What defines contigs, fields and samples is no place for a date: a length can read as one."""
DIALECT = Dialect(header=HEADER, apart=APART, dated=DATED, thing="line", things="lines")
COMPARATOR = LineFormat(
    "vcf",
    DIALECT,
    (".vcf",),
    lambda head: FOR_CERTAIN if head.startswith(b"##fileformat=VCF") else NO,
)
