"""TLS between clients and the endpoint, and between the endpoint and a server."""
import ssl
import tempfile
from pathlib import Path

import psycopg
import pytest
import wire_messages as wire
from endpoint import Served
from login import HbaFile, refusal
from proxy import Certificate, Proxy, client_context, give_to_server_user, wire_client_with_tls
from tandem import wait_for
from wire_client import Closed, WireClient, errors


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as name:
        give_to_server_user(Path(name))
        yield Path(name)


@pytest.fixture(scope="module")
def certificate(folder):
    return Certificate(folder, "ours")


@pytest.fixture(scope="module")
def other(folder):
    return Certificate(folder, "other")


@pytest.fixture(scope="module")
def served(certificate):
    with Served(tls_certificate=str(certificate.file), tls_key=str(certificate.key)) as made:
        yield made


def tls_of(served, name):
    return [row["tls"] for row in served.console("SHOW CLIENTS") if row["application_name"] == name]


@pytest.mark.parametrize("sslmode", ["prefer", "require", "verify-ca", "verify-full"])
@pytest.mark.parametrize("channel_binding", ["prefer", "require"])
def test_clients_come_by_tls(served, endpoint, certificate, sslmode, channel_binding):
    words = {"sslmode": sslmode, "channel_binding": channel_binding}
    if sslmode.startswith("verify"):
        words["sslrootcert"] = str(certificate.file)
    with endpoint.connect(application_name="by tls", **words) as session:
        assert session.pgconn.ssl_in_use
        assert session.execute("SELECT sum(length(repeat('x', 1000) || n)) > 0 FROM generate_series(1, 5000) n").fetchone() == (True,)
        assert len(session.execute("SELECT repeat('x', 5000000)").fetchone()[0]) == 5000000
        assert [text[:5] for text in tls_of(served, "by tls")] == ["TLSv1"]


def test_clients_may_come_without_tls(served, endpoint):
    with endpoint.connect(application_name="plain", sslmode="disable") as session:
        assert not session.pgconn.ssl_in_use
        assert tls_of(served, "plain") == [""]
    with pytest.raises(psycopg.OperationalError, match="channel binding required"):
        endpoint.connect(sslmode="disable", channel_binding="require")


def test_a_client_that_trusts_somebody_else_goes_away(endpoint, other):
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        endpoint.connect(sslmode="verify-full", sslrootcert=str(other.file))
    assert endpoint.value("SELECT 1", sslmode="require") == 1


def test_refusals_come_by_tls(endpoint):
    with pytest.raises(psycopg.OperationalError, match='password authentication failed for user "nobody"'):
        endpoint.at(user="nobody").connect(sslmode="require")


@pytest.mark.parametrize("alpn, is_direct", [((), False), (("postgresql",), False), (("postgresql",), True)])
def test_tls_is_asked_for_or_begun_at_once(endpoint, certificate, alpn, is_direct):
    with wire_client_with_tls(endpoint, client_context(certificate, alpn), is_direct) as client:
        assert client.socket.selected_alpn_protocol() == (alpn[0] if alpn else None)
        assert client.log_in().value("SELECT 'secret'") == "secret"
        client.terminate()


@pytest.mark.parametrize("alpn", [(), ("http/1.1",)])
def test_tls_begun_at_once_must_be_postgresqls(endpoint, certificate, alpn):
    with pytest.raises((Closed, ssl.SSLError, ConnectionError)):
        with wire_client_with_tls(endpoint, client_context(certificate, alpn), is_direct=True) as client:
            client.log_in()
    assert endpoint.value("SELECT 1", sslmode="require") == 1


@pytest.mark.parametrize("with_tls", [True, False])
def test_a_cancel_request_may_come_either_way(served, endpoint, certificate, with_tls):
    context = client_context(certificate)
    with wire_client_with_tls(endpoint, context) as client:
        client.log_in()
        client.send(wire.query("SELECT pg_sleep(500)"))
        wait_for(lambda: [row for row in served.busy_backends() if "pg_sleep" in row[3]], "the query to run")
        with wire_client_with_tls(endpoint, context) if with_tls else WireClient(endpoint) as canceller:
            canceller.send(wire.cancel_request(client.pid, client.key))
            assert canceller.until_closed() == []
        assert errors(client.until("Z")) == ["57014"]
        assert client.value("SELECT 1") == "1"


def test_a_broken_handshake_is_nobody_elses_business(endpoint):
    with WireClient(endpoint) as client:
        client.send(wire.untyped(wire.SSL_REQUEST))
        assert client.read(1) == b"S"
        client.send(b"\x16\x03\x01\x00\x05hello" + b"\0" * 100)
        assert client.is_closed_by_peer()
    assert endpoint.value("SELECT 1", sslmode="require") == 1


def test_tls_require_refuses_what_comes_plain(served, certificate):
    tls = {"tls_certificate": str(certificate.file), "tls_key": str(certificate.key)}
    with Proxy(served, tls="require", **tls) as proxy:
        answer = refusal(proxy.place)
        assert (answer["S"], answer["C"]) == ("FATAL", "28000") and "SSL" in answer["M"]
        assert proxy.place.value("SELECT 1", sslmode="require", channel_binding="require") == 1


def test_a_renewed_certificate_is_taken_by_a_reload(served, folder, certificate, other):
    renewed = Certificate(folder, "renewed")
    renewed.take(certificate)
    give_to_server_user(folder)
    with Proxy(served, tls_certificate=str(renewed.file), tls_key=str(renewed.key)) as proxy:
        place = proxy.place
        trusting = {"sslmode": "verify-full", "sslrootcert": str(certificate.file)}
        with place.connect(**trusting) as earlier, place.at(dbname="pgtandem").connect(**trusting) as console:
            renewed.take(other)
            assert place.value("SELECT 1", **trusting) == 1
            console.execute("RELOAD")
            assert place.value("SELECT 1", sslmode="verify-full", sslrootcert=str(other.file)) == 1
            with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
                place.connect(**trusting)
            renewed.file.write_text("no certificate")
            with pytest.raises(psycopg.Error, match="renewed.crt"):
                console.execute("RELOAD")
            assert place.value("SELECT 1", sslmode="verify-full", sslrootcert=str(other.file)) == 1
            assert earlier.execute("SELECT 1").fetchone() == (1,)


def test_clients_may_have_to_show_a_certificate(served, folder, certificate, other):
    known, stranger = Certificate(folder, "known", signed_by=other, subject="/CN=known"), certificate
    with Proxy(served, tls_certificate=str(certificate.file), tls_key=str(certificate.key), tls_client_ca=str(other.file)) as proxy:
        def value(shown):
            words = {"sslcert": str(shown.file), "sslkey": str(shown.key)} if shown else {"sslcert": "/no/such"}
            return proxy.place.value("SELECT 1", sslmode="require", **words)
        assert value(known) == 1
        for shown in (stranger, None):
            with pytest.raises(psycopg.OperationalError):
                value(shown)


# --- towards the server


@pytest.fixture
def server_with_tls(served, certificate):
    """The server takes clients from TCP by TLS only."""
    with HbaFile(served) as hba, served.straight.connect() as session:
        for name, value in {"ssl_cert_file": certificate.file, "ssl_key_file": certificate.key, "ssl": "on"}.items():
            session.execute(f"ALTER SYSTEM SET {name} TO '{value}'")
        hba.write("hostnossl all all 127.0.0.1/32 reject")
        session.execute("SELECT pg_reload_conf()")
        wait_for(lambda: refusal(served.straight) != {}, "the server to refuse what comes plain")
        yield served.straight
        session.execute("ALTER SYSTEM RESET ALL")


@pytest.mark.parametrize("server_tls", ["require", "verify-full"])
def test_the_endpoint_goes_to_the_server_by_tls(served, server_with_tls, certificate, server_tls):
    trusting = {"server_tls_ca": str(certificate.file)} if server_tls == "verify-full" else {}
    with Proxy(served, server_tls=server_tls, tls_certificate=str(certificate.file), tls_key=str(certificate.key), **trusting) as proxy:
        with WireClient(proxy.place) as client:
            assert refusal(proxy.place)["M"] == refusal(server_with_tls)["M"]
        place = proxy.place
        assert place.value("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", sslmode="require") is True
        with wire_client_with_tls(place, client_context(certificate)) as client:
            client.log_in().send(wire.query("SELECT pg_sleep(500)"))
            asleep = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(500)'"
            wait_for(lambda: place.value(asleep, sslmode="require"), "the query to run")
            client.cancel()
            assert errors(client.until("Z")) == ["57014"]


def test_a_server_that_cannot_prove_who_it_is_gets_no_client(served, server_with_tls, other):
    with Proxy(served, server_tls="verify-full", server_tls_ca=str(other.file)) as proxy:
        answer = refusal(proxy.place)
        assert answer["C"] == "57P03", answer
        assert "none can be used" in answer["M"]
