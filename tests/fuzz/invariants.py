"""What holds of every answer, whatever the two files hold."""

import io
import time
import zipfile
from pathlib import Path

from cleanroom.compare.formats.interface import Found
from cleanroom.compare.formats.registry import Question, answer
from cleanroom.values.comparison import Sameness
from tests.fuzz import claims
from tests.fuzz.claims import CLAIMS
from tests.fuzz.oracles import disagrees
from tests.fuzz.targets import FOLDER

SECONDS = 20.0
"""Of processor time that one answer may take: a broken CRAM of 512 bytes keeps htslib busy for 5 s,
and nothing takes hours.
"""
SAME = (Sameness.PAYLOAD, Sameness.CANONICAL)


def broken(comparator: str, name: str, left: bytes, right: bytes, scratch: Path) -> str:
    """Which invariant two contents break, or nothing.
    Equal contents are not asked; claims are looked at alone.
    """
    if comparator == CLAIMS:
        return claims.broken(right, scratch)
    if left == right:
        return ""
    files = scratch / "left", scratch / "right"
    for file, content in zip(files, (left, right), strict=True):
        if not _laid_out(file, name, content):
            return ""
    answers: list[Found] = []
    for a, b in (files, files[::-1]):
        start = time.process_time()
        try:
            answers.append(
                answer(Question(left=str(a), right=str(b), name=name, comparator=comparator))
            )
        except Exception as error:
            return f"raised {type(error).__name__}: {error}"
        if (taken := time.process_time() - start) > SECONDS:
            return f"took {taken:.1f} s"
    return _judged(comparator, answers[0], answers[1], files)


def _judged(comparator: str, there: Found, back: Found, files: tuple[Path, Path]) -> str:
    if there.sameness is not back.sameness:
        return f"{there.sameness} from one side, {back.sameness} from the other"
    if there.sameness not in (*SAME, Sameness.DIFFERENT):
        return f"called {there.sameness}, but nothing was declared"
    if not there.note:
        return "no note"
    if "the comparator failed" in there.note:
        return there.note
    return disagrees(comparator, *files) if there.sameness in SAME else ""


def _laid_out(place: Path, name: str, content: bytes) -> bool:
    """Write a file, or a folder for a seed that stands for one; false where its archive cannot be
    read.
    """
    if not name.endswith(FOLDER):
        place.write_bytes(content)
        return True
    for file in sorted(place.rglob("*"), reverse=True) if place.exists() else ():
        file.rmdir() if file.is_dir() else file.unlink()
    place.mkdir(exist_ok=True)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                if not member.is_dir():
                    archive.extract(member, place)
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
        return False
    return True
