"""Constants for API Balance."""

import logging

DOMAIN = "api_balance"
LOGGER = logging.getLogger(__package__)

ATTR_LEVEL = "level"

CONF_ACCOUNT_IDS = "account_ids"
CONF_ADVANCED = "advanced"
CONF_BALANCE = "balance"
CONF_BALANCES = "balances"
CONF_BASE_URL = "base_url"
CONF_CURRENCY = "currency"
CONF_PROVIDER = "provider"
CONF_THRESHOLDS = "thresholds"
CONF_USUAL_AMOUNT = "usual_amount"
CONF_USUAL_PERIOD = "usual_period"

# The highest threshold that can be set.
MAX_AMOUNT = 1_000_000_000
