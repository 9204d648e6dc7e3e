"""The proof routes of the ladder: a file for each, and a registry with one line for each.
Pure: what is run is only asked for.
"""
