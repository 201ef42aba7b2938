#!/bin/sh
# Puts what `make bench` compares with into .cache/peers/NAME, each in an environment of its own.
# Python's by the lock files in scripts/peers, Java's by the pom files (needs Java 17 and Maven).
# One that cannot be had leaves its reason in .cache/peers/NAME.failed, and the table shows it.
# Usage: scripts/install_peers.sh [NAME...]
set -eu

root="$(cd "$(dirname "$0")/.." && pwd)"
python="${PYTHON:-python3.11}"
pins="$root/scripts/peers"
homes="$root/.cache/peers"
sources="$root/tests/benchmarks/peers"

install_python() { # NAME
    "$python" -m venv "$homes/$1" &&
        "$homes/$1/bin/python" -m pip install --quiet --disable-pip-version-check \
            --require-hashes -r "$pins/$1.lock"
}

install_java() { # NAME CLASS
    mvn --quiet --batch-mode --file "$pins/$1.pom.xml" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$homes/$1/lib" &&
        javac -nowarn -d "$homes/$1/classes" -cp "$homes/$1/lib/*" "$sources/$2.java"
}

install_one() { # NAME
    case "$1" in
    confluent | quix | bytewax | pathway) install_python "$1" ;;
    kafka-streams) install_java "$1" StreamsTable ;;
    flink) install_java "$1" FlinkTable ;;
    *) echo "no peer $1" && return 1 ;;
    esac
}

# What it is made of: when that is the same, there is nothing to do.
made_of() { # NAME
    case "$1" in
    kafka-streams) cat "$pins/$1.pom.xml" "$sources/StreamsTable.java" ;;
    flink) cat "$pins/$1.pom.xml" "$sources/FlinkTable.java" ;;
    *) cat "$pins/$1.lock" ;;
    esac | cksum
}

mkdir -p "$homes"
for name in ${*:-confluent quix kafka-streams bytewax pathway flink}; do
    mark="$homes/$name.made-of"
    [ -f "$mark" ] && [ "$(cat "$mark")" = "$(made_of "$name")" ] && continue
    echo "install_peers: $name" >&2
    rm -rf "${homes:?}/$name" "$homes/$name.failed" "$mark"
    if install_one "$name" >"$homes/$name.log" 2>&1; then
        made_of "$name" >"$mark"
    else
        rm -rf "${homes:?}/$name"
        tail -n 1 "$homes/$name.log" >"$homes/$name.failed"
        echo "install_peers: $name FAILED: $(cat "$homes/$name.failed")" >&2
    fi
done
