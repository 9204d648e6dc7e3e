"""The output of a container, taken apart. Not here: where it comes from."""

from collections.abc import Iterator


class Frames:
    """The two outputs of a container as the engine sends them in one stream: `kind 0 0 0`, four
    bytes of length, the content.

    The format is that of the engine's interface, "attach", for a container without a terminal.
    """

    def __init__(self) -> None:
        self._head, self._left, self._stdout = b"", 0, False

    def of(self, block: bytes) -> Iterator[tuple[bool, bytes]]:
        """(whether it is standard output, a piece of it) of what comes next of the stream."""
        while block:
            if not self._left:
                need = 8 - len(self._head)
                self._head, block = self._head + block[:need], block[need:]
                if len(self._head) == 8:
                    self._stdout, self._left = (
                        self._head[0] == 1,
                        int.from_bytes(self._head[4:], "big"),
                    )
                    self._head = b""
                continue
            piece, block = block[: self._left], block[self._left :]
            self._left -= len(piece)
            yield self._stdout, piece
