"""A line with a delay and a width, for TCP: this machine's kernel has no netem."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

BLOCK = 64 << 10
IN_FLIGHT = 256
"""Blocks on their way at most, in each direction of a connection."""


@dataclass(frozen=True)
class Line:
    """`round_trip` in seconds; `width` in bits per second, for each direction by itself."""

    name: str
    round_trip: float
    width: float


LOOPBACK = Line("loopback", 0.0, 0.0)
WAN = Line("20 ms, 100 Mbit/s", 0.020, 100e6)


class Direction:
    """One direction of the line, which all connections share."""

    def __init__(self, line: Line) -> None:
        self.line, self.free_at = line, 0.0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes, each block when the line would have it at the other end."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(IN_FLIGHT)
        delivery = asyncio.create_task(self._deliver(under_way, writer))
        try:
            while block := await reader.read(BLOCK):
                await under_way.put((self._arrival(len(block)), block))
        except ConnectionError:
            delivery.cancel()
        else:
            await under_way.put((0.0, b""))
            await delivery
        writer.close()

    def _arrival(self, size: int) -> float:
        now = asyncio.get_running_loop().time()
        self.free_at = max(now, self.free_at) + size * 8 / self.line.width
        return self.free_at + self.line.round_trip / 2

    async def _deliver(
        self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        while True:
            at, block = await under_way.get()
            if not block:
                return
            await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
            writer.write(block)
            await writer.drain()


@contextmanager
def relay(line: Line, listen: tuple[str, int], to: tuple[str, int]) -> Iterator[None]:
    """While it is open, connections to `listen` lead through the line to `to`."""
    loop = asyncio.new_event_loop()
    forth, back = Direction(line), Direction(line)

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*to)
        await asyncio.gather(
            forth.carry(reader, far_writer), back.carry(far_reader, writer), return_exceptions=True
        )

    server = loop.run_until_complete(asyncio.start_server(connect, *listen))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    connections = asyncio.all_tasks() - {asyncio.current_task()}
    for one in connections:
        one.cancel()
    await asyncio.gather(*connections, return_exceptions=True)
