"""The lists of blocks: entries and whole lists, what they would have hit and give back, and who changed them."""
