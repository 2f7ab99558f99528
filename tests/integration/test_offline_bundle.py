"""The offline bundle: made for Linux, installed where there is no network, and used there."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from scripts.offline_bundle import PLATFORMS, choose_requirements, read_version
from tests.browser.test_offline import find_way_to_cut_off
from tests.fixtures.serving import ROOT

INSTALL = ROOT / "tests" / "fixtures" / "offline_install.py"
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def give_up(message: str) -> None:
    """Fail where everything has to be shown, else say what was not."""
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def make_bundle(folder: Path, *platforms: str) -> Path:
    """The unpacked bundle."""
    chosen = [option for name in platforms for option in ("--platform", name)]
    command = [sys.executable, str(ROOT / "scripts" / "offline_bundle.py"), "--output", str(folder), *chosen]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        give_up(f"The bundle could not be made, which needs a package registry: {made.stderr[-2000:]}")
    packed = folder / f"shapan-offline-{read_version()}.zip"
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
        for entry in archive.infolist():
            (folder / entry.filename).chmod(entry.external_attr >> 16)
    packed.unlink()
    return folder / packed.stem


@pytest.fixture(scope="session")  # a worker does other modules in between, and making it takes half a minute
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For Linux alone: the wheels of two platforms are half a gigabyte."""
    return make_bundle(tmp_path_factory.mktemp("bundle"), "linux")


def find_names(requirements: str) -> set[str]:
    return set(re.findall(r"^([A-Za-z0-9._-]+)==", requirements, re.MULTILINE))


@pytest.mark.parametrize("name", sorted(PLATFORMS))
def test_each_platform_gets_what_its_markers_say(name: str) -> None:
    chosen = choose_requirements(LOCK, PLATFORMS[name])
    assert ";" not in chosen  # no marker is left for pip to judge by the machine that downloads
    entries = re.split(r"\n(?=[A-Za-z0-9])", chosen.strip())
    assert all(entry.count("--hash=sha256:") >= 1 for entry in entries)
    windows_only = {
        Requirement(line.rstrip(" \\")).name for line in LOCK.splitlines() if "sys_platform == 'win32'" in line
    }
    assert windows_only
    assert (windows_only <= find_names(chosen)) is (name == "windows")


@pytest.mark.soak  # a minute and a half of downloading and installing
@pytest.mark.xdist_group("offline-bundle")
class TestLinux:
    def test_sums_are_of_everything(self, bundle: Path) -> None:
        listed = dict(
            reversed(line.split("  ", 1)) for line in (bundle / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        )
        files = {
            p.relative_to(bundle).as_posix(): p for p in bundle.rglob("*") if p.is_file() and p.name != "SHA256SUMS"
        }
        assert listed == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
        assert {"install.sh", "install.ps1", "shapan.service", "LICENSE", "docs/admin.zh-CN.md"} <= set(files)

    def test_licences_of_all_are_listed(self, bundle: Path) -> None:
        rows = list(csv.DictReader((bundle / "LICENCES.csv").read_text(encoding="utf-8").splitlines()))
        assert {row["package"] for row in rows} == find_names(
            (bundle / "requirements-linux.txt").read_text(encoding="utf-8")
        )
        assert [row["package"] for row in rows if row["licence"] in {"", "see the wheel"}] == []

    @pytest.mark.timeout(600)  # 35 s alone; unpacking half a gigabyte suffers most from a busy disk
    def test_installs_and_serves_without_any_network(self, bundle: Path, tmp_path: Path) -> None:
        command = find_way_to_cut_off()
        if command is None:
            give_up("A network namespace cannot be made here (unshare --net): that no network is needed was not shown.")
            return
        home = tmp_path / "home"
        home.mkdir()
        ran = subprocess.run(
            [*command, sys.executable, str(INSTALL), str(bundle), str(home), sys.executable],
            capture_output=True,
            text=True,
            timeout=560,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        seen: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
        assert seen["made"]["synthetic"] is True
        assert str(ROOT) not in seen["where"]
        assert seen["answers"]["/health"]["text"] == '{"status":"ok"}'
        assert seen["answers"]["/"]["status"] == 200
        assert seen["answers"]["/vendor/deck.js"]["bytes"] > 1_000_000
        assert seen["code"] == 0
        assert (
            f'ExecStart="{home}/.local/share/shapan-program/bin/shapan" serve "--store" "demo" "--port" "8601"'
            in seen["unit"]
        )
        assert "@" not in seen["unit"]

    def test_a_changed_wheel_is_not_installed(self, bundle: Path, tmp_path: Path) -> None:
        shutil.copytree(bundle, tmp_path / "bundle", copy_function=os.link)
        victim = next((tmp_path / "bundle" / "wheels" / "linux").glob("typer-*.whl"))
        content = victim.read_bytes()
        victim.unlink()
        victim.write_bytes(content + b"x")
        environment = {"PATH": os.defpath, "HOME": str(tmp_path), "PYTHON": sys.executable}
        ran = subprocess.run(
            [str(tmp_path / "bundle" / "install.sh")], env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 1
        assert "The bundle is damaged or was changed" in ran.stderr
        assert not (tmp_path / ".local").exists()

    def test_without_python_it_says_what_is_missing(self, bundle: Path, tmp_path: Path) -> None:
        tools = tmp_path / "bin"
        tools.mkdir()
        for name in ("dirname", "sh", "sed"):
            (tools / name).symlink_to(str(shutil.which(name)))
        ran = subprocess.run(
            ["/bin/sh", str(bundle / "install.sh")],
            env={"PATH": str(tools), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 1
        assert "Shapan needs Python 3.11, which this bundle does not bring" in ran.stderr


@pytest.mark.soak
def test_windows_wheels_are_all_that_windows_needs(tmp_path: Path) -> None:
    """Judged by uv's resolver, for another platform than the one that it runs on."""
    bundle = make_bundle(tmp_path, "windows")
    wanted = tmp_path / "wanted.in"
    wanted.write_text(f"shapan=={read_version()}\n", encoding="utf-8")
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--no-annotate", "--no-header"]
    wheels = ["--no-index", "--find-links", str(bundle / "wheels" / "windows"), "--only-binary", ":all:"]
    target = ["--python-platform", "x86_64-pc-windows-msvc", "--python-version", "3.11"]
    seen = subprocess.run(
        [*uv, *wheels, *target, str(wanted)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert seen.returncode == 0, seen.stderr
    assert find_names(seen.stdout) == find_names((bundle / "requirements-windows.txt").read_text(encoding="utf-8"))
