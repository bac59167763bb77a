"""Random pg_hba.conf files, with everything that may stand in one; and random logins to try with them."""
import random

USERS = ["anna", "bert", "all", "+staff", "sameuser", "/an", "x y", "nobody", "shop"]
DATABASES = ["shop", "anna", "all", "replication", "sameuser", "samerole", "/an", "postgres", "none"]
ROLES = ["staff", "shop"]
PATTERNS = ["/an", "/^a", "/^shop$", '/^(a|"s).*$', "/", "/^.{4}$", "/L{2}", "/[[:alpha:]]+ y"]
PEERS = ["127.0.0.1", "127.0.0.2", "127.1.2.3", "127.1.7.9", "127.200.0.1", "::1", None]
ADDRESSES = ["all", "samehost", "samenet", "127.0.0.0/8", "127.0.0.1/32", "127.1.0.0/16", "127.1.2.3  255.255.255.255", "127.0.0.1 255.0.255.255",
             "0.0.0.0/0", "::/0", "::1/128", "::1/0", "fe80::/10", "::2/127", "::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:127.0.0.0/104", "::ffff:0:0/0", "::ffff:127.0.0.1/80", "::1 ffff::", "127.1.2.3/17"]
HOST_NAMES = ["localhost", "LOCALHOST", ".local", "host", ".example.com", "some.example.com", '"all"', '"samehost"', '"localhost"', "ocalhost"]
METHODS = ["reject", "trust", "password", "md5", "scram-sha-256"]


class Generator:
    """One file with the files it takes in; 'is_16': with what came with PostgreSQL 16."""

    def __init__(self, seed, is_16):
        self.random = random.Random(seed)
        self.is_16 = is_16
        self.files = {}

    def main(self):
        lines = [self.line() for _ in range(self.random.randint(1, 9))]
        return self.ended(lines)

    def ended(self, lines):
        return "".join(line + self.random.choice(["\n", "\n", "\n", "\r\n", " # a comment\n", "\t\n", "\n\n# \"none\"\n"]) for line in lines)

    def line(self):
        chance = self.random.random()
        if self.is_16 and chance < 0.12:
            name, line = f"more_{len(self.files)}.conf", self.line
            self.files[name] = ""
            self.files[name] = self.ended([line() for _ in range(self.random.randint(0, 2))])
            return self.random.choice([f"include {name}", f'include_if_exists "{name}"', "include_if_exists missing"])
        kind = self.random.choice(["local", "host", "host", "host", "hostssl", "hostnossl", "hostnogssenc"])
        fields = [kind, self.names(DATABASES, ["all", "sameuser", "samerole", "samegroup", "replication"]), self.names(USERS, ["all", "+staff", "+shop", "+anna"])]
        if kind != "local":
            fields.append(self.random.choice(HOST_NAMES if self.random.random() < 0.25 else ADDRESSES))
        method = self.random.choice(METHODS)
        if kind == "hostssl" and self.random.random() < 0.15:
            method = self.random.choice(["cert", "scram-sha-256 clientcert=verify-ca", "trust clientcert=verify-full"])
        elif self.random.random() < 0.06:
            method = {"local": "peer"}.get(kind, "ident")
        return self.joined([*fields, method])

    def joined(self, fields):
        """With blanks between, some of them the end of a line that goes on."""
        text = fields[0]
        for field in fields[1:]:
            text += self.random.choice([" ", "\t", "  ", " ", " ", " \\\n ", "\t\\\r\n", "\\\n "]) + field
        return text

    def names(self, names, keywords):
        words = [self.name(names, keywords) for _ in range(self.random.choice([1, 1, 1, 2, 3]))]
        if self.random.random() < 0.15:
            file = f"words_{len(self.files)}"
            self.files[file] = self.ended([self.random.choice([",", " "]).join(words)])
            words = [f"@{file}" if self.random.random() < 0.8 else f'"@{file}"']
            if self.random.random() < 0.4:
                words.append(self.name(names, keywords))
        return self.random.choice([",", ", ", ",,"]).join(words)

    def name(self, names, keywords):
        chance = self.random.random()
        if chance < 0.45:
            word = self.random.choice(keywords)
            return word if self.random.random() < 0.7 else f'"{word}"'
        if chance < 0.6:
            word = self.random.choice(PATTERNS) if self.is_16 else self.random.choice(names)
            return '"' + word.replace('"', '""') + '"'
        word = self.random.choice(names)
        return f'"{word}"' if " " in word or self.random.random() < 0.3 else word


def random_login(chosen):
    """Who, into what, from where, and how."""
    parameters = {"user": chosen.choice(USERS), "database": chosen.choice(DATABASES)}
    if chosen.random() < 0.15:
        parameters["replication"] = chosen.choice(["true", "database"])
    peer = chosen.choice(PEERS)
    return parameters, peer, peer is not None and chosen.random() < 0.3
