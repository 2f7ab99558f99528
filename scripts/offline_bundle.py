"""
Makes the offline bundle: everything that a machine without network needs but Python 3.11 itself, in one zip.

`make offline-bundle` runs it. It holds the pinned wheels for each platform (downloaded with their hashes), our own
wheel, lists with the hashes of all of them, installers, the guides and a list of licences.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "3.11"
_GUIDES = ("admin", "network", "import", "guide-officer", "guide-grid-worker", "guide-commander", "true-scale")


@dataclass(frozen=True)
class Platform:
    """
    What wheels are chosen for.

    Attributes
    ----------
    tags
        Platform tags of wheels, PEP 425 and PEP 600; the newest first.
    markers
        Environment markers that differ between platforms, PEP 508.
    """

    name: str
    tags: tuple[str, ...]
    markers: dict[str, str]


PLATFORMS = {
    "linux": Platform(
        "linux",
        # glibc 2.28 is in Debian 10, Ubuntu 20.04, Kylin V10 SP1, openEuler 20.03 and whatever is newer.
        tuple(f"manylinux{version}_x86_64" for version in ("_2_28", "_2_17", "2014", "_2_12", "2010", "_2_5", "1")),
        {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    ),
    "windows": Platform(
        "windows",
        ("win_amd64",),
        {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
    ),
}


def read_version(root: Path = ROOT) -> str:
    """Version of the product."""
    return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def choose_requirements(lock: str, platform: Platform) -> str:
    """
    The entries of `lock` that `platform` needs, without markers.

    pip judges markers by the machine it runs on, so that a download for another would silently lack what only that
    other needs.
    """
    environment = {
        **platform.markers,
        "python_version": PYTHON,
        "python_full_version": f"{PYTHON}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    chosen = []
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock.strip()):
        first, *hashes = (line.strip().removesuffix("\\").strip() for line in block.splitlines())
        requirement = Requirement(first)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            chosen.append(" \\\n    ".join([f"{requirement.name}{requirement.specifier}", *hashes]))
    return "\n".join(chosen) + "\n"


def download(requirements: Path, platform: Platform, folder: Path) -> None:
    """The wheels of `requirements` into `folder`, each checked against its hash."""
    tags = [option for tag in platform.tags for option in ("--platform", tag)]
    abis = [option for abi in ("cp311", "abi3", "none") for option in ("--abi", abi)]
    _run_pip(
        *("download", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)),
        *("--python-version", PYTHON, "--implementation", "cp", *tags, *abis, "--requirement", str(requirements)),
    )


def build_own_wheel(folder: Path) -> Path:
    """Our own wheel, built from a copy: what an earlier build left beside the code must not get in."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    settings = project["tool"]["setuptools"]
    with tempfile.TemporaryDirectory() as made:
        source = Path(made)
        for name in ("pyproject.toml", "requirements.in", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, source / name)
        for module in settings["py-modules"]:
            shutil.copy(ROOT / f"{module}.py", source)
        for package in sorted({name.partition(".")[0] for name in settings["packages"]}):
            shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
        _run_pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    return next(folder.glob("shapan-*.whl"))


def list_licences(wheels: Iterator[Path]) -> str:
    """Name, version and licence of every package, as each says of itself: CSV."""
    rows = set()
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            name = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
            said = HeaderParser().parsestr(archive.read(name).decode("utf-8"))
        classifiers = [
            one.rpartition(" :: ")[2] for one in said.get_all("Classifier", []) if one.startswith("License ::")
        ]
        short = (said.get("License") or "").strip().splitlines()
        licence = said.get("License-Expression") or "; ".join(classifiers) or (short[0] if short else "see the wheel")
        rows.add((canonicalize_name(said["Name"]), said["Version"], licence.replace('"', "'")))
    return "package,version,licence\n" + "".join(f'{name},{version},"{text}"\n' for name, version, text in sorted(rows))


def build_bundle(output: Path, names: list[str]) -> Path:
    """The zip for the platforms `names`, in the folder `output`."""
    version = read_version()
    output.mkdir(parents=True, exist_ok=True)
    title = f"shapan-offline-{version}"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / title
        folder.mkdir()
        own = build_own_wheel(Path(made))
        lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
        for platform in (PLATFORMS[name] for name in names):
            wheels = folder / "wheels" / platform.name
            wheels.mkdir(parents=True)
            listed = folder / f"requirements-{platform.name}.txt"
            listed.write_text(choose_requirements(lock, platform), encoding="utf-8")
            download(listed, platform, wheels)
            shutil.copy(own, wheels)
            with listed.open("a", encoding="utf-8") as file:
                file.write(f"shapan=={version} --hash=sha256:{_hash(own)}\n")
        for path in sorted((ROOT / "scripts" / "bundle").iterdir()):
            shutil.copy(path, folder / path.name)
        for path in (ROOT / "LICENSE", *(ROOT / name for name in ("README.md", "README.zh-CN.md"))):
            shutil.copy(path, folder)
        (folder / "docs").mkdir()
        for guide in sorted((ROOT / "docs").glob("*.md")):
            if guide.name.partition(".")[0] in _GUIDES:
                shutil.copy(guide, folder / "docs")
        (folder / "LICENCES.csv").write_text(list_licences(folder.rglob("*.whl")), encoding="utf-8")
        sums = "".join(f"{_hash(path)}  {path.relative_to(folder).as_posix()}\n" for path in _list_files(folder))
        (folder / "SHA256SUMS").write_text(sums, encoding="utf-8")
        return _pack(folder, output / f"{title}.zip")


def _pack(folder: Path, target: Path) -> Path:
    """One zip, whole or not at all; wheels are compressed already."""
    new = target.with_suffix(".part")
    with zipfile.ZipFile(new, "w", zipfile.ZIP_STORED) as archive:
        for path in _list_files(folder):
            info = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix())
            info.external_attr = (0o755 if path.suffix == ".sh" else 0o644) << 16
            with path.open("rb") as source, archive.open(info, "w") as entry:
                shutil.copyfileobj(source, entry, 1 << 20)
    new.replace(target)
    return target


def _list_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _run_pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603 - our own arguments


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    parser.add_argument(
        "--platform", action="append", choices=sorted(PLATFORMS), help="may be repeated; all by default"
    )
    asked = parser.parse_args()
    made = build_bundle(asked.output, asked.platform or sorted(PLATFORMS))
    print(f"{made} ({made.stat().st_size / 1e6:.0f} MB)")
