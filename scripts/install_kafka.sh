#!/bin/sh
# Puts Apache Kafka's own jars into .cache/kafka/VERSION/lib, for the tests marked "kafka".
# Needs Java 17 or newer and Maven; does nothing when the jars are there already.
# Usage: scripts/install_kafka.sh [VERSION]
set -eu

version="${1:-4.1.0}"
slf4j_version="1.7.36" # the logging API that Kafka's jars are built against
root="$(cd "$(dirname "$0")/.." && pwd)"
target="$root/.cache/kafka/$version"

[ -d "$target/lib" ] && exit 0

for tool in java mvn; do
    command -v "$tool" >/dev/null || {
        echo "install_kafka: $tool is missing: install Java 17 (or newer) and Maven first" >&2
        exit 1
    }
done

# Two runs at once must not see half a folder: fill a private one, then rename it.
mkdir -p "$target"
work="$(mktemp -d "$target/incoming.XXXXXX")"
trap 'rm -rf "$work"' EXIT
cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>retention</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>$version</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>$slf4j_version</version>
    </dependency>
  </dependencies>
</project>
POM

echo "install_kafka: fetching Apache Kafka $version (about 45 MB)" >&2
mvn --quiet --batch-mode --file "$work/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$work/lib" >&2
[ -d "$target/lib" ] || mv "$work/lib" "$target/lib"
