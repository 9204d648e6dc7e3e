"""How a room starts: the driver beside this file, under the Python that has Snakemake.
Not here: what the driver does.
"""

import sys

from cleanroom_room.driver import main  # type: ignore[import-not-found]

sys.path[:] = [
    folder for folder in sys.path if folder != "/room/in"
]  # a workflow sees its own path
main()
