"""FASTQ: four lines a record, in order."""

from cleanroom.compare.formats.lines import Dialect, LineFormat

COMPARATOR = LineFormat("fastq", Dialect(thing="line", unit=4), (".fastq", ".fq"))
