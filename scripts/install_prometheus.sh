#!/bin/sh
# Puts Debian's Prometheus and Alertmanager (with promtool and amtool) into .cache/prometheus/bin,
# for the tests of alerts. Needs apt-get and dpkg, but no root: the packages are unpacked and not
# installed, so nothing is set up and nothing starts. Does nothing when they are there already.
# Usage: scripts/install_prometheus.sh
set -eu

root="$(cd "$(dirname "$0")/.." && pwd)"
target="$root/.cache/prometheus"

[ -x "$target/bin/alertmanager" ] && [ -d "$target/share" ] && exit 0

for tool in apt-get dpkg; do
    command -v "$tool" >/dev/null || {
        echo "install_prometheus: $tool is missing: put prometheus, promtool, alertmanager and" \
            "amtool into $target/bin yourself" >&2
        exit 1
    }
done

# Two runs at once must not see half a folder: fill a private one, then rename it.
mkdir -p "$target"
work="$(mktemp -d "$target/incoming.XXXXXX")"
trap 'rm -rf "$work"' EXIT
cd "$work"
echo "install_prometheus: fetching Prometheus and Alertmanager (about 30 MB)" >&2
fetch() { apt-get download --quiet --quiet prometheus prometheus-alertmanager; }
# Fresh machines have no package lists yet.
fetch 2>/dev/null || { [ "$(id -u)" -ne 0 ] || apt-get update --quiet --quiet; fetch; }
for package in ./*.deb; do
    dpkg -x "$package" unpacked
done
mkdir bin
mv unpacked/usr/bin/prometheus unpacked/usr/bin/promtool unpacked/usr/bin/amtool bin/
# Debian's Alertmanager reads its templates from where the package would be installed. Without root
# they cannot be there: a path of the same length makes it read share/ in its working directory.
LC_ALL=C sed 's|/usr/share/prometheus/alertmanager|./share///////////////alertmanager|g' \
    unpacked/usr/bin/prometheus-alertmanager >bin/alertmanager
chmod +x bin/alertmanager
mkdir share
mv unpacked/usr/share/prometheus/alertmanager share/
[ -d "$target/share" ] || mv share "$target/"
# Over what an earlier version of this script left, file by file.
mkdir -p "$target/bin"
mv bin/* "$target/bin/"
