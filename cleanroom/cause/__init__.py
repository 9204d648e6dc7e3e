"""Which setting or context made a difference, as the evidence shows it by itself. Pure.
Not here: finding out by running.
"""
