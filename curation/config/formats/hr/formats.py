"""Beside a day Croatian months stand in the genitive."""

MONTH_DAY_FORMAT = "j. E"
