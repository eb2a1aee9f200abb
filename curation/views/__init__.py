"""Pages of the desk, one module a subject."""

from curation.views.authors import erase, erase_author
from curation.views.block_lists import block_list, new_block_list
from curation.views.block_sheets import blocks_sheet, bring_blocks
from curation.views.blocks import block_entry, blocks, lift_blocks, new_block
from curation.views.desk import arrivals, changes, decide, decide_many, desk, similar, undo
from curation.views.forecast import budget_forecast, budget_lowered
from curation.views.health import drop_aside, health, market_health, release_aside, set_aside
from curation.views.home import home
from curation.views.links import add_link, link
from curation.views.log import log_sheet, market_log, my_log, post_log, undo_act
from curation.views.palette import palette
from curation.views.panels import panel, panel_many, panel_reach, reach_of_many
from curation.views.pauses import try_again
from curation.views.presence import here
from curation.views.profile import choose_theme, fold_column, profile
from curation.views.recent import recent
from curation.views.sources import (
    bring_sources,
    new_source,
    restore_source,
    source,
    source_act,
    sources,
    sources_sheet,
)

__all__ = [
    "add_link",
    "arrivals",
    "block_entry",
    "block_list",
    "blocks",
    "blocks_sheet",
    "bring_blocks",
    "bring_sources",
    "budget_forecast",
    "budget_lowered",
    "changes",
    "choose_theme",
    "decide",
    "decide_many",
    "desk",
    "drop_aside",
    "erase",
    "erase_author",
    "fold_column",
    "health",
    "here",
    "home",
    "lift_blocks",
    "link",
    "log_sheet",
    "market_health",
    "market_log",
    "my_log",
    "new_block",
    "new_block_list",
    "new_source",
    "palette",
    "panel",
    "panel_many",
    "panel_reach",
    "post_log",
    "profile",
    "reach_of_many",
    "recent",
    "release_aside",
    "restore_source",
    "set_aside",
    "similar",
    "source",
    "source_act",
    "sources",
    "sources_sheet",
    "try_again",
    "undo",
    "undo_act",
]
