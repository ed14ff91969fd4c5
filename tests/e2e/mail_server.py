"""A Postfix of a test's own: private folders, a free port of loopback, STARTTLS, one Maildir.

Nothing of the machine's own Postfix is read or touched; it is not even started. Needs root, because Postfix gives
its processes users of their own.
"""

import email
import email.policy
import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path

from harness import Process, free_port, until

POSTFIX = shutil.which("postfix", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
HOST = "mail.example.org"

MAIN = """
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
maillog_file = {dir}/postfix.log
maillog_file_prefixes = {dir}
alias_maps =
alias_database =
myhostname = {host}
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = example.com
virtual_mailbox_base = {dir}/mail
virtual_mailbox_maps = regexp:{dir}/etc/boxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = {dir}/key.pem, {dir}/certificate.pem
smtpd_peername_lookup = no
"""

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
tlsmgr unix - - n 1000? 1 tlsmgr
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class MailServer:
    """Takes mail for people of example.com whose names begin with p, and nobody else."""

    def __init__(self, run):
        self.dir, self.port = run.dir / "postfix", free_port()
        self.ca = self.dir / "certificate.pem"
        run.dir.chmod(0o755)  # Its processes have users of their own.
        for name in ("etc", "queue", "data", "mail"):
            (self.dir / name).mkdir(parents=True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", self.dir / "key.pem", "-out", self.ca], check=True, capture_output=True)
        nobody, postfix = pwd.getpwnam("nobody"), pwd.getpwnam("postfix")
        os.chown(self.dir / "mail", nobody.pw_uid, nobody.pw_gid)
        os.chown(self.dir / "data", postfix.pw_uid, postfix.pw_gid)
        values = {"dir": self.dir, "host": HOST, "uid": nobody.pw_uid, "gid": nobody.pw_gid, "port": self.port}
        (self.dir / "etc/main.cf").write_text(MAIN.format(**values))
        (self.dir / "etc/master.cf").write_text(MASTER.format(**values))
        (self.dir / "etc/boxes").write_text("/^p[0-9]+@/ box/\n")
        subprocess.run([POSTFIX, "-c", self.dir / "etc", "check"], check=True, capture_output=True)
        daemons = subprocess.run([Path(POSTFIX).with_name("postconf"), "-c", self.dir / "etc", "-h", "daemon_directory"],
                                 check=True, capture_output=True, text=True).stdout.strip()
        # Its master in the foreground, as `postfix start-fg` would: it ends with the test, whatever happens.
        self.process = run.start("postfix", Path(daemons) / "master", "-c", self.dir / "etc", "-s")
        until(self._greets, "the mail server to greet", 30)

    def _greets(self):
        if not self.process.is_alive():
            raise AssertionError(f"postfix ended: {self.log()[-2000:]}")
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as line:
                return line.recv(100).startswith(b"220 ")
        except OSError:
            return False

    def log(self):
        log = self.dir / "postfix.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def mails(self):
        """What was delivered, as bytes and parsed by Python: [(bytes, message)]."""
        found = []
        for file in sorted(Path(self.dir, "mail/box/new").glob("*")):
            raw = file.read_bytes()
            found.append((raw, email.message_from_bytes(raw, policy=email.policy.default)))
        return found
