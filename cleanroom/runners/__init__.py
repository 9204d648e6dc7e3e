"""How many runs go on at once, and where. Not here: what a run is."""
