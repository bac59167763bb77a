"""`pgtandem proxy` before a cluster's server, as before one that pgtandem does not manage; and certificates for TLS."""
import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
from pathlib import Path

import wire_messages as wire
from tandem import BINARY, environment, server_user, wait_for
from wire_client import WireClient


class Proxy:
    """Runs while it is open. 'settings' are its file's, by name; the file may be written anew for a reload. It may have so many files.
    'variables' are its environment's."""

    def __init__(self, served, open_files=None, binary=BINARY, variables=None, **settings):
        self.served = served
        self.binary = binary
        self.variables = variables or {}
        self.limit = ["prlimit", f"--nofile={open_files}:{open_files}"] if open_files else []
        self.folder = Path(tempfile.mkdtemp(dir=served.tandem.parent))
        self.port = settings.get("port", served.tandem.port + 6)
        self.settings = {"port": self.port, "reads_port": 0, "servers": [f"127.0.0.1:{served.straight.port}"],
                         "auth_user": served.straight.user, "auth_password_file": str(self.folder / "password"), **settings}

    def __enter__(self):
        (self.folder / "password").write_text(self.served.straight.password)
        self.write(**self.settings)
        self.processes = []
        self.start()
        return self

    def start(self, *words):
        """One more process with the same file; it is the present one from now on."""
        self.log = self.folder / f"log-{len(self.processes)}"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([*self.limit, self.binary, "proxy", "--config", str(self.folder / "proxy.toml"), *words], stdout=log,
                                            stderr=subprocess.STDOUT, cwd="/", env=environment(HOME=str(self.folder), **self.variables), **server_user())
        self.processes.append(self.process)
        wait_for(lambda: "open on" in self.log.read_text() or self.process.poll() is not None, "the proxy to open")

    def __exit__(self, *_):
        for process in self.processes:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            process.wait(20)

    def write(self, **settings):
        file = self.folder / "proxy.toml"
        file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
        give_to_server_user(self.folder)

    @property
    def place(self):
        return self.served.straight.at(port=self.port)


def give_to_server_user(folder):
    wanted = server_user()
    for path in [folder, *folder.iterdir()]:
        if wanted:
            os.chown(path, wanted["user"], wanted["group"])


class Certificate:
    """A self-signed one for this machine, which is its own authority; or one signed by another."""

    def __init__(self, folder, name, signed_by=None, subject="/CN=localhost"):
        self.file, self.key = folder / f"{name}.crt", folder / f"{name}.key"
        signed = ["-CA", signed_by.file, "-CAkey", signed_by.key] if signed_by else []
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", subject, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.key, "-out", self.file, *signed],
                       check=True, capture_output=True)
        self.key.chmod(0o600)
        give_to_server_user(folder)

    def take(self, other):
        """Becomes another one, under its own names."""
        shutil.copyfile(other.file, self.file)
        shutil.copyfile(other.key, self.key)


def client_context(certificate, alpn=()):
    context = ssl.create_default_context(cafile=certificate.file)
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def wire_client_with_tls(place, context, is_direct=False):
    client = WireClient(place)
    if not is_direct:
        client.send(wire.untyped(wire.SSL_REQUEST))
        assert client.read(1) == b"S"
    client.socket = context.wrap_socket(client.socket, server_hostname=place.host)
    return client
