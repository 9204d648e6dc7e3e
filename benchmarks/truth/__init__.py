"""The truth bench: small workflows whose answer is known, and how often it is given."""
