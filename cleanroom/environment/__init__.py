"""The software of rooms: what a repository declares, made once, and known by every package."""
