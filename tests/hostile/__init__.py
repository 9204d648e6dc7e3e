"""Repositories made to do harm: nothing leaves its room, nothing untrue is HELD, nothing waits for
ever.
"""
