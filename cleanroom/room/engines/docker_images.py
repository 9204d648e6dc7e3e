"""Images of an engine on the Docker socket: looked up, pulled, looked into and built.
Not here: what runs in them.
"""

import contextlib
import io
import re
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, BuildError, DockerException, ImageNotFound, NotFound

from cleanroom.errors import ImageError
from cleanroom.room.engines.interface import ImageFacts
from cleanroom.values.setup import Image

_MOST_READ = 64 * 2**20
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
DEFAULT_IMAGE = "cleanroom-room:latest"


class DockerImages:
    """The images that a client of the engine reaches."""

    isolation = "container"

    def __init__(self, client: docker.DockerClient, version: str) -> None:
        self._client, self.version = client, version

    def resolve(self, reference: str, *, anew: bool = False) -> Image:
        reference = reference or DEFAULT_IMAGE
        try:
            found = self._pull(reference) if anew else self._client.images.get(reference)
        except ImageNotFound:
            found = self._pull(reference)
        except (APIError, requests.RequestException) as error:
            raise ImageError(
                f"The image '{reference}' cannot be looked up ({reason(error)}).",
                "Check its name.",
            ) from None
        wanted, system = self._client.version().get("Arch", ""), found.attrs.get("Os", "linux")
        if found.attrs.get("Architecture") not in ("", None, wanted) or system != "linux":
            platform = f"{system}/{found.attrs.get('Architecture')}"
            raise ImageError(
                f"The image '{reference}' is for {platform}; this engine runs linux/{wanted}.",
                f"Give one for linux/{wanted}.",
            )
        return Image(
            reference=reference,
            digest=str(found.id),
            engine=f"docker {self.version}",
            isolation=self.isolation,
        )

    def _pull(self, reference: str) -> Any:
        if reference == DEFAULT_IMAGE:
            raise ImageError(
                "The default room image has not been built here.", "Build it once: cleanroom image"
            )
        try:
            return (
                self._client.images.pull(reference)
                if ":" in reference
                else self._client.images.pull(reference, tag="latest")
            )
        except (DockerException, requests.RequestException) as error:
            raise ImageError(
                f"There is no image '{reference}' here, and it cannot be pulled ({reason(error)}).",
                "Check the name, pull or load it first, or leave out --image.",
            ) from None

    def facts(self, image: Image, paths: Sequence[str]) -> ImageFacts:
        try:
            said = self._client.images.get(image.digest).attrs["Config"].get("Env") or []
            env = dict(line.split("=", 1) for line in said if "=" in line)
            container = self._client.containers.create(image.digest, command=["true"])
            try:
                texts = {path: self._text_of(container, path) for path in paths}
            finally:
                container.remove(force=True)
        except (DockerException, requests.RequestException) as error:
            raise ImageError(
                f"The image '{image.reference}' cannot be looked into ({reason(error)}).",
                "See `cleanroom doctor`.",
            ) from None
        return ImageFacts(env=env, texts={p: t for p, t in texts.items() if t})

    def _text_of(self, container: Any, path: str) -> str:
        """A file of a container, up to a bound; nothing where it has none."""
        try:
            blocks, about = container.get_archive(path)
        except NotFound:
            return ""
        if int(about["size"]) > _MOST_READ:
            return ""
        with tarfile.open(fileobj=io.BytesIO(b"".join(blocks))) as archive:
            member = archive.next()
            file = archive.extractfile(member) if member and member.isfile() else None
            return file.read().decode("utf-8", "replace") if file else ""

    def build(
        self,
        dockerfile: bytes,
        tag: str,
        args: dict[str, str],
        network: str | None,
        extra: dict[str, bytes],
    ) -> Iterator[str]:
        """Build an image from a Dockerfile and extra files of its context; yields the engine's
        lines. Raises ImageError.
        """
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as archive:
            for name, content in {"Dockerfile": dockerfile, **extra}.items():
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content), 0o755
                archive.addfile(member, io.BytesIO(content))
        context.seek(0)
        try:
            lines = self._client.api.build(
                fileobj=context,
                custom_context=True,
                tag=tag,
                buildargs=args,
                network_mode=network,
                rm=True,
                forcerm=True,
                decode=True,
                timeout=3600,
            )
            said: list[str] = []
            for line in lines:
                if "error" in line:
                    code = (line.get("errorDetail") or {}).get("code", "")
                    last = " / ".join(said[-4:]) or str(line["error"])
                    raise ImageError(
                        f"The image cannot be built (exit code {code}): {last}",
                        "Mend that, then run it again.",
                    )
                text = _ANSI.sub("", str(line.get("stream", ""))).strip()
                if text:
                    said.append(text)
                    yield text
        except (BuildError, DockerException, requests.RequestException) as error:
            raise ImageError(
                f"The image cannot be built ({reason(error)}).", "See `cleanroom doctor`."
            ) from None

    def load_base(self, archive: Path, repository: str, tag: str) -> None:
        """Import a root file system as an image."""
        try:
            self._client.api.import_image_from_file(str(archive), repository=repository, tag=tag)
        except (DockerException, requests.RequestException, OSError) as error:
            raise ImageError(
                f"The base cannot be imported ({reason(error)}).", "Check the disk of the engine."
            ) from None

    def has(self, reference: str) -> bool:
        with contextlib.suppress(DockerException):
            self._client.images.get(reference)
            return True
        return False


def reason(error: BaseException) -> str:
    if isinstance(error, APIError) and error.explanation:
        return str(error.explanation)
    text = str(error)
    if "Connection refused" in text or "No such file" in text or "FileNotFoundError" in text:
        return "nothing listens on its socket"
    if "Permission denied" in text:
        return "this user may not use its socket"
    return " ".join(text.split())[:200]
