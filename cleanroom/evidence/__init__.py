"""What a run left behind: walked and hashed by the host, kept by content."""
