"""Calls to the kernel that fail one after the other, each in the ways the manual names: the endpoint does not end, does not turn in vain,
and serves who comes then."""
import contextlib
import errno
import os
import time
from pathlib import Path

import pytest
import wire_messages as wire
from endpoint import Served
from failing_calls import FailingCalls
from proxy import Proxy
from wire_client import Closed, WireClient

CALLS = {
    "accept4": ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ECONNABORTED", "EPERM", "EAGAIN", "EINTR"],
    "socket": ["EMFILE", "ENFILE", "ENOMEM", "EACCES"],
    "connect": ["EAGAIN", "ECONNREFUSED", "ENOMEM", "EADDRNOTAVAIL", "EINTR"],
    "recv": ["ECONNRESET", "ENOMEM", "ETIMEDOUT", "EAGAIN", "EINTR"],
    "send": ["EPIPE", "ECONNRESET", "ENOMEM", "ENOBUFS", "EAGAIN", "EINTR"],
    "read": ["EIO", "EAGAIN", "EINTR"],
    "write": ["EIO", "ENOSPC", "EAGAIN", "EINTR"],
    "poll": ["ENOMEM", "EINTR"],
    "epoll_ctl": ["ENOMEM", "ENOSPC"],
    "epoll_wait": ["EINTR"],
    "setsockopt": ["ENOBUFS"],
    "getsockopt": ["ENOBUFS"],
}
RING_CALLS = {
    "io_uring_submit_and_wait_timeout": ["EAGAIN", "EBUSY", "EINTR", "ENOMEM"],
}
ALL = [("epoll", call, error) for call, errors in CALLS.items() for error in errors]
ALL += [("io_uring", call, error) for call, errors in {**RING_CALLS, "socket": ["EMFILE"], "connect": ["ECONNREFUSED"]}.items() for error in errors]
PATIENCE = 20


@pytest.fixture(scope="module")
def served():
    with Served() as made:
        yield made


@pytest.fixture(scope="module")
def calls(served):
    return FailingCalls(served.tandem.parent)


@pytest.fixture(scope="module")
def proxy(served, calls, request):
    with Proxy(served, io=request.param, threads=1, variables=calls.variables, login_timeout_ms=2000) as made:
        if "making an event loop: io_uring" in made.log.read_text():
            pytest.skip("there is no io_uring here, or no memory for it")
        yield made


def processor_seconds(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def conversation(place):
    """What a client does, on a backend of its own; any of it may fail."""
    with contextlib.suppress(Closed, OSError, AssertionError), WireClient(place) as client:
        client.log_in(geqo_seed=str(time.monotonic() % 1))
        client.query("SELECT repeat('x', 300000)")
        client.send(wire.parse("SELECT $1::int", types=(23,)), wire.bind([b"1"]), wire.execute(), wire.sync())
        client.until("Z")
        client.cancel()


def is_served(place):
    with contextlib.suppress(Closed, OSError, AssertionError), WireClient(place) as client:
        return client.log_in().value("SELECT 1") == "1"
    return False


@pytest.mark.parametrize("proxy, call, error", ALL, indirect=["proxy"], scope="module")
@pytest.mark.parametrize("times", [1, 4])
def test_calls_that_fail_end_no_more_than_what_needs_them(proxy, calls, monkeypatch, call, error, times):
    monkeypatch.setattr("wire_client.PATIENCE", 5)
    with WireClient(proxy.place).log_in() as before:
        assert before.value("SELECT 1") == "1"
        calls.begin(call, error, times)
        try:
            conversation(proxy.place)
            conversation(proxy.place.at(user="nobody"))
        finally:
            hits = calls.end()
        assert hits > 0, "nothing has failed"
        assert proxy.process.poll() is None, proxy.log.read_text()
        deadline = time.monotonic() + PATIENCE
        while not is_served(proxy.place):
            assert time.monotonic() < deadline, f"nobody is served any more after {hits} failed calls"
        # The one that was there may have been hit, but then it is told so.
        with contextlib.suppress(Closed):
            assert before.value("SELECT 1") == "1"
    began, used = time.monotonic(), processor_seconds(proxy.process)
    time.sleep(0.1)
    assert processor_seconds(proxy.process) - used < 0.7 * (time.monotonic() - began) + 0.02, "it turns in vain"


@pytest.mark.parametrize("call", ["io_uring_queue_init_params"])
@pytest.mark.parametrize("error", ["ENOMEM", "EPERM", "ENOSYS", "EINVAL"])
def test_without_io_uring_there_is_epoll(served, calls, call, error):
    calls.begin(call, error, 100)
    try:
        with Proxy(served, threads=1, variables=calls.variables, port=served.tandem.port + 7) as proxy:
            assert is_served(proxy.place)
    finally:
        hits = calls.end()
    assert hits > 0


@pytest.mark.parametrize("call, error", [("eventfd", "EMFILE"), ("epoll_create1", "EMFILE"), ("socket", "EMFILE"), ("open", "EMFILE"), ("open", "ENOMEM")])
def test_a_start_that_cannot_be_says_why(served, calls, call, error):
    proxy = Proxy(served, threads=1, io="epoll", variables=calls.variables, port=served.tandem.port + 7)
    calls.begin(call, error, 1000)
    try:
        with proxy:
            assert proxy.process.wait(20) > 0, "a signal has ended it"
    finally:
        hits = calls.end()
    assert hits > 0
    assert os.strerror(getattr(errno, error)) in proxy.log.read_text()
