"""A real Alertmanager on loopback, and the webhook that its messages go to."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import yaml

from stream.tools.child_process import ChildProcess
from tests.support.kafka_server import free_ports
from tests.support.prometheus_server import REPOSITORY, install

CONFIGURATION: Final = REPOSITORY / "deploy" / "alertmanager" / "alertmanager.yml"
START_TIMEOUT_SECONDS: Final = 30.0

Alert = dict[str, Any]


class Webhook:
    """Keeps what Alertmanager sends; each alert with its receiver beside its labels."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        received = self.alerts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                received.extend(
                    alert | {"receiver": message["receiver"]} for alert in message["alerts"]
                )
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait_for(self, status: str, timeout_seconds: float, **labels: str) -> Alert:
        """The first alert with a status (``firing``, ``resolved``) and labels."""

        def found() -> list[Alert]:
            return [
                alert
                for alert in list(self.alerts)
                if alert["status"] == status and labels.items() <= alert["labels"].items()
            ]

        wait_until(lambda: bool(found()), timeout_seconds, f"{status} {labels}: {self.alerts}")
        return found()[0]


class AlertmanagerServer:
    """The project's configuration, in a hurry, with a webhook as every receiver."""

    def __init__(self, folder: Path, webhook: Webhook) -> None:
        self._ports = free_ports(1)
        configuration = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))
        for receiver in configuration["receivers"]:
            receiver["webhook_configs"] = [{"url": webhook.url}]
        for route in (configuration["route"], *configuration["route"]["routes"]):
            route |= {"group_wait": "1s", "group_interval": "1s"}
        file = folder / "alertmanager.yml"
        file.write_text(yaml.safe_dump(configuration), encoding="utf-8")
        programs = install()
        self._command = [
            # It finds its templates below the working directory.
            *("env", f"--chdir={programs.parent}", str(programs / "alertmanager")),
            f"--config.file={file}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address={self.address}",
            "--cluster.listen-address=",
        ]
        self._log_path = folder / "alertmanager.log"
        self._process: ChildProcess | None = None

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"127.0.0.1:{self._ports[0]}"

    def __enter__(self) -> Self:
        process = self._process = ChildProcess("alertmanager", self._command, self._log_path)
        try:
            wait_until(
                lambda: process.exit_code is not None or self._is_ready(),
                START_TIMEOUT_SECONDS,
                "Alertmanager did not come up",
            )
            assert process.exit_code is None, " | ".join(process.last_lines())
        except AssertionError:
            process.stop()
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.stop()

    def post(self, alerts: Sequence[Mapping[str, str]]) -> None:
        """Fire alerts with these labels."""
        body = json.dumps([{"labels": dict(labels)} for labels in alerts]).encode()
        request = urllib.request.Request(
            f"http://{self.address}/api/v2/alerts",
            body,
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - the server started above

    def held_back(self) -> list[Mapping[str, str]]:
        """The labels of alerts that others hold back."""
        with urllib.request.urlopen(f"http://{self.address}/api/v2/alerts", timeout=10) as answer:
            return [one["labels"] for one in json.load(answer) if one["status"]["inhibitedBy"]]

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=5):
                return True
        except OSError:
            return False


def wait_until(condition: Callable[[], bool], timeout_seconds: float, what: str) -> None:
    """Wait for a condition.

    Raises:
        AssertionError: when it does not come true in time.
    """
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
