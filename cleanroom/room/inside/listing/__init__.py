"""On the path of every Python of a room in which the order of listings is varied.
Not here: other programs' listings.
"""
