"""A line to a server that can be cut, slowed down, swallowed and led elsewhere, while programs use it."""

import asyncio
import contextlib
import socket
import struct
import threading

_PIECE = 1 << 16
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: what closes it resets it.


class TcpProxy:
    """Listens on `port`, a free one of 127.0.0.1, and passes on to `target`, a port there. All calls are of the
    test's thread and done when they return."""

    def __init__(self, target):
        self.target, self.delay_s, self._to_lose = target, 0.0, 0
        self._pairs = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.cuts = self.swallowed = self.connections = 0
        self.refusing, self._flows = False, None
        self._call(self._open())

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _open(self):
        self._flows = asyncio.Event()
        self._flows.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader, writer):
        self.connections += 1
        if self.refusing:
            self._reset(writer)
            return
        try:
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            self._reset(writer)
            return
        pair = (writer, other_writer)
        self._pairs.add(pair)
        for one in pair:
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(asyncio.CancelledError):  # By stop(); asyncio would print it.
            await asyncio.gather(self._pump(reader, other_writer, pair, True), self._pump(other_reader, writer, pair, False))
        self._pairs.discard(pair)
        for one in pair:
            one.close()

    async def _pump(self, reader, writer, pair, outward):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while data := await reader.read(_PIECE):
                if not self._flows.is_set():
                    self.swallowed += 1
                    await self._flows.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                writer.write(data)
                await writer.drain()
                if outward and self._to_lose > 0:
                    self._lose(pair)
        with contextlib.suppress(OSError, RuntimeError):
            writer.write_eof()

    def _lose(self, pair):
        """What has been said arrives at the server, its answer does not arrive."""
        self._to_lose -= 1
        self.cuts += 1
        self._reset(pair[0])
        pair[1].close()

    @staticmethod
    def _reset(writer):
        with contextlib.suppress(OSError):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()

    def cut(self):
        """Every connection is reset now; new ones are taken."""
        async def now():
            for pair in list(self._pairs):
                self._reset(pair[0])
                self._reset(pair[1])
        self._call(now())

    def refuse(self, yes=True):
        """With yes nobody gets through, neither old connections nor new ones."""
        self.refusing = yes
        if yes:
            self.cut()

    def swallow(self, yes=True):
        """With yes nothing arrives any more on either side, and nothing is closed: the line is dead and says nothing.
        What was said meanwhile arrives afterwards, as on a line that was only slow."""
        async def now():
            (self._flows.clear if yes else self._flows.set)()
        self._call(now())

    def delay(self, seconds):
        """Each piece, of both sides, arrives so much later."""
        self.delay_s = seconds

    def lose_answers(self, times=1):
        """The next `times` connections that say anything are cut once the server has it."""
        self._to_lose = times

    def lead_to(self, port):
        """Whoever connects from now on reaches another server; who is connected is cut."""
        self.target = port
        self.cut()

    def stop(self):
        async def now():
            self._server.close()
            for pair in list(self._pairs):
                self._reset(pair[0])
                self._reset(pair[1])
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
        self._call(now())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
