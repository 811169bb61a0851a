"""Print what a provider says of an account, with a key from the environment."""  # noqa: INP001

import argparse
import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from difflib import get_close_matches
import os
import sys
import traceback

from aiohttp import ClientSession

from custom_components.api_balance.insight.account import Settings, advance
from custom_components.api_balance.insight.levels import Availability
from custom_components.api_balance.insight.state import AccountState
from custom_components.api_balance.model import (
    ACCOUNT,
    Quota,
    Scope,
    Snapshot,
    Spend,
    Wallet,
)
from custom_components.api_balance.providers.base import (
    Deferred,
    InvalidCredentials,
    MissingPermission,
    Provider,
    ProviderError,
    ProviderFault,
    RateLimited,
    UnexpectedAnswer,
    WrongCredentialKind,
)
from custom_components.api_balance.providers.catalog import (
    CATALOG,
    find,
    load,
    load_all,
)
from custom_components.api_balance.providers.http import UnsafeAddress, connect

ISSUES = "https://github.com/api-balance/ha-api-balance/issues"

type Column[T] = tuple[str, Callable[[T], object]]


class BalanceError(Exception):
    """What keeps the balance from being read, in a sentence for people."""


def variable(provider: type[Provider], key: str) -> str:
    """Return the environment variable of a credential, a region or an address."""
    name = f"{provider.id}_{key}".upper()
    # A shell knows no variable that begins with a digit.
    return name if name.isidentifier() else f"_{name}"


def find_provider(name: str) -> type[Provider]:
    """Return the provider of an id, a name or an alias."""
    if listing := find(name):
        return load(listing.id)
    near = get_close_matches(name.lower(), CATALOG, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise BalanceError(
        f"There is no provider {name!r}.{hint} scripts/balance without arguments lists"
        " all of them."
    )


def read_credentials(
    provider: type[Provider], environment: Mapping[str, str]
) -> dict[str, str]:
    """Return the credentials of the environment."""
    credentials: dict[str, str] = {}
    missing = []
    for item in provider.credentials:
        name = variable(provider, item.key)
        value = environment.get(name, "" if item.default is None else str(item.default))
        if isinstance(item.default, bool):
            # What is false must be empty: providers take any word for a yes.
            value = value if value.lower() in {"1", "on", "true", "yes"} else ""
        if value.strip() or not item.is_required or isinstance(item.default, bool):
            credentials[item.key] = value.strip()
        else:
            missing.append(name)
    if missing:
        raise BalanceError(
            f"Set {' and '.join(missing)} in the environment, then try again."
            f" {provider.name} needs: {provider.key_needs()}. Its key page is"
            f" {provider.key_url}"
        )
    return credentials


def read_region(provider: type[Provider], environment: Mapping[str, str]) -> str | None:
    """Return the region of the environment, None for the usual one."""
    name = variable(provider, "region")
    region = environment.get(name)
    if region and region not in provider.hosts:
        raise BalanceError(f"{name} must be one of: {', '.join(provider.hosts)}.")
    return region


async def report(name: str, environment: Mapping[str, str]) -> str:
    """Return what the provider says, for people. Raises BalanceError."""
    provider = find_provider(name)
    credentials = read_credentials(provider, environment)
    region = read_region(provider, environment)
    base_url = environment.get(variable(provider, "base_url"))
    try:
        async with ClientSession() as session:
            client = connect(provider, session, credentials, region, base_url)
            snapshot = await client.read()
    except UnsafeAddress:
        name = variable(provider, "base_url" if base_url else "url")
        raise BalanceError(
            f"{name} must be an address such as https://api.example.com; plain http"
            " works for this machine only."
        ) from None
    except ProviderError as err:
        # The cause stays behind: only the sentence is known to hold no secret.
        raise BalanceError(explain(provider, err)) from None
    text = "\n".join(describe(provider, snapshot))
    for item in provider.credentials:
        # A provider may name a project after its key.
        if item.is_secret and credentials.get(item.key):
            text = text.replace(credentials[item.key], "(secret)")
    return text


def explain(provider: type[Provider], err: ProviderError) -> str:
    """Return what went wrong, and what to do next."""
    name = provider.name
    match err:
        case InvalidCredentials():
            secrets = [
                variable(provider, item.key)
                for item in provider.credentials
                if item.is_required
            ]
            return (
                f"{name} does not accept these credentials. Check that"
                f" {' and '.join(secrets)} is whole and belongs to {name}, or make a new"
                f" key at {provider.key_url}"
            )
        case MissingPermission():
            permission = err.permission or provider.permission or "to read balances"
            return (
                f"{name} accepts the key, but it lacks the permission {permission}. Give it that"
                f" permission, or make another key, at {provider.key_url}"
            )
        case WrongCredentialKind():
            return (
                f"This is another kind of key. {name} needs: {provider.key_needs()}. Make one"
                f" at {provider.key_url}"
            )
        case RateLimited():
            return f"{name} was asked too often. Try again {_after(err)}."
        case ProviderFault():
            return (
                f"{name} says that something is wrong on its side. Look at"
                f" {provider.status_url} and try again {_after(err)}."
            )
        case UnexpectedAnswer():
            return (
                f"{name} answered in a form that is not known here; it broke at:"
                f" {err.path}. Check the credentials and the address. If they are right,"
                f" look for an update, or report it with this line at {ISSUES}"
            )
        case _:
            return (
                f"No answer of {name} arrived. Check the connection, and"
                f" {variable(provider, 'base_url')} if it is set; {name}'s status page is"
                f" {provider.status_url}"
            )


def _after(err: Deferred) -> str:
    """Return when to try again."""
    if err.retry_after is None:
        return "in a few minutes"
    return f"in {err.retry_after.total_seconds():.0f} seconds"


def _availability(snapshot: Snapshot) -> Availability | None:
    """Return whether the account can be used, as Home Assistant shows it."""
    settings = Settings(interval=timedelta(minutes=15), starts={})
    step = advance(AccountState(), snapshot, settings, datetime.now(UTC))
    return step.view.availability


def describe(provider: type[Provider], snapshot: Snapshot) -> Iterator[str]:
    """Yield the lines of what a provider reported."""
    labels = {scope.key: scope.label or scope.key for scope in snapshot.scopes}

    def part_of(part: Wallet | Quota | Spend) -> str | None:
        return None if part.scope == ACCOUNT else labels.get(part.scope, part.scope)

    yield provider.name
    yield f"Availability: {_availability(snapshot) or 'not reported'}"
    yield from table(
        "Wallets",
        snapshot.wallets,
        (
            ("part", part_of),
            ("wallet", lambda wallet: wallet.label),
            ("balance", lambda wallet: wallet.balance),
            ("available", lambda wallet: wallet.available),
            ("credit limit", lambda wallet: wallet.credit_limit),
            ("pending", lambda wallet: wallet.pending),
            ("granted", lambda wallet: wallet.granted),
            ("topped up", lambda wallet: wallet.paid),
            ("unit", lambda wallet: wallet.unit.code),
            ("paid", lambda wallet: "afterwards" if wallet.is_postpaid else None),
        ),
    )
    yield from table(
        "Quotas",
        snapshot.quotas,
        (
            ("part", part_of),
            ("quota", lambda quota: quota.label or quota.key.replace("_", " ")),
            ("used", lambda quota: quota.used),
            ("remaining", lambda quota: quota.remaining),
            ("limit", lambda q: "unlimited" if q.is_unlimited else q.limit),
            ("unit", lambda quota: quota.unit.code),
            ("resets", lambda quota: quota.resets_at),
        ),
    )
    yield from table(
        "Spend",
        snapshot.spend,
        (
            ("part", part_of),
            ("period", lambda spend: str(spend.period or "").replace("_", " ")),
            ("what", lambda spend: spend.label),
            ("spent", lambda spend: spend.amount),
            ("unit", lambda spend: spend.unit.code),
            ("since", lambda spend: spend.start),
        ),
    )
    yield from table(
        "Not answered",
        [scope for scope in snapshot.scopes if scope.problem],
        (
            ("part", lambda scope: scope.label or scope.key),
            ("problem", _problem_of),
        ),
    )
    if not (snapshot.wallets or snapshot.quotas or snapshot.spend):
        yield ""
        yield "No wallet, quota or spend was reported."


def _problem_of(scope: Scope) -> str:
    return str(scope.problem).replace("_", " ")


def table[T](
    title: str, rows: Iterable[T], columns: Iterable[Column[T]]
) -> Iterator[str]:
    """Yield a table without the columns that hold nothing."""
    listed = list(rows)
    if not listed:
        return
    cells = [(name, [value(row) for row in listed]) for name, value in columns]
    shown = [
        _column(name, values)
        for name, values in cells
        if any(value not in {None, ""} for value in values)
    ]
    yield ""
    yield title
    for line in zip(*shown, strict=True):
        yield "  ".join(line).rstrip()


def _column(name: str, values: Iterable[object]) -> list[str]:
    """Return the cells of a column, all of the same width; amounts to the right."""
    listed = list(values)
    texts = [name, *map(_text, listed)]
    width = max(map(len, texts))
    is_amount = any(isinstance(value, Decimal) for value in listed)
    texts.insert(1, "-" * width)
    return [text.rjust(width) if is_amount else text.ljust(width) for text in texts]


def _text(value: object) -> str:
    """Return a value as a cell shows it."""
    match value:
        case None:
            return ""
        case Decimal():
            return f"{value:f}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case _:
            return str(value)


def list_providers() -> str:
    """Return the table of the providers and the variables each needs."""
    lines = table(
        "Set the variables, then run scripts/balance PROVIDER",
        load_all(),
        (
            ("provider", lambda provider: provider.id),
            ("name", lambda provider: provider.name),
            ("variables", _variables),
        ),
    )
    return "\n".join(lines).lstrip()


def _variables(provider: type[Provider]) -> str:
    return " ".join(
        variable(provider, item.key)
        for item in provider.credentials
        if item.is_required and item.default is None
    )


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/balance", description=__doc__)
    parser.add_argument("provider", nargs="?", help="without it, all are listed")
    arguments = parser.parse_args()
    try:
        if arguments.provider is None:
            print(list_providers())
        else:
            print(asyncio.run(report(arguments.provider, os.environ)))
    except BalanceError as err:
        print(f"error: {err}", file=sys.stderr)
        return 1
    except Exception as err:  # noqa: BLE001
        # Where it happened is printed, but not the message: it might hold a key.
        traceback.print_tb(err.__traceback__)
        name = type(err).__name__
        print(
            f"error: This is a fault of the program ({name}). Report it at {ISSUES}",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
