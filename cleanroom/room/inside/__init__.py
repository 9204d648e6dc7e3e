"""Laid into a room beside its start; imported as `cleanroom_room` there.
Not here: anything of the host.
"""
