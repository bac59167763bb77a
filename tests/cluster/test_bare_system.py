"""As a new user would, in a Debian 12 system that has nothing but git and sudo: clone, `./dev up`, connect, `./dev test`."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tandem import ROOT

pytestmark = [pytest.mark.long, pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a system of its own")]

PATIENCE = 3 * 3600  # a cold build, once more with sanitizers, and all the tests
APT = Path("/etc/apt")
OWN_AUTHORITIES = Path("/usr/local/share/ca-certificates")

MOUNTS = {"proc": "proc", "devpts": "dev/pts", "tmpfs": "dev/shm"}


def run(*words, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=PATIENCE, **more)
    assert done.returncode == 0, f"{words}: {done.stdout[-9000:]}\n{done.stderr[-3000:]}"
    return done.stdout


class BareSystem:
    def __init__(self, folder):
        self.root = folder / "system"
        run("debootstrap", "--variant=minbase", "--include=git,sudo,ca-certificates", "bookworm", self.root)
        # Where this machine gets its packages from, and how.
        for name in ("sources.list.d", "apt.conf.d", "preferences.d", "auth.conf.d"):
            if (APT / name).is_dir():
                shutil.copytree(APT / name, self.root / "etc/apt" / name, dirs_exist_ok=True)
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        if OWN_AUTHORITIES.is_dir():
            shutil.copytree(OWN_AUTHORITIES, self.root / OWN_AUTHORITIES.relative_to("/"), dirs_exist_ok=True)
            run(*self.inside(), "update-ca-certificates")
        # What an init would mount.
        for kind, place in MOUNTS.items():
            (self.root / place).mkdir(exist_ok=True)
            run("mount", "-t", kind, kind, self.root / place)
        run("git", "clone", "--bare", "--quiet", ROOT, self.root / "repository.git")
        # It stands for one that is far away: git clones another user's folder only where the system says so.
        run(*self.inside(), "git", "config", "--system", "--add", "safe.directory", "/repository.git")

    def close(self):
        """Ends what runs in it, by its root folder."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if os.readlink(entry / "root") == str(self.root):
                        os.kill(int(entry.name), 9)
                except OSError:
                    continue
        for place in MOUNTS.values():
            run("umount", "--lazy", self.root / place)
        shutil.rmtree(self.root, ignore_errors=True)

    def inside(self):
        """Nothing of this system's environment counts there."""
        return ["chroot", self.root, "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]

    def as_user(self, name, script):
        return run(*self.inside(), "su", "-", name, "-c", script)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bare")
    for parent in [folder, *folder.parents][:3]:
        parent.chmod(0o755)
    made = BareSystem(folder)
    yield made
    made.close()


@pytest.mark.parametrize("user", ["root", "newcomer"])
def test_clone_up_and_connect_in_a_bare_system(bare, user):
    if user != "root":
        bare.as_user("root", f"useradd --create-home --shell /bin/bash {user} && "
                             f"echo '{user} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/{user}")
    bare.as_user(user, "git clone --quiet /repository.git pgtandem")
    shown = bare.as_user(user, "cd pgtandem && ./dev up --detach --replicas 1 --port 15432 --endpoint-port 15442 --reads-port 15443")
    primary, replica = (re.search(rf"postgresql://\S+:{port}/[^\s']+", shown)[0] for port in (15432, 15433))
    endpoint = re.search(r"postgresql://\S+:15442/[^\s']+", shown)[0]
    bare.as_user(user, f"psql '{primary}' -c \"CREATE TABLE bare AS SELECT 'of a bare system' AS words\"")
    for place in (replica, endpoint):
        assert "of a bare system" in bare.as_user(user, f"psql '{place}' -At -c 'SELECT words FROM bare'")
    bare.as_user(user, "cd pgtandem && build/release/pgtandem verify && build/release/pgtandem reset --yes")


def test_the_tests_pass_in_a_bare_system(bare):
    """As the ordinary user of the test before; once, since it takes half an hour."""
    shown = bare.as_user("newcomer", "cd pgtandem && ./dev test")
    assert re.fullmatch(r"[1-9]\d+ passed, 0 failed", shown.splitlines()[-1])
