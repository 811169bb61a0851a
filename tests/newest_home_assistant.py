"""Run the tests on a Home Assistant that the published test plug-in does not know.

The plug-in for 2026.10 wants one name where 2026.11 no longer has it, and it loads
after respx, which wants httpx before Home Assistant has aliased it. Loading this
module first, and respx not at all, settles both. It goes when a plug-in for 2026.11
is published.
"""

from homeassistant.components import logger
from homeassistant.components.logger import helpers

if not hasattr(logger, "_clear_logger_overwrites"):
    vars(logger)["_clear_logger_overwrites"] = vars(helpers)["_clear_logger_overwrites"]
