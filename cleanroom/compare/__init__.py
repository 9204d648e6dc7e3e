"""Two runs side by side: their plans, their artifacts, and where a difference began."""
