"""The providers in the order people see: data, without the code of any provider.

The module of a provider is named by its id, and is imported when an account needs it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module

from .base import Provider


class Group(StrEnum):
    """What people use a provider for."""

    SPEECH = "speech"
    LANGUAGE_MODELS = "language_models"
    PHONE_AND_MESSAGES = "phone_and_messages"
    HOSTING = "hosting"
    SEARCH_AND_TRANSLATION = "search_and_translation"
    PICTURES_AND_VIDEO = "pictures_and_video"
    OTHER = "other"


# The account that a person keeps: no provider of the list.
MANUAL = "manual"


class Source(StrEnum):
    """Who says what a provider answers."""

    OFFICIAL = "official"
    """The provider's documentation or API description."""

    CLIENT = "client"
    """The provider's own client library."""

    OTHERS = "others"
    """Other people's code: the documentation of the provider does not confirm it."""


class UnknownProvider(KeyError):
    """An id that this version has no provider of."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A provider in the list: its id, its name, its group, and other names of it.

    `source` is how surely it is known what its answers mean.
    """

    id: str
    name: str
    group: Group
    aliases: tuple[str, ...] = ()
    source: Source = Source.OFFICIAL


_SPEECH = Group.SPEECH
_MODELS = Group.LANGUAGE_MODELS
_PHONE = Group.PHONE_AND_MESSAGES
_HOSTING = Group.HOSTING
_SEARCH = Group.SEARCH_AND_TRANSLATION
_PICTURES = Group.PICTURES_AND_VIDEO
_CLIENT = Source.CLIENT
_OTHERS = Source.OTHERS

CATALOG: Mapping[str, Listing] = {
    listing.id: listing
    for listing in (
        Listing("fortysix_elks", "46elks", _PHONE, ("46 elks",)),
        Listing("aimlapi", "AI/ML API", _MODELS, ("AIMLAPI",)),
        Listing("anthropic", "Anthropic", _MODELS, ("Claude",)),
        Listing("apify", "Apify", _SEARCH),
        Listing("black_forest_labs", "Black Forest Labs", _PICTURES, ("FLUX", "BFL")),
        Listing("brevo", "Brevo", _PHONE, ("Sendinblue",)),
        Listing("bulksms", "BulkSMS", _PHONE),
        Listing("bunny", "bunny.net", _HOSTING, ("BunnyCDN",)),
        Listing("clickatell", "Clickatell", _PHONE, source=_OTHERS),
        Listing("clicksend", "ClickSend", _PHONE),
        Listing("d_id", "D-ID", _PICTURES),
        Listing("deepgram", "Deepgram", _SPEECH),
        Listing("deepinfra", "DeepInfra", _MODELS),
        Listing("deepl", "DeepL", _SEARCH),
        Listing("deepseek", "DeepSeek", _MODELS),
        Listing("digital_ocean", "DigitalOcean", _HOSTING),
        Listing("elevenlabs", "ElevenLabs", _SPEECH),
        Listing("firecrawl", "Firecrawl", _SEARCH),
        Listing("fish_audio", "Fish Audio", _SPEECH),
        Listing("gatewayapi", "GatewayAPI", _PHONE, source=_OTHERS),
        Listing("linode", "Linode (Akamai)", _HOSTING, ("Linode", "Akamai")),
        Listing("lmnt", "LMNT", _SPEECH, source=_CLIENT),
        Listing("luma", "Luma AI", _PICTURES, ("Dream Machine",)),
        Listing("messagebird", "MessageBird", _PHONE, ("Bird",), _CLIENT),
        Listing("moonshot", "Moonshot AI (Kimi)", _MODELS, ("Moonshot", "Kimi")),
        Listing("nanogpt", "NanoGPT", _MODELS, ("Nano-GPT",), _OTHERS),
        Listing("novita", "Novita AI", _MODELS, ("Novita",)),
        Listing("openai", "OpenAI", _MODELS, ("ChatGPT", "GPT")),
        Listing("openrouter", "OpenRouter", _MODELS),
        Listing("plivo", "Plivo", _PHONE),
        Listing("poe", "Poe", _MODELS, ("Quora",)),
        Listing("pushover", "Pushover", _PHONE),
        Listing("recraft", "Recraft", _PICTURES),
        Listing("remove_bg", "remove.bg", _PICTURES),
        Listing("runpod", "RunPod", _HOSTING, source=_CLIENT),
        Listing("runway", "Runway", _PICTURES, ("RunwayML",), _CLIENT),
        Listing("sendgrid", "SendGrid", _PHONE, ("Twilio SendGrid",)),
        Listing("serper", "Serper", _SEARCH, source=_OTHERS),
        Listing("seven", "seven.io", _PHONE, ("sms77",)),
        Listing("siliconflow", "SiliconFlow", _MODELS),
        Listing("sms_to", "sms.to", _PHONE, source=_OTHERS),
        Listing("smsapi", "SMSAPI", _PHONE, source=_CLIENT),
        Listing("smtp2go", "SMTP2GO", _PHONE),
        Listing(
            "stability_ai", "Stability AI", _PICTURES, ("Stable Diffusion",), _OTHERS
        ),
        Listing("tavily", "Tavily", _SEARCH),
        Listing("telnyx", "Telnyx", _PHONE),
        Listing("textmagic", "Textmagic", _PHONE, source=_CLIENT),
        Listing("twilio", "Twilio", _PHONE),
        Listing("upcloud", "UpCloud", _HOSTING, source=_CLIENT),
        Listing("vast_ai", "Vast.ai", _HOSTING, source=_CLIENT),
        Listing("vercel_ai_gateway", "Vercel AI Gateway", _MODELS, ("Vercel",)),
        Listing("vonage", "Vonage", _PHONE, ("Nexmo",)),
        Listing("vultr", "Vultr", _HOSTING),
        Listing("xai", "xAI", _MODELS, ("Grok",)),
        # No provider, but the choice for everything that is not in the list.
        Listing("other", "Other service", Group.OTHER),
    )
}


def find(word: str) -> Listing | None:
    """Return the provider of an id, a name or an alias in any case, None for none."""
    word = word.strip().casefold()
    return next(
        (
            listing
            for listing in CATALOG.values()
            for name in (listing.id, listing.name, *listing.aliases)
            if word == name.casefold()
        ),
        None,
    )


def load(provider_id: str) -> type[Provider]:
    """Return a provider, importing its module; not to be called in the event loop.

    Raises UnknownProvider.
    """
    if provider_id not in CATALOG and provider_id != MANUAL:
        raise UnknownProvider(provider_id)
    module = import_module(f".{provider_id}", __package__)
    return next(
        item
        for item in vars(module).values()
        if isinstance(item, type)
        and issubclass(item, Provider)
        and getattr(item, "id", None) == provider_id
    )


def load_all() -> tuple[type[Provider], ...]:
    """Return every provider, in the order of the catalog."""
    return tuple(map(load, CATALOG))
