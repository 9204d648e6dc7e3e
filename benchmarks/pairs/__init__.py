"""Pairs of files over all formats, labelled: those that mean the same and those that do not."""
