"""Run the simulator alone: python -m tests.simulator."""

import argparse
import asyncio
import signal

from .server import Simulator


async def run(port: int, host: str, *, spend: bool) -> None:
    """Serve until asked to end."""
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end.set)
    async with Simulator(port, host) as simulator:
        if spend:
            simulator.start_spending()
        for provider in simulator.providers:
            fields = (f"{key}={value}" for key, value in provider.credentials.items())
            print(
                f"{provider.id:<12} {provider.url:<28} {' '.join(fields)}", flush=True
            )
        print(f"{'control':<12} {simulator.url}", flush=True)
        await end.wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument(
        "--port", type=int, default=0, help="first port; 0 takes free ones (default)"
    )
    parser.add_argument(
        "--spend", action="store_true", help="spend a little every few seconds"
    )
    arguments = parser.parse_args()
    asyncio.run(run(arguments.port, arguments.host, spend=arguments.spend))


if __name__ == "__main__":
    main()
