"""Backups of the database around pg_dump, and their way back: docs/backup.md."""
