"""A stock proxy, HAProxy, in a process of its own, that stands where a Network Load Balancer would: it sends what it
takes on with a Proxy Protocol v2 header before it. And the target behind it, which keeps what it is sent."""

import base64
import socket
import subprocess
import threading
import time
from pathlib import Path

CONFIGURATION = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 10s
    timeout server 10s
listen through
    bind 127.0.0.1:{port}
    bind [::1]:{port}
    unique-id-format %{{+X}}o%ci%cp
    server target 127.0.0.1:{target} send-proxy-v2 {more}
"""


class Target:
    """Listens, and keeps the first bytes of each connection."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._received, self._new = [], threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    def received(self, ends_with=b""):
        """What the next connection began with that ends so."""
        with self._new:
            wanted = lambda: next((one for one in self._received if one.endswith(ends_with)), None)
            assert self._new.wait_for(lambda: wanted() is not None, timeout=10), self._received
            found = wanted()
            self._received.remove(found)
            return found

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._keep, args=(connection,), daemon=True).start()

    def _keep(self, connection):
        with connection:
            connection.settimeout(10)
            received = b""
            # Whoever connects says its word and ends.
            try:
                while part := connection.recv(4096):
                    received += part
            except OSError:
                pass
            with self._new:
                self._received.append(received)
                self._new.notify_all()


class Proxy:
    """The process. Each connection gets these fields into its header: types to bytes; `options` stand in the
    configuration as they are."""

    def __init__(self, program, folder, target, fields=(), options=""):
        texts = ((kind, base64.b64encode(value).decode()) for kind, value in dict(fields).items())
        more = " ".join([options, *(f"set-proxy-v2-tlv-fmt({kind:#04x}) %[str({text}),b64dec]" for kind, text in texts)])
        self.port = _free_port()
        configuration = Path(folder) / f"haproxy-{self.port}.cfg"
        configuration.write_text(CONFIGURATION.format(port=self.port, target=target.port, more=more))
        self._log = configuration.with_suffix(".log")
        with self._log.open("w") as log:
            self._process = subprocess.Popen([program, "-db", "-f", configuration], stdout=log, stderr=log)
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    def send(self, host, word):
        """Connects to an address of the proxy, says a word, and ends. Returns where it came from."""
        with socket.create_connection((host, self.port), timeout=10) as connection:
            connection.sendall(word)
            connection.shutdown(socket.SHUT_WR)
            source = connection.getsockname()[:2]
            while connection.recv(4096):
                pass
        return source

    def close(self):
        self._process.kill()
        self._process.wait()

    def _wait(self):
        deadline = time.monotonic() + 10
        while True:
            try:
                return self.send("127.0.0.1", b"")
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the proxy did not start:\n{self._log.read_text()}") from None
                time.sleep(0.02)


def _free_port():
    """A port that is free for both families."""
    while True:
        with socket.socket() as v4, socket.socket(socket.AF_INET6) as v6:
            v4.bind(("127.0.0.1", 0))
            try:
                v6.bind(("::1", v4.getsockname()[1]))
            except OSError:
                continue
            return v4.getsockname()[1]
