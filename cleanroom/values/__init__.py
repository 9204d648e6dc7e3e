"""The values of a confirmation, one file for each stage of its life. Nothing but values."""
