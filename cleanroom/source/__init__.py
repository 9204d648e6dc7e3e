"""Git: a repository and a ref in, one commit and fresh clones of it out."""

from cleanroom.source.address import published
from cleanroom.source.calls import Patience
from cleanroom.source.mirror import Reach
from cleanroom.source.pointers import pointers
from cleanroom.source.repository import Repository, open_repository

__all__ = ["Patience", "Reach", "Repository", "open_repository", "pointers", "published"]
