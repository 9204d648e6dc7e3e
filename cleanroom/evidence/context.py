"""What surrounds a run and should not matter: each factor with its usual value and the one it is
varied to. Not here: running.
"""

from typing import NamedTuple

from cleanroom.room.rooms import PLACE


class Factor(NamedTuple):
    """One thing that a room decides: as it is in every room, and as it is where it is varied."""

    usual: str
    varied: str


FACTORS = {
    "hash seed": Factor("1", "3"),
    "time zone": Factor("UTC", "CHT-12:45"),
    "locale": Factor("C.UTF-8", "POSIX"),
    "date": Factor("today", "+400d"),
    "host name": Factor("room", "elsewhere"),
    "user": Factor("cleanroom", "somebody"),
    "home": Factor("/tmp/home", "/tmp/other/home"),  # noqa: S108 - the room's own
    "folder": Factor(PLACE, "/room/another/place"),
    "umask": Factor("022", "077"),
    "processors": Factor("all", "1"),
    "directory order in Python": Factor("as the file system gives it", "reversed"),
}
"""By name; a time zone as POSIX writes it needs no table of zones.
`date` needs libfaketime in the room.
"""
SHIFTED_CLOCK = "+34563661"
"""By how many seconds the clock of a control is another one: 400 days, and 1:01:01; in no field a
stamp agrees by luck.
"""
HELD_CLOCK = "2030-05-17 12:00:00"
"""What a clock shows that is held still, in UTC."""


def value_of(factor: str, varied: tuple[str, ...]) -> str:
    """What a factor is in a room in which some are varied."""
    return FACTORS[factor].varied if factor in varied else FACTORS[factor].usual


def environment(hash_seed: int, varied: tuple[str, ...] = ()) -> dict[str, str]:
    """The exact environment of a room: nothing of the host, the same in every room but for the hash
    seed and what is varied.
    """
    language = value_of("locale", varied)
    user = value_of("user", varied)
    return {
        "HOME": value_of("home", varied),
        "USER": user,
        "LOGNAME": user,
        "LANG": language,
        "TZ": value_of("time zone", varied),
        "TMPDIR": "/tmp",  # noqa: S108
        "PYTHONHASHSEED": FACTORS["hash seed"].varied if "hash seed" in varied else str(hash_seed),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "TERM": "dumb",
        **({"LC_ALL": language} if "locale" in varied else {}),
    }
