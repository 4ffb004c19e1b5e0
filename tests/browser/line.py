"""A line between the browser and JupyterLab that can be cut, as a bad one is."""

import asyncio
from threading import Thread


class Line:
    """Carries connections to a port of this machine. `port` is its own."""

    def __init__(self, to: int) -> None:
        self.to, self.up = to, True
        self.ends: set[asyncio.StreamWriter] = set()
        self.loop = asyncio.new_event_loop()
        Thread(target=self.loop.run_forever, daemon=True).start()
        listening = asyncio.start_server(self._carry, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(listening, self.loop).result()
        self.port = server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Break what is open, and refuse what is new."""
        self.up = False
        self.loop.call_soon_threadsafe(lambda: [end.transport.abort() for end in self.ends])

    def mend(self) -> None:
        self.up = True

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.up:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        except ConnectionRefusedError:  # JupyterLab has ended
            writer.transport.abort()
            return
        self.ends |= {writer, far_writer}
        ways = (_pump(reader, far_writer), _pump(far_reader, writer))
        await asyncio.gather(*ways, return_exceptions=True)
        self.ends -= {writer, far_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
