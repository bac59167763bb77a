"""Several hundred statements through an endpoint that would rather read on replicas: what is no read never gets there, and what it
does is done once. The servers' own logs tell where each statement ran; the same statements straight tell what they should do."""
import re
from collections import Counter, defaultdict

import pytest
import wire_messages as wire
from endpoint import Served
from replicas import wait_for_replicas
from statements_for_routes import SETUP, in_transaction, statements
from tandem import wait_for
from wire_client import WireClient, errors, values

NODES = ("node1", "node2", "node3")
LOGGED = "-c log_statement=all -c log_min_duration_statement=0"
# What a statement is shall say where it runs, and not how far the replicas are.
THROUGH = f"-c pgtandem.route=replica -c pgtandem.consistency=eventual {LOGGED}"
# Of the harmless reads, at most so many may run on the primary for no need.
NEEDLESS_MAX = 0.02

# What the statements leave behind.
STATE = (
    "SELECT note, count(*)::int FROM marks GROUP BY note ORDER BY note",
    "SELECT last_value::int, is_called FROM numbers",
    "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace AND NOT relispartition ORDER BY relname",
    "SELECT id, price FROM items ORDER BY id",
    "SELECT count(*)::int FROM pg_largeobject_metadata",
    "SELECT id, a FROM keyed ORDER BY id",
    "SELECT a FROM logged ORDER BY a",
    "SELECT n, count(*)::int FROM stored GROUP BY n",
)


@pytest.fixture(scope="module")
def served():
    with Served(replicas=2, read_only_functions="trusted") as made:
        made.straight.sql("CREATE DATABASE routes_setup")
        made.straight.at(dbname="routes_setup").sql(at_primary(made, SETUP))
        yield made


def at_primary(served, text):
    return text.replace("{host}", "127.0.0.1").replace("{port}", str(served.straight.port))


class Logs:
    """What the servers have logged of statements with a mark since this was made. A backend has logged a statement before it answers."""

    def __init__(self, served):
        self.files = {node: served.tandem.folder / "nodes" / node / "log" for node in NODES}
        self.from_here = {path: path.stat().st_size for folder in self.files.values() for path in folder.glob("*.log")}
        self.served = served

    def read(self):
        """{mark: {node: how often each kind of line}}"""
        found = defaultdict(lambda: defaultdict(Counter))
        for node, folder in self.files.items():
            self.wait_until_written(node)
            for path in folder.glob("*.log"):
                text = path.read_bytes()[self.from_here.get(path, 0):].decode()
                for kind, mark in re.findall(r"(statement|parse|bind|execute|STATEMENT)[^:\n]*: +/\* mark (\d+) \*/", text):
                    found[int(mark)][node][kind] += 1
        return found

    def wait_until_written(self, node):
        """The logs are written by a process of their own, in the order in which it is told."""
        last = f"last_{id(self)}"
        self.served.tandem.sql(f"/* {last} */ SELECT 1", node, options=LOGGED)
        wait_for(lambda: any(last in path.read_text() for path in self.files[node].glob("*.log")), f"the log of {node}")


def ask(client, protocol, text, number):
    if protocol == "simple":
        client.send(wire.query(text))
    else:
        name = f"p{number}" if protocol == "prepared" else ""
        if name:
            client.send(wire.parse(text, name), wire.sync())
            if errors(refusal := client.until("Z")):
                return refusal
        parse = b"" if name else wire.parse(text)
        client.send(parse, wire.bind([], name), wire.describe("P"), wire.execute(), wire.sync())
    answer = client.until("Z", "G")
    if answer[-1].kind == "G":
        # After a COPY's data comes the Sync that counts.
        client.send(wire.copy_data(b"copied\n"), wire.copy_done(), *([] if protocol == "simple" else [wire.sync()]))
        answer += client.until("Z")
    return answer


def outcome(answer):
    """What the client learns, save what a server says of itself."""
    return errors(answer), [(found.kind, found.body) for found in answer if found.kind in "TDdHGCI"]


def run(client, protocol, tagged, renew, before_reads):
    """The outcome of each, in a session that nothing ties to a backend."""
    outcomes, last = [], "write"
    for number, (tag, text) in enumerate(tagged):
        client = renew(client, last)
        if tag == "read" and last == "write":
            before_reads()
        outcomes.append(outcome(ask(client, protocol, f"/* mark {number} */ {text}", number)))
        last = tag
    client.close()
    return outcomes


def clean(client, last):
    if last == "write":
        assert errors(client.query("DISCARD ALL")) == []
    return client


def another(client, last):
    if last == "read" and ["But: the session is pinned: unproven"] not in values(client.query("EXPLAIN (PGTANDEM) SELECT 1")):
        return client
    client.close()
    return WireClient(client.place).log_in(options=THROUGH)


class Tried:
    """All the statements straight and through the endpoint, each in a database of its own, and what the logs say of the latter."""

    def __init__(self, served, protocol):
        self.tagged = [(tag, at_primary(served, text)) for tag, text in statements()]
        self.asked = f"tried_{protocol}"
        self.kept = f"straight_{protocol}"
        served.straight.sql(f"CREATE DATABASE {self.asked} TEMPLATE routes_setup")
        self.wanted = run(WireClient(served.straight.at(dbname=self.asked)).log_in(), protocol, self.tagged, clean, lambda: None)
        # The second one is to have the same name, for it is told.
        served.straight.sql(f"ALTER DATABASE {self.asked} RENAME TO {self.kept}")
        served.straight.sql(f"CREATE DATABASE {self.asked} TEMPLATE routes_setup")
        wait_for_replicas(served)
        client = WireClient(served.endpoint.at(dbname=self.asked)).log_in()
        wait_for(lambda: values(client.query("EXPLAIN (PGTANDEM) SELECT pure(1)"))[0] != ["Route: primary"], "the catalog to be read")
        logs = Logs(served)
        self.found = run(client, protocol, self.tagged, another, lambda: wait_for_replicas(served))
        self.logged = logs.read()

    def numbers(self, tag):
        return [number for number, (found, _) in enumerate(self.tagged) if found == tag]

    def texts(self, numbers):
        return [self.tagged[number][1] for number in numbers]

    def ran_on(self, number):
        """Where it was carried out, whatever else was made ready for it."""
        return {node for node, kinds in self.logged[number].items() if set(kinds) - {"parse", "bind"}}

    def strayed(self):
        return self.texts(number for number in self.numbers("write") if set(self.logged[number]) != {"node1"})

    def done_again(self):
        counted = {number: self.logged[number]["node1"] for number in self.numbers("write")}
        return self.texts(number for number, kinds in counted.items() if max(kinds["statement"], kinds["execute"]) > 1)

    def told_otherwise(self):
        """Of reads all that a client learns counts; of the others, some say which backend or position it was: whether they failed."""
        pairs = zip(self.tagged, self.wanted, self.found)
        return [(text, wanted, found) for (tag, text), wanted, found in pairs if (wanted != found if tag == "read" else wanted[0] != found[0])]

    def reads(self):
        """Without those that this protocol refuses: several statements in one."""
        return [number for number in self.numbers("read") if self.wanted[number][0] == []]

    def needless(self):
        return self.texts(number for number in self.reads() if "node1" in self.ran_on(number))

    def asked_twice(self):
        return self.texts(number for number in self.reads() if len(self.ran_on(number)) != 1)


@pytest.mark.parametrize("protocol", ["simple", "extended", "prepared"])
def test_what_is_no_read_never_gets_to_a_replica_and_is_done_once(served, protocol):
    tried = Tried(served, protocol)
    assert tried.strayed() == []
    assert tried.done_again() == []
    assert tried.told_otherwise() == []
    for query in STATE:
        assert served.straight.at(dbname=tried.asked).sql(query) == served.straight.at(dbname=tried.kept).sql(query), query
    needless, reads = tried.needless(), tried.reads()
    print(f"{len(needless)} of {len(reads)} harmless reads ran on the primary:", *needless, sep="\n")
    assert len(needless) <= NEEDLESS_MAX * len(reads)
    assert tried.asked_twice() == []


@pytest.mark.parametrize("begin", ["BEGIN", "BEGIN READ ONLY"])
def test_what_needs_a_block_stays_on_the_primary(served, begin):
    logs = Logs(served)
    texts = [text for _, text in in_transaction()]
    for number, text in enumerate(texts):
        with WireClient(served.endpoint.at(dbname="routes_setup")).log_in(options=THROUGH) as client:
            for step in (begin, "SELECT 1", f"/* mark {number} */ {text}"):
                client.query(step)
    logged = logs.read()
    assert {text: set(logged[number]) for number, text in enumerate(texts)} == dict.fromkeys(texts, {"node1"})


def test_what_the_user_knows_better_than_the_catalog_counts(served):
    """A hint and a setting; both were in vain for whatever the catalog calls VOLATILE, for that ties a session to its backend."""
    place = served.endpoint.at(dbname="routes_setup")
    for name in ("trusted", "hinted"):
        body = "VOLATILE LANGUAGE plpgsql AS 'BEGIN RETURN pg_is_in_recovery(); END'"
        served.straight.at(dbname=place.dbname).sql(f"CREATE FUNCTION {name}() RETURNS boolean {body}")
    wait_for_replicas(served)

    def answer(text):
        with WireClient(place).log_in(options=THROUGH) as client:
            return values(client.query(text))

    wait_for(lambda: ["Reason: volatile_function"] in answer("EXPLAIN (PGTANDEM) SELECT hinted()"), "the catalog to be read")
    assert answer("SELECT hinted()") == [["f"]]
    assert answer("SELECT hinted() /* pgtandem: replica */") == [["t"]]
    assert ["Reason: hint_replica"] in answer("EXPLAIN (PGTANDEM) SELECT hinted() /* pgtandem: replica */")
    assert answer("SELECT trusted()") == [["t"]]
