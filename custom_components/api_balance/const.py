"""Constants for API Balance."""

import logging

DOMAIN = "api_balance"
LOGGER = logging.getLogger(__package__)

ATTR_LEVEL = "level"

# The entry of this provider is the total: it has none.
ALL_ACCOUNTS = "all_accounts"
ALL_ACCOUNTS_NAME = "All accounts"

CONF_ACCOUNT_IDS = "account_ids"
CONF_ADVANCED = "advanced"
CONF_BALANCE = "balance"
CONF_BALANCES = "balances"
CONF_BASE_URL = "base_url"
CONF_CURRENCY = "currency"
CONF_ENTERED_AT = "entered_at"
CONF_PROVIDER = "provider"
CONF_RATE = "rate"
CONF_RATES = "rates"
CONF_THRESHOLDS = "thresholds"
CONF_USUAL_AMOUNT = "usual_amount"
CONF_USUAL_PERIOD = "usual_period"

# The highest threshold that can be set.
MAX_AMOUNT = 1_000_000_000
