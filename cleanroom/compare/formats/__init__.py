"""One comparator for each format: recognise, then compare.
Each third-party library is in the one file of its format.

Not here: what decides, what is declared, and any trust in what is read: comparators run in workers
with limits.
"""
