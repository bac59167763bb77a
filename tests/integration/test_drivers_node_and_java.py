"""node-postgres and JDBC through the endpoint as straight: the scenarios are programs of their own beside this file."""
import shutil
import subprocess
from pathlib import Path

import pytest
from endpoint import SPLIT, served_for
from tandem import ROOT, environment

served = served_for(SPLIT)
HERE = Path(__file__).parent
NODE_MODULES = ROOT / "build/node/node_modules"
JDBC = Path("/usr/share/java/postgresql.jar")


def run(*words, **variables):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300, cwd="/",
                          env=environment(**variables))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not shutil.which("node"), reason="there is no node")
def test_node_postgres(place):
    assert (NODE_MODULES / "pg").exists(), "node's driver is missing; ./dev test installs it"
    assert "all of it done" in run("node", HERE / "test_drivers_node.js", place.uri(), NODE_PATH=str(NODE_MODULES))


@pytest.fixture(scope="module")
def java_classes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("java")
    run("javac", "-cp", JDBC, "-d", folder, HERE / "TestDrivers.java")
    return folder


@pytest.mark.skipif(not shutil.which("javac"), reason="there is no Java compiler")
def test_jdbc(place, java_classes):
    where = f"{place.host}:{place.port}/{place.dbname}"
    assert "all of it done" in run("java", "-cp", f"{java_classes}:{JDBC}", "TestDrivers", where, place.user, place.password)
