#!/bin/sh
# Makes Debian's redis-server available to the tests of several workers.
# Does nothing when there is one on the PATH or in .cache/redis; installs it when it may (as root);
# otherwise unpacks Debian's packages into .cache/redis, beside a starter that finds their libraries.
# Usage: scripts/install_redis.sh
set -eu

root="$(cd "$(dirname "$0")/.." && pwd)"
target="$root/.cache/redis"
packages="redis-server redis-tools libatomic1 libjemalloc2 liblzf1"

if command -v redis-server >/dev/null || [ -x "$target/redis-server" ]; then
    exit 0
fi

command -v apt-get >/dev/null || {
    echo "install_redis: redis-server is missing and this is no Debian: install Redis 6 or newer" >&2
    exit 1
}

if [ "$(id -u)" = 0 ]; then
    echo "install_redis: installing redis-server" >&2
    export DEBIAN_FRONTEND=noninteractive
    install="apt-get install --yes --quiet --no-install-recommends redis-server"
    $install >&2 || { apt-get update --quiet >&2 && $install >&2; }
    exit 0
fi

# Two runs at once must not see half a folder: fill a private one, then rename it.
echo "install_redis: unpacking redis-server (about 2 MB)" >&2
mkdir -p "$root/.cache"
work="$(mktemp -d "$root/.cache/redis.XXXXXX")"
trap 'rm -rf "$work"' EXIT
(cd "$work" && apt-get download --quiet $packages >&2)
for package in "$work"/*.deb; do
    dpkg -x "$package" "$work" && rm "$package"
done
cat >"$work/redis-server" <<'STARTER'
#!/bin/sh
# Starts the unpacked server with the libraries unpacked beside it.
here="$(cd "$(dirname "$0")" && pwd)"
libraries="$(find "$here/usr/lib" -type d | tr '\n' ':')"
LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:-}" exec "$here/usr/bin/redis-server" "$@"
STARTER
chmod +x "$work/redis-server"
[ -d "$target" ] || mv "$work" "$target"
