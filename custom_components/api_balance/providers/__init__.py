"""Where facts come from: the registry of providers, in the order people see."""

from collections.abc import Mapping

from .anthropic import Anthropic
from .base import Provider
from .clicksend import ClickSend
from .deepgram import Deepgram
from .deepinfra import DeepInfra
from .deepl import DeepL
from .deepseek import DeepSeek
from .digital_ocean import DigitalOcean
from .elevenlabs import ElevenLabs
from .firecrawl import Firecrawl
from .fish_audio import FishAudio
from .fortysix_elks import FortySixElks
from .moonshot import Moonshot
from .novita import Novita
from .openai import OpenAI
from .openrouter import OpenRouter
from .other import OtherService
from .plivo import Plivo
from .pushover import Pushover
from .seven import Seven
from .siliconflow import SiliconFlow
from .tavily import Tavily
from .telnyx import Telnyx
from .twilio import Twilio
from .vercel_ai_gateway import VercelAIGateway
from .vonage import Vonage
from .vultr import Vultr
from .xai import XAI

PROVIDERS: tuple[type[Provider], ...] = (
    FortySixElks,
    Anthropic,
    ClickSend,
    Deepgram,
    DeepInfra,
    DeepL,
    DeepSeek,
    DigitalOcean,
    ElevenLabs,
    Firecrawl,
    FishAudio,
    Moonshot,
    Novita,
    OpenAI,
    OpenRouter,
    Plivo,
    Pushover,
    Seven,
    SiliconFlow,
    Tavily,
    Telnyx,
    Twilio,
    VercelAIGateway,
    Vonage,
    Vultr,
    XAI,
    # Not a provider: what people choose who do not find theirs.
    OtherService,
)

BY_ID: Mapping[str, type[Provider]] = {provider.id: provider for provider in PROVIDERS}
