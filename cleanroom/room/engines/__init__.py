"""What a room runs in: one file for each engine, and a registry with one line for each."""
