#!/bin/sh
# Makes Debian's Chromium available to the tests of the live page. Does nothing when it is there.
# Usage: scripts/install_chromium.sh
set -eu

command -v chromium >/dev/null && exit 0

if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "install_chromium: chromium is missing: install it, for example as root with" \
        "'apt-get install chromium'" >&2
    exit 1
fi

echo "install_chromium: installing chromium (about 100 MB)" >&2
export DEBIAN_FRONTEND=noninteractive
install="apt-get install --yes --quiet --no-install-recommends chromium fonts-dejavu-core"
$install >&2 || { apt-get update --quiet >&2 && $install >&2; }
