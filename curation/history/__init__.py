"""Reading the decision log: what is asked of it, lines in words, one post across markets, the sheet for a lead."""
