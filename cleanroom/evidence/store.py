"""The content-addressed store on local disk: objects by SHA-256, evidence by the digest of its canonical JSON.

Writing is atomic: a name appears only when its content is whole. Not here: what anything means.
"""

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from cleanroom.errors import StoreError, UsageError
from cleanroom.model import Evidence, canonical, digest


class Store:
    """One folder. Raises: StoreError when the disk does not let it write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: set[Path] = set()
        for name in ("objects", "evidence", "attempts"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def object(self, sha256: str) -> Path:
        """Where the content with this digest is, if it is there."""
        return self._folder / "objects" / sha256[:2] / sha256[2:]

    def keep(self, file: bytes, sha256: str) -> None:
        """Keep the content of a hashed file by linking it: no byte is copied. The file itself becomes read-only."""
        place = self.object(sha256)
        if place.parent not in self._made:
            place.parent.mkdir(exist_ok=True)
            self._made.add(place.parent)
        try:
            os.link(file, place, follow_symlinks=False)
        except FileExistsError:
            return
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EMLINK, errno.EPERM):
                raise StoreError(f"Evidence cannot be kept in {self._folder}: {error.strerror}.", "Free disk space.") from None
            with self._whole(place) as part:
                shutil.copyfile(os.fsdecode(file), part)
        place.chmod(0o444)
        if os.geteuid() == 0:
            os.chown(place, 0, 0)

    def put(self, evidence: Evidence) -> str:
        """Write evidence and return its digest. An attempt id that is known already is refused.

        Raises: StoreError.
        """
        name = digest(evidence)
        place = self._folder / "evidence" / f"{name}.json"
        claimed = self._folder / "attempts" / evidence.attempt_id
        try:
            with self._whole(place) as part:
                part.write_bytes(canonical(evidence))
            with self._whole(claimed, exclusive=True) as part:
                part.write_text(name)
        except FileExistsError:
            raise StoreError(f"The attempt {evidence.attempt_id} is in the store already.", "An attempt happens once.") from None
        except OSError as error:
            raise StoreError(f"Evidence cannot be written to {self._folder}: {error.strerror}.", "Free disk space.") from None
        return name

    def digests(self, name: str) -> list[str]:
        """The digests of evidence here that begin with `name`, which has at least 8 digits."""
        found = (self._folder / "evidence").glob(f"{name}*.json") if len(name) >= 8 and name.isalnum() else ()
        return sorted(file.stem for file in found)

    def get(self, name: str) -> tuple[str, Evidence]:
        """(digest in full, evidence) of a digest or an unambiguous beginning of one, checked against it.

        Raises: UsageError where there is none, StoreError where its content is not what its name says.
        """
        matches = self.digests(name)
        if len(matches) != 1:
            what = f"'{name}' names {len(matches)} evidences" if matches else f"There is no evidence '{name}'"
            raise UsageError(f"{what} in {self._folder}.", "report.json names the evidence of each run in full.")
        file = self._folder / "evidence" / f"{matches[0]}.json"
        raw = file.read_bytes()
        if hashlib.sha256(raw).hexdigest() != matches[0]:
            raise StoreError(f"The evidence {file} is not what its name says.", "Do not trust it; confirm again.")
        try:
            return matches[0], msgspec.json.decode(raw, type=Evidence)
        except msgspec.MsgspecError as error:
            raise StoreError(f"The evidence {file} is of another version of cleanroom ({error}).", "Confirm again.") from None

    def get_whole(self, name: str) -> tuple[str, Evidence]:
        """The same, of a run of the whole workflow. Raises: UsageError for a control of only a part too."""
        digest, evidence = self.get(name)
        if evidence.only:
            raise UsageError(f"The evidence {digest[:12]} is a control of only {', '.join(evidence.only)}.", "Give that of a whole run.")
        return digest, evidence

    @contextlib.contextmanager
    def _whole(self, place: Path, *, exclusive: bool = False) -> Iterator[Path]:
        """A temporary file beside `place` that takes its name, on disk, when the block ends well."""
        fd, name = tempfile.mkstemp(dir=place.parent, prefix=".part-")
        os.close(fd)
        part = Path(name)
        try:
            yield part
            with part.open("rb") as stream:
                os.fsync(stream.fileno())
            part.chmod(0o444)
            if exclusive:
                os.link(part, place)
            else:
                part.replace(place)
        finally:
            part.unlink(missing_ok=True)
