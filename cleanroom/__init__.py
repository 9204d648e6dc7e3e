"""Clean-room confirmation for Snakemake workflows: does the meaning hold under every profile?

What Python code may call is in `cleanroom.api`.
"""

__version__ = "0.1.0"
