"""A restart without a gap: another process takes the listening sockets over, the former one serves its clients to the end."""
import os
import signal
import threading

import psycopg
import pytest
import wire_messages as wire
from endpoint import Served
from proxy import Proxy
from tandem import wait_for
from wire_client import WireClient, errors, state


class Stream:
    """Connects, asks and leaves, again and again, while it is open; keeps what went wrong."""

    def __init__(self, place, count=2):
        self.place = place
        self.faults = []
        self.answers = 0
        self.ends = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(count)]

    def run(self):
        while not self.ends.is_set():
            try:
                assert self.place.value("SELECT 1") == 1
                self.answers += 1
            except psycopg.Error as fault:
                self.faults.append(str(fault))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.wait_for_more()
        return self

    def wait_for_more(self, count=20):
        wanted = self.answers + count
        wait_for(lambda: self.answers >= wanted, "answers to new clients")

    def __exit__(self, *_):
        self.ends.set()
        for thread in self.threads:
            thread.join()


@pytest.fixture(scope="module")
def served():
    with Served() as made:
        yield made


@pytest.mark.parametrize("settings", [{"threads": 1}, {"threads": 2, "io": "epoll"}], ids=["one thread", "two threads"])
def test_new_clients_see_no_gap_and_old_ones_end_what_they_began(served, settings):
    with Proxy(served, **settings) as proxy, Stream(proxy.place) as stream, proxy.place.connect() as session:
        session.execute("CREATE TEMP TABLE kept (n int)")
        with session.transaction():
            session.execute("INSERT INTO kept VALUES (1)")
            former = proxy.process
            proxy.start("--takeover")
            stream.wait_for_more()
            session.execute("INSERT INTO kept VALUES (2)")
        assert session.execute("SELECT count(*) FROM kept").fetchone() == (2,)
        assert former.poll() is None
        session.close()
        assert former.wait(20) == 0
        stream.wait_for_more()
        assert stream.faults == []


def test_several_times_and_by_a_file_with_other_settings(served):
    with Proxy(served) as proxy, Stream(proxy.place) as stream:
        for size in (3, 5):
            former = proxy.process
            proxy.write(**{**proxy.settings, "pool_size": size, "reads_port": proxy.port + 1 if size == 5 else 0})
            proxy.start("--takeover")
            assert former.wait(20) == 0
            stream.wait_for_more()
        shown = proxy.place.at(dbname="pgtandem").sql("SHOW CONFIG", prepare_threshold=None)
        assert [row[1] for row in shown if row[0] == "pool_size"] == ["5"]
        assert stream.faults == []


def test_a_cancel_request_finds_its_query_wherever_it_runs(served):
    with Proxy(served) as proxy, WireClient(proxy.place).log_in() as first:
        first.send(wire.query("SELECT pg_sleep(600)"))
        wait_for(lambda: any("pg_sleep(600)" in backend[3] for backend in served.busy_backends()), "the query to run")
        for _ in range(2):
            proxy.start("--takeover")
        first.cancel()
        assert errors(first.until("Z")) == ["57014"]


@pytest.mark.parametrize("takeovers", [1, 2])
def test_a_cancel_is_over_only_when_the_former_process_has_carried_it_to_the_server(served, takeovers):
    """The close of the cancel's own connection, which the new process has, tells the client that its next query is safe."""
    with Proxy(served) as proxy, WireClient(proxy.place).log_in() as client:
        client.send(wire.query("SELECT pg_sleep(600)"))
        wait_for(lambda: any("pg_sleep(600)" in backend[3] for backend in served.busy_backends()), "the query to run")
        former = proxy.process
        for _ in range(takeovers):
            proxy.start("--takeover")
        former.send_signal(signal.SIGSTOP)
        canceller = threading.Thread(target=client.cancel)
        canceller.start()
        canceller.join(0.5)
        assert canceller.is_alive()
        former.send_signal(signal.SIGCONT)
        canceller.join(20)
        assert not canceller.is_alive()
        assert errors(client.until("Z")) == ["57014"]


def test_cancels_around_a_takeover_hit_no_other_query(served):
    with Proxy(served) as proxy:
        former, hits, ends = proxy.process, [], threading.Event()

        def ask():
            with WireClient(proxy.place).log_in() as client:
                while not ends.is_set():
                    client.send(wire.query("SELECT pg_sleep(0.001)"))
                    client.cancel()
                    client.until("Z")
                    hits.append(errors(client.query("SELECT 1")))
        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(hits) > 100, "cancels before the takeover")
        proxy.start("--takeover")
        count = len(hits)
        wait_for(lambda: len(hits) > count + 200, "cancels after the takeover")
        ends.set()
        for thread in threads:
            thread.join()
        assert [hit for hit in hits if hit] == []
        assert former.wait(20) == 0


def test_a_cancel_for_a_former_process_that_is_killed_is_over(served):
    with Proxy(served) as proxy, WireClient(proxy.place).log_in() as client:
        client.send(wire.query("SELECT pg_sleep(600)"))
        former = proxy.process
        proxy.start("--takeover")
        former.send_signal(signal.SIGSTOP)
        canceller = threading.Thread(target=client.cancel)
        canceller.start()
        former.kill()
        former.wait(20)
        canceller.join(20)
        assert not canceller.is_alive()
        assert proxy.place.value("SELECT 1") == 1


def test_clients_that_stay_too_long_are_ended_between_transactions(served):
    with Proxy(served, drain_timeout_ms=300) as proxy, WireClient(proxy.place).log_in() as idle, WireClient(proxy.place).log_in() as busy:
        busy.query("BEGIN")
        busy.query("SELECT 1")
        former = proxy.process
        proxy.start("--takeover")
        assert errors(idle.until_closed()) == ["57P01"]
        assert state(busy.query("COMMIT")) == "I"
        assert errors(busy.until_closed()) == ["57P01"]
        assert former.wait(20) == 0


def test_a_signal_ends_one_that_drains(served):
    with Proxy(served) as proxy, WireClient(proxy.place).log_in() as idle:
        former = proxy.process
        proxy.start("--takeover")
        former.terminate()
        assert errors(idle.until_closed()) == ["57P01"]
        assert former.wait(20) == 0
        assert proxy.place.value("SELECT 1") == 1


def test_where_nobody_serves_it_starts_as_ever(served):
    with Proxy(served) as proxy:
        proxy.process.terminate()
        proxy.process.wait(20)
        proxy.start("--takeover")
        assert "nothing to take over" in proxy.log.read_text()
        assert proxy.place.value("SELECT 1") == 1


def test_one_that_fails_to_start_leaves_the_other_serving(served):
    with Proxy(served) as proxy, Stream(proxy.place) as stream:
        former = proxy.process
        proxy.write(**{**proxy.settings, "reads_port": served.straight.port})
        proxy.start("--takeover")
        assert proxy.process.wait(20) == 1
        assert "opening the endpoint" in proxy.log.read_text()
        stream.wait_for_more()
        proxy.write(**proxy.settings)
        proxy.start("--takeover")
        assert former.wait(20) == 0
        stream.wait_for_more()
        assert stream.faults == []


def test_one_that_hangs_is_not_waited_for_without_end(served):
    with Proxy(served) as proxy:
        former = proxy.process
        former.send_signal(signal.SIGSTOP)
        proxy.start("--takeover")
        assert proxy.process.wait(40) == 1
        assert "does not answer" in proxy.log.read_text()
        former.send_signal(signal.SIGCONT)
        assert proxy.place.value("SELECT 1") == 1


# --- of a cluster


def server_processes(tandem):
    return {name: (tandem.folder / f"nodes/{name}/data/postmaster.pid").read_text().split()[0] for name in ("node1", "node2")}


def test_up_takes_the_cluster_over_without_a_restart_of_a_server():
    with Served(replicas=1) as served, Stream(served.endpoint) as stream, served.endpoint.connect() as session:
        servers, former = server_processes(served.tandem), served.tandem.up_process()
        with session.transaction():
            session.execute("CREATE TABLE kept AS SELECT 1 AS n")
            served.tandem.up(*served.settings_words(), "--takeover")
            stream.wait_for_more()
        present = served.tandem.up_process()
        assert present != former and server_processes(served.tandem) == servers
        assert session.execute("SELECT n FROM kept").fetchone() == (1,)
        session.close()
        wait_for(lambda: not os.path.exists(f"/proc/{former}"), "the former process to end")
        assert stream.faults == [] and served.tandem.failed_checks() == {}
        os.kill(int(server_processes(served.tandem)["node2"]), signal.SIGKILL)
        wait_for(lambda: served.tandem.node("node2")["state"] == "streaming", "the replica to be started again")


def test_up_that_cannot_take_over_leaves_the_cluster_attended():
    with Served(replicas=1) as served, Stream(served.endpoint) as stream:
        servers, former = server_processes(served.tandem), served.tandem.up_process()
        refusal = served.tandem.refused("up", "--detach", *served.tandem.up_words("--takeover", "--set", "work_mem=nonsense"), status=2)
        assert "work_mem" in refusal
        wait_for(lambda: served.tandem.up_process() == former, "the former process to have the cluster again")
        assert server_processes(served.tandem) == servers
        os.kill(int(servers["node2"]), signal.SIGKILL)
        wait_for(lambda: served.tandem.node("node2")["state"] == "streaming", "the replica to be started again")
        stream.wait_for_more()
        assert stream.faults == []


def test_up_that_was_to_take_over_and_found_nobody_stops_its_servers_when_it_fails():
    with Served(replicas=1) as served:
        served.tandem.ok("down")
        (served.tandem.folder / "nodes/node3").write_text("not a folder")
        refusal = served.tandem.refused("up", "--detach", *served.tandem.up_words(*served.settings_words(), "--replicas", 2, "--takeover"))
        assert "node3" in refusal
        assert "node3" in refusal
        assert {node["state"] for node in served.tandem.status()["nodes"]} == {"stopped"}
        served.tandem.up(*served.settings_words(), "--takeover")
        assert served.endpoint.value("SELECT 1") == 1
