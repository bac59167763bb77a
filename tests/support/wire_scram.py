"""SCRAM-SHA-256 as a client does it (RFC 5802, RFC 7677), each step by hand so that a test can stop or lie at any of them."""
import base64
import functools
import hashlib
import hmac
import os


def keyed(key, value):
    return hmac.digest(key, value, "sha256")


@functools.cache
def salted(password, salt, iterations):
    """Slow on purpose, so once for all clients of a role."""
    return hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), iterations)


class Scram:
    def __init__(self, password):
        self.password = password
        self.nonce = base64.b64encode(os.urandom(18)).decode()
        self.first_bare = f"n=,r={self.nonce}"

    def first(self):
        return ("n,," + self.first_bare).encode()

    def final(self, server_first):
        """The client's last message, for the server's first."""
        said = dict(part.split("=", 1) for part in server_first.decode().split(","))
        assert said["r"].startswith(self.nonce) and len(said["r"]) > len(self.nonce)
        key = salted(self.password, said["s"], int(said["i"]))
        client_key = keyed(key, b"Client Key")
        without_proof = f"c=biws,r={said['r']}"
        everything = ",".join((self.first_bare, server_first.decode(), without_proof)).encode()
        signature = keyed(hashlib.sha256(client_key).digest(), everything)
        proof = bytes(left ^ right for left, right in zip(client_key, signature))
        self.server_signature = keyed(keyed(key, b"Server Key"), everything)
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def check(self, server_final):
        said = dict(part.split("=", 1) for part in server_final.decode().split(","))
        assert base64.b64decode(said["v"]) == self.server_signature, "the server does not know the password"
