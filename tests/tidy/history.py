"""What git knows of a tree. A tree without it is as good."""

import subprocess
from pathlib import Path


def ask(root: Path, *words: str) -> str:
    """What git says; "" where it is not there, or knows nothing of it."""
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""
