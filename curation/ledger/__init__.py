"""What reading X costs: reserved before a call, settled after it, held against what X says."""
