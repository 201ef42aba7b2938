"""A real Prometheus on loopback: Debian's, fetched on first use."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, cast

import yaml

from stream.tools.child_process import ChildProcess
from tests.support.kafka_server import free_ports

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

REPOSITORY = Path(__file__).parents[2]
START_TIMEOUT_SECONDS: Final = 30.0
ANSWER_TIMEOUT_SECONDS: Final = 120.0


@cache
def install() -> Path:
    """The folder with prometheus, promtool, alertmanager and amtool.

    Raises:
        RuntimeError: when they cannot be fetched; the message says why.
    """
    script = REPOSITORY / "scripts" / "install_prometheus.sh"
    done = subprocess.run([script], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"Prometheus could not be fetched: {done.stdout}{done.stderr}")
    return REPOSITORY / ".cache" / "prometheus" / "bin"


class PrometheusServer:
    """A server with the given configuration and flags; leaving the block kills it."""

    def __init__(self, folder: Path, configuration: Mapping[str, object], *flags: str) -> None:
        (self._port,) = free_ports(1)
        file = folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(dict(configuration)), encoding="utf-8")
        self._command = [
            str(install() / "prometheus"),
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
            *flags,
        ]
        self._log_path = folder / "prometheus.log"
        self._process: ChildProcess | None = None

    def __enter__(self) -> Self:
        process = self._process = ChildProcess("prometheus", self._command, self._log_path)
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._is_ready():
            if process.exit_code is not None or time.monotonic() > deadline:
                said = " | ".join(process.last_lines())
                process.stop()
                raise RuntimeError(f"Prometheus did not come up: {said}")
            time.sleep(0.1)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.stop()

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._port}"

    def rows(self, expr: str) -> list[dict[str, Any]]:
        """An instant query's series.

        Raises:
            AssertionError: with Prometheus' own words, for an expression it refuses.
        """
        data = self._get("/api/v1/query", query=expr)
        return cast("list[dict[str, Any]]", data["result"])

    def rows_at(self, expr: str, at: int) -> list[dict[str, Any]]:
        """An instant query's series at a moment in seconds since the epoch."""
        data = self._get("/api/v1/query", query=expr, time=str(at))
        return cast("list[dict[str, Any]]", data["result"])

    def rows_between(self, expr: str, start: int, end: int, step: int) -> list[dict[str, Any]]:
        """A range query's series; times in seconds."""
        times = {"start": str(start), "end": str(end), "step": str(step)}
        data = self._get("/api/v1/query_range", query=expr, **times)
        return cast("list[dict[str, Any]]", data["result"])

    def label_values(self, label: str, selector: str) -> list[str]:
        """The values a label has on the series of a selector."""
        return cast(
            "list[str]", self._get(f"/api/v1/label/{label}/values", **{"match[]": selector})
        )

    def _get(self, path: str, **asked: str) -> Any:  # noqa: ANN401 - JSON
        url = f"{self.address}{path}?{urllib.parse.urlencode(asked)}"
        try:
            # Always the server started above.
            with urllib.request.urlopen(url, timeout=ANSWER_TIMEOUT_SECONDS) as answer:  # noqa: S310
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{asked}: {error.read().decode()}") from None

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/-/ready", timeout=5):
                return True
        except OSError:
            return False
