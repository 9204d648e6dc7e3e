"""The process in which comparators run, since they read what an untrusted workflow wrote: limits
first, then a question a line.

`python -m cleanroom.compare.worker BYTES`: questions as JSON on standard input, answers in the same
order on standard output.
Not here: limits of time, and what becomes of a worker that dies; see `examiner.py`.
"""

import os
import resource
import sys

import msgspec

from cleanroom.compare.formats.registry import Question, answer


def main() -> None:
    """Answer until standard input ends."""
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # nothing that a library prints is an answer
    os.dup2(silence, 2)
    decoder = msgspec.json.Decoder(Question)
    for line in sys.stdin.buffer:
        answers.write(msgspec.json.encode(answer(decoder.decode(line))) + b"\n")


if __name__ == "__main__":
    main()
