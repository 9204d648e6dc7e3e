"""Git: a repository and a ref in, one commit and fresh clones of it out."""

from cleanroom.source.git import Repository, open_repository

__all__ = ["Repository", "open_repository"]
