"""Start Home Assistant without what a test bench lacks.

Home Assistant sets these up of its own accord. Some need packages that must be compiled
first, and the marketplace and the analytics are for the internet.
"""

import os
import signal
import sys
from threading import Thread

from homeassistant import bootstrap
from homeassistant.__main__ import main

NOT_NEEDED = frozenset(
    {
        "ai_task",
        "analytics",
        "assist_satellite",
        "camera",
        "conversation",
        "image_processing",
        "infrared",
        "marketplace",
        "radio_frequency",
        "stt",
        "tts",
        "wake_word",
    }
)


def follow_parent() -> None:
    """Stop once the process that holds the other end of stdin is gone."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    bootstrap.DEFAULT_INTEGRATIONS -= NOT_NEEDED
    Thread(target=follow_parent, daemon=True).start()
    sys.exit(main())
