"""The report of an audit: its view model, its bundle and how it reads."""
