"""A gateway between the worker and a provider's HTTP/1.1 API: it passes requests on, and answers some of them with
a page of its own, before or after the provider has seen them."""

import http.client
import itertools
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = ("<html>\r\n<head><title>{0}</title></head>\r\n<body><center><h1>{0}</h1></center><hr>"
        "<center>nginx</center></body>\r\n</html>\r\n")


class Server(ThreadingHTTPServer):
    request_queue_size = 1024  # A worker opens all its connections at once; five may wait otherwise.
    daemon_threads = True


class GatewayProxy:
    """Every `every`-th request is answered by the gateway itself, with the statuses in turn. With `after` the
    provider has taken it by then; otherwise it never hears of it."""

    def __init__(self, upstream_port, statuses, every=3, after=True):
        self.upstream_port, self.every, self.after = upstream_port, every, after
        self._statuses, self._numbers = itertools.cycle(statuses), itertools.count(1)
        self._lock = threading.Lock()
        self.replaced = 0  # Answers of the gateway's own.
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.upstream = http.client.HTTPConnection("127.0.0.1", proxy.upstream_port, timeout=30)

            def finish(self):
                self.upstream.close()
                super().finish()

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status = proxy.chosen()
                if status is None or proxy.after:
                    self.upstream.putrequest("POST", self.path, skip_host=True, skip_accept_encoding=True)
                    for name, value in self.headers.items():
                        self.upstream.putheader(name, value)
                    self.upstream.endheaders(body)
                    answer = self.upstream.getresponse()
                    content, headers = answer.read(), answer.getheaders()
                if status is not None:
                    content, headers = PAGE.format(status).encode(), [("Content-Type", "text/html")]
                self.send_response_only(answer.status if status is None else status)
                for name, value in headers:
                    if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def chosen(self):
        """The status of the gateway's own answer to the next request; None where it passes the provider's on."""
        with self._lock:
            if next(self._numbers) % self.every != 0:
                return None
            self.replaced += 1
            return next(self._statuses)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
