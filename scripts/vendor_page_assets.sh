#!/bin/sh
# Fetches what the live page and its tests take from npm, in the pinned versions, each checked
# against the hash in scripts/page-assets/package-lock.json, into .cache/page-assets; then copies
# what the page itself needs beside it, where it is committed.
# Usage: scripts/vendor_page_assets.sh [--fetch-only]
#   --fetch-only   for tests: leave the committed files as they are
set -eu

root="$(cd "$(dirname "$0")/.." && pwd)"
source="$root/scripts/page-assets"
target="$root/.cache/page-assets"
static="$root/stream/publish/page/static/uplot"

command -v npm >/dev/null || {
    echo "vendor_page_assets: npm is missing: install Node.js 18 or newer" >&2
    exit 1
}

if ! cmp -s "$source/package-lock.json" "$target/package-lock.json"; then
    # Two runs at once must not see half a folder: fill a private one, then rename it.
    mkdir -p "$root/.cache"
    work="$(mktemp -d "$root/.cache/page-assets.XXXXXX")"
    trap 'rm -rf "$work"' EXIT
    cp "$source/package.json" "$source/package-lock.json" "$work/"
    # Nothing of a package runs here: their files are only copied.
    (cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
    rm -rf "$target"
    mv "$work" "$target"
fi

[ "${1:-}" = --fetch-only ] && exit 0

mkdir -p "$static"
for name in dist/uPlot.iife.min.js dist/uPlot.min.css; do
    cp "$target/node_modules/uplot/$name" "$static/"
done
cp "$target/node_modules/uplot/LICENSE" "$static/LICENSE.txt"
(cd "$static" && sha256sum LICENSE.txt uPlot.iife.min.js uPlot.min.css >SHA256SUMS.txt)
