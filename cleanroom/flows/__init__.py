"""Each walks the whole way, from what was asked for to what is concluded. Not here: deciding."""
