"""cleanroom is killed at random moments: nothing of it lives on, nothing half-written is left, and
the next run is right.
"""
