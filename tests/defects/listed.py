"""All deliberate defects. A change of the code they stand in moves its line here too."""

from tests.defects import deciding, feeding, keeping, publishing, reading

LISTED = [
    *deciding.DEFECTS,
    *reading.DEFECTS,
    *publishing.DEFECTS,
    *feeding.DEFECTS,
    *keeping.DEFECTS,
]
