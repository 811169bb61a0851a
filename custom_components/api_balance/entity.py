"""The base entities of an account and of its parts."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, cast, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .account import Part, part_id
from .const import DOMAIN
from .coordinator import AccountCoordinator, ApiBalanceConfigEntry, device_id
from .model import ACCOUNT, Wallet


class AccountEntity(CoordinatorEntity[AccountCoordinator]):
    """Something that an account tells."""

    _attr_has_entity_name = True

    def __init__(
        self, coordinator: AccountCoordinator, description: EntityDescription
    ) -> None:
        """Belong to the device of the account."""
        super().__init__(coordinator)
        entry = coordinator.config_entry
        self.entity_description = description
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, device_id(entry.entry_id))}
        )


class PartEntity[PartT: Part](AccountEntity):
    """Something that a wallet, a quota or a running spend tells."""

    def __init__(
        self,
        coordinator: AccountCoordinator,
        part: PartT,
        description: EntityDescription,
    ) -> None:
        """Belong to the device of the scope that the part belongs to."""
        super().__init__(coordinator, description)
        entry = coordinator.config_entry
        self._part_id = part_id(part)
        self._attr_unique_id = unique_id(coordinator, part, description)
        self._attr_translation_placeholders = {
            "part": f" ({part.label})" if part.label else ""
        }
        if part.scope != ACCOUNT:
            self._attr_device_info = DeviceInfo(
                entry_type=DeviceEntryType.SERVICE,
                identifiers={(DOMAIN, device_id(entry.entry_id, part.scope))},
                name=f"{entry.title} {coordinator.data.label(part.scope)}",
                manufacturer=coordinator.provider.name,
                configuration_url=coordinator.provider.top_up_url,
                via_device_id=coordinator.account_device_id,
            )

    @property
    def part(self) -> PartT:
        """Return the part as last told; only while it is available."""
        return cast(PartT, self.coordinator.data.parts[self._part_id])

    @property
    @override
    def available(self) -> bool:
        """Tell whether the provider told this part."""
        return super().available and self._part_id in self.coordinator.data.parts


def unique_id(
    coordinator: AccountCoordinator, part: Part, description: EntityDescription
) -> str:
    """Return what tells an entity of a part from all others, stable for ever."""
    return f"{coordinator.config_entry.entry_id}_{part.key}_{description.key}"


class WalletEntity(NamedTuple):
    """What an entity of a wallet is, whether it is there right now or not."""

    entry: ApiBalanceConfigEntry
    wallet_key: str
    key: str

    @property
    def coordinator(self) -> AccountCoordinator | None:
        """Return the coordinator of the account, None while it is not loaded."""
        return getattr(self.entry, "runtime_data", None)


@callback
def async_find_wallet(
    hass: HomeAssistant, entity_id: str, keys: Iterable[str]
) -> WalletEntity | None:
    """Return which wallet an entity belongs to, if it is ours and has such a key."""
    entity = er.async_get(hass).async_get(entity_id)
    if entity is None or entity.platform != DOMAIN:
        return None
    # The unique id alone tells: it is known before the entity is there.
    key = next((key for key in keys if entity.unique_id.endswith(f"_{key}")), None)
    entry = hass.config_entries.async_get_entry(entity.config_entry_id or "")
    if key is None or entry is None:
        return None
    wallet_key = entity.unique_id.removeprefix(f"{entry.entry_id}_")
    return WalletEntity(entry, wallet_key.removesuffix(f"_{key}"), key)


@callback
def async_wallets_among(
    hass: HomeAssistant, entity_ids: Iterable[str], keys: Iterable[str]
) -> set[str]:
    """Return those entities that are ours and have such a key."""
    return {
        entity_id
        for entity_id in entity_ids
        if async_find_wallet(hass, entity_id, keys)
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
    scope_of_known: dict[str, str] = {}

    @callback
    def add_new() -> None:
        # A scope that went took its entities along.
        scopes = coordinator.data.scopes
        for id_, scope in list(scope_of_known.items()):
            if scopes is not None and scope not in scopes:
                del scope_of_known[id_]
        new = []
        for part in coordinator.data.parts.values():
            for description in describe(coordinator, part):
                id_ = unique_id(coordinator, part, description)
                if id_ not in scope_of_known:
                    scope_of_known[id_] = part.scope
                    new.append(create(coordinator, part, description))
        async_add_entities(new)

    add_new()
    entry.async_on_unload(coordinator.async_add_listener(add_new))


@callback
def async_add_wallet_entities[DescriptionT: EntityDescription](
    entry: ApiBalanceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create: Callable[[AccountCoordinator, Any, DescriptionT], AccountEntity],
    descriptions: Iterable[DescriptionT],
) -> None:
    """Add the entities of every wallet of the account, now and as wallets appear."""
    async_add_part_entities(
        entry,
        async_add_entities,
        create,
        lambda coordinator, part: descriptions if isinstance(part, Wallet) else (),
    )
