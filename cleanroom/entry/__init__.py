"""How a workflow is entered, as far as its repository says so itself."""
