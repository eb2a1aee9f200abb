"""Beside a day Greek months stand in the genitive."""

MONTH_DAY_FORMAT = "j E"
