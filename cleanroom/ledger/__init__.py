"""The history of confirmations: an index over the records of a store, which can always be made
again from them.
"""
