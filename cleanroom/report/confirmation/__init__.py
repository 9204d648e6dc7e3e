"""The report of a confirmation: its view model and how it reads."""
