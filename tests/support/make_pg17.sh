#!/usr/bin/env bash
# PostgreSQL 17 beside the distribution's: Debian 13's packages, unpacked into a folder of their own and made to use only the
# libraries that came with them. Prints the folder of its programs, for --pg-bin. Made once; remove the folder to make it anew.
set -euo pipefail

version=17
suite=trixie
# Under root the servers run as user postgres, who may not be able to look into root's home.
if [ "$(id -u)" = 0 ]; then cache=/var/cache/pgtandem; else cache=${XDG_CACHE_HOME:-$HOME/.cache}/pgtandem; fi
root=$cache/$suite
bin=$root/usr/lib/postgresql/$version/bin

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# debootstrap finds the packages and what they need and checks the archive's signatures. Its first stage is enough:
# nothing in the folder is ever installed or run as a system.
unpack() {
    local folder=$1 package
    as_root debootstrap --foreign --variant=minbase --include="postgresql-$version" "$suite" "$folder"
    as_root chown -R "$(id -u):$(id -g)" "$folder"
    for package in "$folder"/var/cache/apt/archives/*.deb; do dpkg-deb --extract "$package" "$folder"; done
    rm -rf "$folder/var/cache/apt"
    chmod 755 "$folder"
}

# The old kind of library path, RPATH, holds for the libraries' own libraries too.
relocate() {
    local folder=$1 program loader libraries
    libraries=$(dirname "$(ls "$folder"/usr/lib/*/libc.so.6)")
    loader=$(patchelf --print-interpreter "$folder/usr/lib/postgresql/$version/bin/postgres")
    for program in "$folder"/usr/lib/postgresql/$version/bin/*; do
        # Scripts have no loader.
        patchelf --print-interpreter "$program" >/dev/null 2>&1 || continue
        patchelf --set-interpreter "$root$loader" --force-rpath --set-rpath "$root${libraries#"$folder"}" "$program"
    done
}

if [ ! -x "$bin/postgres" ]; then
    {
        mkdir -p "$cache"
        as_root rm -rf "$root.part"
        unpack "$root.part"
        relocate "$root.part"
        rm -rf "$root"
        mv "$root.part" "$root"
        "$bin/postgres" --version
    } >&2
fi
echo "$bin"
