"""Profiles of a repository: which there are, and which of their settings place a run or replace
it.
"""
