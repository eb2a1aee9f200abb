"""What was read becomes rows: tweets, authors, candidates and their groups."""
