"""The programs that check the files in ``deploy/``; fetched on first use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PROGRAMS = REPOSITORY / ".cache" / "deploy-tools" / "bin"


def run(program: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run one of them in the repository's root; whether it is content is the caller's to judge.

    Raises:
        RuntimeError: when they cannot be fetched; the message says why.
    """
    script = REPOSITORY / "scripts" / "install_deploy_tools.sh"
    installed = subprocess.run(
        [script, sys.executable], capture_output=True, text=True, check=False
    )
    if installed.returncode:
        raise RuntimeError(f"not installed: {installed.stdout}{installed.stderr}")
    return subprocess.run(
        [PROGRAMS / program, *arguments],
        capture_output=True,
        text=True,
        input=text,
        cwd=REPOSITORY,
        check=False,
    )
