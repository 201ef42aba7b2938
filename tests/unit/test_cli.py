from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from stream.cli import COMMANDS, main
from stream.settings import DEFAULTS
from stream.tools import produce
from stream.tools.console import CommandError

if TYPE_CHECKING:
    from argparse import Namespace

    from stream.settings import Settings


def exit_code(*argv: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(argv)
    assert isinstance(left.value.code, int)
    return left.value.code


def failing_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_settings: Settings, _args: Namespace) -> int:
        raise error

    monkeypatch.setattr(produce, "run", run)


def test_help_names_every_command_and_every_setting_with_its_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_code("--help") == 0
    text = capsys.readouterr().out
    assert all(re.search(rf"^    {name}\s", text, re.MULTILINE) for name in COMMANDS)
    assert all(f"  {name}={default}\n" in text for name, (default, _) in DEFAULTS.items())


def test_help_needs_neither_kafka_nor_faust() -> None:
    script = (
        "import sys\n"
        "from stream.cli import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "except SystemExit:\n"
        "    sys.exit(','.join({'kafka', 'faust', 'numpy', 'rich'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.stderr == b"\n"


def test_a_worker_has_no_threads_for_sums_unless_asked_for() -> None:
    script = (
        "import os, sys, types\n"
        "def run_worker(settings):\n"
        "    print(os.environ['OPENBLAS_NUM_THREADS'], 'numpy' in sys.modules)\n"
        "    return 0\n"
        "worker = types.ModuleType('stream.faust_app.worker')\n"
        "worker.run_worker = run_worker\n"
        "topics = types.ModuleType('stream.tools.topics')\n"
        "topics.ensure_topics = lambda settings: None\n"
        "sys.modules |= {module.__name__: module for module in (worker, topics)}\n"
        "from stream.cli import main\n"
        "main(['worker'])\n"
    )
    for asked, given in ((None, "1"), ("3", "3")):
        environ = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
        if asked is not None:
            environ["OPENBLAS_NUM_THREADS"] = asked
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, check=True, text=True, env=environ
        )
        # numpy would have made its threads by then.
        assert done.stdout == f"{given} False\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(name, "--help") == 0
    assert capsys.readouterr().out.startswith(f"usage: retention-stream {name}")


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("prodce",),
        ("produce",),
        ("produce", "-", "--repeat-share", "1.5"),
        ("produce", "-", "--repeat-share", "much"),
        ("produce", "-", "--shuf"),
        ("broker", "--port", "65536"),
        ("broker", "--port", "-1"),
        ("broker", "--port", "kafka"),
        ("demo", "--scenario", "unheard-of"),
        ("demo", "--sample", "cdnow", "--scenario", "steady"),
        ("topics", "more"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_help_and_exits_with_2(
    argv: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(*argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.endswith("--help)\n")
    assert captured.err.count("\n") == 1


def test_bad_setting_exits_with_2_and_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RETENTION_BUCKET", "often")
    assert exit_code("topics") == 2
    assert capsys.readouterr().err.startswith("error: RETENTION_BUCKET: 'often' is not a duration")


def test_expected_failure_is_one_line_and_exits_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing_with(CommandError("it is\n  broken; mend it"), monkeypatch)
    assert exit_code("produce", "-") == 1
    assert capsys.readouterr().err == "error: it is broken; mend it\n"


def test_failure_of_the_system_names_the_file_and_exits_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing_with(PermissionError(13, "Permission denied", "events.jsonl"), monkeypatch)
    assert exit_code("produce", "-") == 1
    assert capsys.readouterr().err == "error: events.jsonl: Permission denied\n"


def test_interrupt_is_quiet_and_exits_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing_with(KeyboardInterrupt(), monkeypatch)
    assert exit_code("produce", "-") == 130
    assert capsys.readouterr() == ("", "")


def test_bug_is_not_taken_for_an_expected_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_with(ZeroDivisionError(), monkeypatch)
    with pytest.raises(ZeroDivisionError):
        main(["produce", "-"])


def test_missing_file_is_told_before_anything_is_sent(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("produce", "nowhere.jsonl") == 1
    assert capsys.readouterr().err == "error: no such file: nowhere.jsonl\n"


def test_stdin_can_be_named_only_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("produce", "-", "-") == 1
    assert capsys.readouterr().err == "error: stdin (-) can be sent only once\n"


@pytest.mark.parametrize("command", ["topics", "produce"])
def test_unreachable_broker_is_told_with_the_way_out(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RETENTION_BROKER", "127.0.0.1:1")
    monkeypatch.setattr("stream.tools.kafka_clients.CONNECT_TIMEOUT_SECONDS", 0.1)
    assert exit_code(command, *([__file__] if command == "produce" else [])) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: Kafka at 127.0.0.1:1: Connection refused; ")
    assert "RETENTION_BROKER" in error
    assert error.count("\n") == 1
