"""Questions to comparators, answered by worker processes under limits of memory and time; each
question once.

A worker that dies, or does not answer in time, takes only the question with it that it was at: the
two files are different, and the note says why. Not here: any format.
"""

import contextlib
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import msgspec

from cleanroom import children
from cleanroom.compare.formats.interface import Found, different
from cleanroom.compare.formats.registry import Question

MEMORY = 3 * 2**30
"""Bytes of memory that one worker may have."""
SECONDS = 60.0
BYTES_PER_SECOND = 10 * 2**20
"""A question may take `SECONDS`, and a second more for so many bytes of the two files."""
_AHEAD = 32 * 2**10
"""Bytes of questions that wait in a worker's pipe: less than any pipe holds, so that asking never
waits for answering.
"""
_LINE = 16_000_000


class Examiner:
    """Answers for as long as it is open."""

    def __init__(
        self, workers: int | None = None, memory: int = MEMORY, seconds: float = SECONDS
    ) -> None:
        self._count = workers or os.cpu_count() or 1
        self._memory, self._seconds = memory, seconds
        self._known: dict[Question, Found] = {}
        self._folders = contextlib.ExitStack()

    def __enter__(self) -> "Examiner":
        return self

    def __exit__(self, *_: object) -> None:
        self._known.clear()
        self._folders.close()

    def folder(self) -> Path:
        """A new empty folder, which is gone when the examiner closes."""
        return Path(self._folders.enter_context(tempfile.TemporaryDirectory(prefix="cleanroom-")))

    def examine(self, questions: Sequence[Question]) -> list[Found]:
        """The answer to each question, in order."""
        open_questions = deque(dict.fromkeys(q for q in questions if q not in self._known))
        if open_questions:
            count = min(self._count, (len(open_questions) + 7) // 8)
            threads = [
                threading.Thread(target=self._serve, args=(open_questions,), daemon=True)
                for _ in range(count)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        return [self._known[q] for q in questions]

    def _serve(self, questions: "deque[Question]") -> None:
        """Ask one worker after another until no question is left."""
        while questions:
            with tempfile.TemporaryDirectory(prefix="cleanroom-") as scratch:
                self._with_worker(questions, scratch)

    def _with_worker(self, questions: "deque[Question]", scratch: str) -> None:
        worker = _Worker(self._memory, scratch)
        asked: deque[tuple[Question, int]] = deque()
        ahead = 0
        try:
            while True:
                while (ahead < _AHEAD or not asked) and worker.alive:
                    try:
                        question = questions.popleft()
                    except IndexError:
                        break
                    line = msgspec.json.encode(question) + b"\n"
                    asked.append((question, len(line)))
                    ahead += len(line)
                    worker.ask(line)
                if not asked:
                    return
                question, length = asked.popleft()
                self._known[question] = worker.answer(
                    self._seconds + _size(question) / BYTES_PER_SECOND
                )
                ahead -= length
                if not worker.alive:
                    questions.extendleft(q for q, _ in reversed(asked))
                    return
        finally:
            worker.close()


def _size(question: Question) -> int:
    sides = Path(question.left), Path(question.right)
    return sum(
        file.stat().st_size
        for side in sides
        for file in (side.rglob("*") if side.is_dir() else [side])
    )


class _Worker:
    """One process. `alive` is false once it has died or was killed."""

    def __init__(self, memory: int, scratch: str) -> None:
        env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": scratch,
            "TMPDIR": scratch,
            "LANG": "C.UTF-8",
            "OMP_NUM_THREADS": "2",
        }
        command = [sys.executable, "-I", "-m", "cleanroom.compare.worker", str(memory)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env,
            cwd=scratch,
            start_new_session=True,
        )
        children.know(self._process)
        self._pending = b""
        self._decoder = msgspec.json.Decoder(Found)
        self.alive = True

    def ask(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # `answer` will see that it is gone

    def answer(self, seconds: float) -> Found:
        """The answer to the oldest question, or why there is none."""
        assert self._process.stdout is not None
        deadline = time.monotonic() + seconds
        fd = self._process.stdout.fileno()
        while b"\n" not in self._pending:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                return self._dead(f"comparing took longer than {seconds:.0f} s")
            block = os.read(fd, 2**16)
            if not block or len(self._pending) > _LINE:
                return self._dead(self._why())
            self._pending += block
        line, _, self._pending = self._pending.partition(b"\n")
        try:
            return self._decoder.decode(line)
        except msgspec.DecodeError:
            return self._dead("the comparator gave no answer that can be read")

    def _why(self) -> str:
        code = self._process.wait()
        if code in (-9, -6, 1, 127):
            return "the comparator ran out of memory or crashed"
        return f"the comparator crashed ({f'signal {-code}' if code < 0 else f'exit code {code}'})"

    def _dead(self, why: str) -> Found:
        self.alive = False
        return different(f"not examined: {why}")

    def close(self) -> None:
        self.alive = False
        children.end(self._process)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
