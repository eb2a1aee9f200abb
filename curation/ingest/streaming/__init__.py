"""The filtered stream: one leader, its rules, what it may cost, and how it is kept."""
