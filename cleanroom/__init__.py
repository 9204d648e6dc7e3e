"""Clean-room confirmation for Snakemake workflows: does the meaning hold under every profile?"""

__version__ = "0.1.0"
