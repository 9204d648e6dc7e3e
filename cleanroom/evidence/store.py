"""The content-addressed store on local disk: objects by SHA-256, evidence by the digest of its
canonical JSON.

Writing is atomic: a name appears only when its content is whole. Reading is checked: whoever could
write into the store could otherwise make one run's content that of another. Not here: what anything
means.
"""

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from cleanroom.beneath import Beneath
from cleanroom.errors import StoreError, UsageError
from cleanroom.evidence.tree import Hashed, hash_open
from cleanroom.evidence.versions import read_evidence, read_record
from cleanroom.values.base import canonical, escape_path
from cleanroom.values.record import Record
from cleanroom.values.run import Evidence

_LEAST_DIGITS = 8
_Identity = tuple[int, int, int, int]
_good: dict[_Identity, str] = {}
"""What this process found to be good: device, inode, time of change and size of a file, and the
digest of its content.
"""


def verified(file: Path, sha256: str) -> bool:
    """Whether a regular file is there and holds this content; asked once for each file and process,
    while the file stays as it is.
    """
    try:
        fd = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        info = os.fstat(fd)
        name = (info.st_dev, info.st_ino, info.st_ctime_ns, info.st_size)
        if not stat.S_ISREG(info.st_mode):
            return False
        if _good.get(name) != sha256:
            if hash_open(fd) != sha256:
                return False
            _good[name] = sha256
        return True
    finally:
        os.close(fd)


def _link_or_copy(here: Beneath, path: bytes, to: Path) -> bool:
    """Give a file a second name, or copy it where that cannot be; returns whether it is the file
    itself. Raises: OSError.
    """
    try:
        here.hard_link(path, to)
        return True
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EMLINK, errno.EPERM):
            raise
    with os.fdopen(here.open(path), "rb") as source, to.open("xb") as copy:
        shutil.copyfileobj(source, copy, 2**20)
    return False


def _remember(file: Path, sha256: str) -> None:
    info = os.lstat(file)
    _good[info.st_dev, info.st_ino, info.st_ctime_ns, info.st_size] = sha256


def _seal(file: Path) -> None:
    file.chmod(0o444)
    if os.geteuid() == 0:
        os.chown(file, 0, 0)


class Store:
    """One folder. Raises: StoreError when the disk does not let it write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: set[Path] = set()
        for name in ("objects", "evidence", "attempts", "records"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def object(self, sha256: str) -> Path:
        """Where the content with this digest is, if it is there."""
        return self._folder / "objects" / sha256[:2] / sha256[2:]

    def content(self, sha256: str) -> Path:
        """The same, checked: what is read from there is what its name says, or it is not there at
        all.

        Raises: StoreError for content that is another.
        """
        place = self.object(sha256)
        if not verified(place, sha256) and place.exists():
            raise StoreError(
                f"The content {place} is not what its name says.",
                "Something wrote into the store. Remove it, and confirm again.",
            )
        return place

    def keep(self, here: Beneath, path: bytes, hashed: Hashed) -> None:
        """Keep the content of a hashed file by linking it: no byte is copied.
        The file itself becomes read-only.

        Raises: StoreError, also for a file that is not the one that was hashed.
        """
        place = self.object(hashed.sha256)
        if place.parent not in self._made:
            place.parent.mkdir(exist_ok=True)
            self._made.add(place.parent)
        if verified(place, hashed.sha256):
            return
        part = place.with_name(f".part-{uuid.uuid4().hex}")
        try:
            linked = _link_or_copy(here, path, part)
            _seal(part)
            info = os.lstat(part)
            same = (
                linked
                and hashed.seen
                and (info.st_ino, info.st_size, info.st_mtime_ns) == hashed.seen.same_content
            )
            if not same and not verified(part, hashed.sha256):
                raise StoreError(
                    f"The file '{escape_path(path)}' changed while it was kept.", "Run again."
                )
            part.replace(place)  # over what may be there and is damaged
            _remember(place, hashed.sha256)
        except OSError as error:
            raise self._full("A content", error) from None
        finally:
            part.unlink(missing_ok=True)

    def put(self, evidence: Evidence, *, amends: bool = False) -> str:
        """Write evidence and return its digest. An attempt id that is known already is refused,
        unless the evidence `amends` what was known of that attempt.

        Raises: StoreError.
        """
        whole = canonical(evidence)
        name = hashlib.sha256(whole).hexdigest()
        place = self._folder / "evidence" / f"{name}.json"
        claimed = self._folder / "attempts" / evidence.attempt_id
        try:
            with self._whole(place) as part:
                part.write_bytes(whole)
            with self._whole(claimed, exclusive=not amends) as part:
                part.write_text(name)
        except FileExistsError:
            raise StoreError(
                f"The attempt {evidence.attempt_id} is in the store already.",
                "An attempt happens once.",
            ) from None
        except OSError as error:
            raise self._full("Evidence", error) from None
        return name

    def digests(self, name: str) -> list[str]:
        """The digests of evidence here that begin with `name`, which has at least 8 digits."""
        return self._named("evidence", name)

    def _named(self, kind: str, name: str) -> list[str]:
        found = (
            (self._folder / kind).glob(f"{name}*.json")
            if len(name) >= _LEAST_DIGITS and name.isalnum()
            else ()
        )
        return sorted(file.stem for file in found)

    def _checked(self, kind: str, digest: str, what: str) -> bytes:
        """A document in full. Raises: StoreError where it is not what its name says."""
        file = self._folder / kind / f"{digest}.json"
        raw = file.read_bytes()
        if hashlib.sha256(raw).hexdigest() != digest:
            raise StoreError(
                f"The {what} {file} is not what its name says.", "Do not trust it; confirm again."
            )
        return raw

    def get(self, name: str) -> tuple[str, Evidence]:
        """(digest in full, evidence) of a digest or an unambiguous beginning of one, checked
        against it.

        Raises: UsageError where there is none, StoreError where its content is not what its name
        says.
        """
        matches = self.digests(name)
        if len(matches) != 1:
            what = (
                f"'{name}' names {len(matches)} stored runs"
                if matches
                else f"There is no evidence '{name}'"
            )
            raise UsageError(
                f"{what} in {self._folder}.", "report.json names the evidence of each run in full."
            )
        return matches[0], read_evidence(self._checked("evidence", matches[0], "evidence"))

    def get_whole(self, name: str) -> tuple[str, Evidence]:
        """The same, of a run of the whole workflow.
        Raises: UsageError for a control of only a part too.
        """
        digest, evidence = self.get(name)
        if evidence.only:
            raise UsageError(
                f"The evidence {digest[:12]} is a control of only {', '.join(evidence.only)}.",
                "Give that of a whole run.",
            )
        return digest, evidence

    def copy(self, file: Path, sha256: str) -> None:
        """Keep the content of somebody else's file, which stays as it is.

        Raises: StoreError, also for a file that is not what was hashed.
        """
        place = self.object(sha256)
        if verified(place, sha256):
            return
        try:
            place.parent.mkdir(exist_ok=True)
            with self._whole(place) as part:
                shutil.copyfile(file, part)
                if not verified(part, sha256):
                    raise StoreError(f"The file '{file}' changed while it was kept.", "Run again.")
        except OSError as error:
            raise self._full("A content", error) from None

    def put_record(self, record: Record) -> str:
        """Write the record of a confirmation and return its digest. Raises: StoreError."""
        whole = canonical(record)
        name = hashlib.sha256(whole).hexdigest()
        try:
            with self._whole(self._folder / "records" / f"{name}.json") as part:
                part.write_bytes(whole)
        except OSError as error:
            raise self._full("A confirmation", error) from None
        return name

    def records(self) -> list[str]:
        """The digests of all records."""
        return sorted(file.stem for file in (self._folder / "records").glob("*.json"))

    def record(self, name: str) -> tuple[str, Record]:
        """(digest in full, record) of a digest or an unambiguous beginning of one.

        Raises: UsageError where there is none, StoreError for one that is damaged, or of a newer
        cleanroom.
        """
        matches = self._named("records", name)
        if len(matches) != 1:
            what = f"'{name}' names {len(matches)} confirmations" if matches else ""
            raise UsageError(
                f"{what or f'There is no confirmation {name!r}'} in {self._folder}.",
                "See `cleanroom history` for those that are there.",
            )
        return matches[0], read_record(self._checked("records", matches[0], "confirmation"))

    def _full(self, what: str, error: OSError) -> StoreError:
        return StoreError(
            f"{what} cannot be kept in {self._folder}: {error.strerror}.", "Free disk space."
        )

    @contextlib.contextmanager
    def _whole(self, place: Path, *, exclusive: bool = False) -> Iterator[Path]:
        """A temporary file beside `place` that takes its name, on disk, when the block ends
        well.
        """
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
