"""A server of the test's own that does with each connection what the test says, and a certificate for it that has expired."""

import contextlib
import socket
import ssl
import subprocess
import threading


class Listener:
    """Hands each connection to `serve(connection)`, in a thread of its own."""

    def __init__(self, serve, context=None):
        self.server = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port, self.serve, self.context = self.server.getsockname()[1], serve, context
        self.taken = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.server.accept()
                self.taken += 1
                threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection):
        with contextlib.suppress(OSError):
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection:
                self.serve(connection)

    def stop(self):
        with contextlib.suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()


def expired_certificate(folder, name):
    """Good until 2001, for the right name. What a server needs to show it, and who signed it, to be trusted."""
    files = folder / "expired"
    files.mkdir()
    (files / "index").write_text("")
    (files / "serial").write_text("01\n")
    (files / "ca.cnf").write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nnew_certs_dir=.\n"
                                  "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n[e]\n"
                                  f"subjectAltName=DNS:{name}\n")
    for command in (
            "req -x509 -newkey rsa:2048 -nodes -subj /CN=authority -keyout ca.key -out ca.pem -days 30",
            f"req -new -newkey rsa:2048 -nodes -subj /CN={name} -keyout key.pem -out request.pem",
            "ca -batch -config ca.cnf -extensions e -cert ca.pem -keyfile ca.key -in request.pem -out cert.pem "
            "-startdate 20000101000000Z -enddate 20010101000000Z"):
        subprocess.run(["openssl", *command.split()], cwd=files, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files / "cert.pem", files / "key.pem")
    context.set_alpn_protocols(["h2"])
    return context, (files / "ca.pem").read_text()
