"""Asking X again about what we have: by look-ups, and by batch compliance."""
