"""The libraries that deploy/Dockerfile installs: a program needs no others."""

import platform
import re
from pathlib import Path

DOCKERFILE = Path(__file__).resolve().parents[2] / "deploy/Dockerfile"
BASE_PACKAGES = {"libc6", "libgcc-s1", "libstdc++6"}


def stem(package):
    """What a library's package is called in any release of Debian: libssl3, libssl3t64."""
    return re.sub(r"-?[\d.]+$", "", package.removesuffix("t64"))


def lacks(packages):
    """Which of the packages the image has not; on another release of Debian than the image's their versions do not count."""
    release, stage = re.search(r"^FROM debian:(\d+)\S* AS runtime\n(.*?)^FROM", DOCKERFILE.read_text(), re.M | re.S).groups()
    installed = set(re.findall(r"[\w.+-]+", stage))
    packages = set(packages) - BASE_PACKAGES
    if platform.freedesktop_os_release().get("VERSION_ID") == release:
        return packages - installed
    known = {stem(name) for name in installed}
    return {name for name in packages if stem(name) not in known}
