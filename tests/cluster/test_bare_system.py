"""As a new user would, in a Debian 12 system that has nothing but git and sudo: clone, `./dev up`, connect with what it printed."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tandem import ROOT

pytestmark = [pytest.mark.long, pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a system of its own")]

PATIENCE = 1800
APT = Path("/etc/apt")


def run(*words, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=PATIENCE, **more)
    assert done.returncode == 0, f"{words}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
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
        run("mount", "-t", "proc", "proc", self.root / "proc")
        run("git", "clone", "--bare", "--quiet", ROOT, self.root / "repository.git")

    def close(self):
        """Ends what runs in it, by its root folder."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if os.readlink(entry / "root") == str(self.root):
                        os.kill(int(entry.name), 9)
                except OSError:
                    continue
        run("umount", "--lazy", self.root / "proc")
        shutil.rmtree(self.root, ignore_errors=True)

    def as_user(self, name, script):
        words = ["chroot", self.root, "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
        return run(*words, "su", "-", name, "-c", script)


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
    primary, replica = (re.search(rf"postgresql://\S+:{port}/\S+", shown)[0] for port in (15432, 15433))
    endpoint = re.search(r"postgresql://\S+:15442/\S+", shown)[0]
    bare.as_user(user, f"psql '{primary}' -c \"CREATE TABLE bare AS SELECT 'of a bare system' AS words\"")
    for place in (replica, endpoint):
        assert "of a bare system" in bare.as_user(user, f"psql '{place}' -At -c 'SELECT words FROM bare'")
    bare.as_user(user, "cd pgtandem && build/release/pgtandem verify && build/release/pgtandem reset --yes")
