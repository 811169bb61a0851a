"""The base entities of an account and of its parts."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple, cast, override

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import ChildDeviceInfo, DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .accounts import is_total
from .const import DOMAIN
from .coordinator import AccountCoordinator, ApiBalanceConfigEntry
from .follow import device_id
from .insight.budget import Budget
from .insight.view import REMAINING, Part, part_id
from .model import ACCOUNT, Gauge

# The first alerts are sent while an account is being set up.
_LOADED = (ConfigEntryState.LOADED, ConfigEntryState.SETUP_IN_PROGRESS)
# Smaller amounts have an exponent as text: `0E-8`, `1E-7`.
_SHOWN_AS_ZERO = -7


class AccountEntity(CoordinatorEntity[AccountCoordinator]):
    """Base entity of an account."""

    _attr_has_entity_name = True

    def __init__(
        self, coordinator: AccountCoordinator, description: EntityDescription
    ) -> None:
        """Initialize the entity on the account's device."""
        super().__init__(coordinator)
        entry = coordinator.config_entry
        self.entity_description = description
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, device_id(entry.entry_id))}
        )

    @property
    @override
    def available(self) -> bool:
        """Return whether the facts are not too old to be shown."""
        return super().available and self.coordinator.data.is_current


class PartEntity[PartT: Part](AccountEntity):
    """Base entity of a part: a wallet, a quota, a gauge, a spend, an outlook or a budget."""

    # Whether the entity knows its value while the account cannot be read.
    _is_always_available = False

    def __init__(
        self,
        coordinator: AccountCoordinator,
        part: PartT,
        description: EntityDescription,
    ) -> None:
        """Initialize the entity on the device of the part's scope."""
        super().__init__(coordinator, description)
        entry = coordinator.config_entry
        self._part_id = part_id(part)
        self._attr_unique_id = unique_id(coordinator, part, description)
        self._attr_translation_placeholders = {
            "part": f" ({part.label})" if part.label else ""
        }
        if part.scope != ACCOUNT:
            # A child is reached by whatever targets the account. Older versions have
            # this as a typed dictionary.
            self._attr_device_info = cast(
                DeviceInfo,
                ChildDeviceInfo(
                    identifiers={(DOMAIN, device_id(entry.entry_id, part.scope))},
                    name=coordinator.data.label(part.scope),
                    parent_device_id=coordinator.account_device_id,
                ),
            )

    @property
    def part(self) -> PartT:
        """Return the part of the last answer; only while it is available."""
        return cast(PartT, self.coordinator.data.parts[self._part_id])

    @property
    @override
    def available(self) -> bool:
        """Return whether the part is known."""
        return (
            self._is_always_available or super().available
        ) and self._part_id in self.coordinator.data.parts


def without_exponent(amount: Decimal) -> Decimal:
    """Return an amount as it is shown, never with an exponent."""
    return Decimal() if amount.adjusted() < _SHOWN_AS_ZERO else amount


def as_floats(amounts: Mapping[str, Decimal | None]) -> dict[str, float | None]:
    """Return amounts as the attributes and variables of Home Assistant hold them."""
    return {
        name: None if amount is None else float(amount)
        for name, amount in amounts.items()
    }


def unique_id(
    coordinator: AccountCoordinator, part: Part, description: EntityDescription
) -> str:
    """Return the unique id of an entity of a part, stable for ever."""
    return f"{coordinator.config_entry.entry_id}_{part.key}_{description.key}"


def is_set_budget(part: Part) -> bool:
    """Return whether a part is a budget that a person has set."""
    return isinstance(part, Budget) and part.amount > 0


class GaugeEntity(NamedTuple):
    """An entity of a gauge, whether its account is loaded or not."""

    entry: ApiBalanceConfigEntry
    gauge: str
    key: str

    @property
    def coordinator(self) -> AccountCoordinator | None:
        """Return the coordinator of the account, None while it is not loaded."""
        if self.entry.state not in _LOADED:
            return None
        return getattr(self.entry, "runtime_data", None)


@callback
def async_find_gauge(
    hass: HomeAssistant, entity_id: str, keys: Iterable[str]
) -> GaugeEntity | None:
    """Return the gauge of an entity of API Balance with one of the keys."""
    entity = er.async_get(hass).async_get(entity_id)
    if entity is None or entity.platform != DOMAIN:
        return None
    # The unique id is known before the entity is added.
    key = next((key for key in keys if entity.unique_id.endswith(f"_{key}")), None)
    entry = hass.config_entries.async_get_entry(entity.config_entry_id or "")
    if key is None or entry is None or is_total(entry):
        return None
    gauge = entity.unique_id.removeprefix(f"{entry.entry_id}_").removesuffix(f"_{key}")
    # The sensors of a quota have its own key, which is a part of its gauge's.
    return GaugeEntity(entry, f"quota_{gauge}" if key == REMAINING else gauge, key)


@callback
def async_entities_of_gauge(
    hass: HomeAssistant, domain: str, entry_id: str, gauge: str, keys: Iterable[str]
) -> dict[str, str]:
    """Return the entities of a gauge that have one of the keys, with the key of each."""
    registry = er.async_get(hass)
    found = {}
    for key in keys:
        part = gauge.removeprefix("quota_") if key == REMAINING else gauge
        unique = f"{entry_id}_{part}_{key}"
        if entity_id := registry.async_get_entity_id(domain, DOMAIN, unique):
            found[entity_id] = key
    return found


@callback
def async_gauges_among(
    hass: HomeAssistant, entity_ids: Iterable[str], keys: Iterable[str]
) -> set[str]:
    """Return the entities of API Balance that have one of the keys."""
    return {
        entity_id for entity_id in entity_ids if async_find_gauge(hass, entity_id, keys)
    }


@callback
def async_add_part_entities[DescriptionT: EntityDescription](
    entry: ApiBalanceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create: Callable[[AccountCoordinator, Any, DescriptionT], AccountEntity],
    describe: Callable[[AccountCoordinator, Part], Iterable[DescriptionT]],
) -> None:
    """Add the entities of every part of the account, now and as parts appear."""
    coordinator = entry.runtime_data
    known: dict[str, str] = {}

    @callback
    def add_new() -> None:
        # A scope that is gone has taken its entities along.
        view = coordinator.data
        for id_, scope in list(known.items()):
            if scope not in view.scopes:
                del known[id_]
        new = []
        for part in view.parts.values():
            for description in describe(coordinator, part):
                id_ = unique_id(coordinator, part, description)
                if id_ not in known:
                    known[id_] = part.scope
                    new.append(create(coordinator, part, description))
        if new:
            async_add_entities(new)

    add_new()
    entry.async_on_unload(coordinator.async_add_listener(add_new))


@callback
def async_add_gauge_entities[DescriptionT: EntityDescription](
    entry: ApiBalanceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create: Callable[[AccountCoordinator, Any, DescriptionT], AccountEntity],
    wallet_descriptions: Iterable[DescriptionT],
    quota_descriptions: Iterable[DescriptionT],
) -> None:
    """Add the entities of every gauge of the account, now and as gauges appear."""

    def describe(coordinator: AccountCoordinator, part: Part) -> Iterable[DescriptionT]:
        """Return the descriptions of a gauge, none of any other part."""
        if not isinstance(part, Gauge):
            return ()
        return quota_descriptions if part.is_quota else wallet_descriptions

    async_add_part_entities(entry, async_add_entities, create, describe)
