"""Build with pip, where there is no colcon: run CMakeLists.txt and pack what it installs.

Where there is nothing to generate messages with, the pure part is packed alone.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from configparser import ConfigParser
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

from setuptools import Distribution, Extension, find_packages, setup
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "tools"))

import ros_wheels  # noqa: E402

SITE = os.path.relpath(sysconfig.get_path("platlib"), sys.prefix)
MANIFEST = ElementTree.parse(HERE / "package.xml").getroot()
NAME = MANIFEST.findtext("name")
SHARED = ("config", "config/contracts", "launch")
CAN_GENERATE = all(map(find_spec, ("ament_package", "rosidl_generator_py")))  # see tools/build_backend.py


class FreshBuild(build):
    """Forget an earlier build: modules that are gone since would be packed with the others."""

    def run(self):
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


class CMakeInstall(build_ext):
    """Have CMake generate and compile the messages, and take over everything it installs."""

    def run(self):
        import ament_package  # in the prefix that all the ROS wheels share

        wheels = str(Path(ament_package.__file__).parents[4])
        ros = os.pathsep.join(filter(None, [wheels, os.environ.get("AMENT_PREFIX_PATH")]))
        env = dict(os.environ, AMENT_PREFIX_PATH=ros, CMAKE_PREFIX_PATH=ros)
        build = Path(self.build_temp).resolve()
        prefix = build / "prefix"
        # Fresh, because pip builds in an environment of its own, elsewhere each time.
        configure = ["--fresh", "-S", HERE, "-B", build, "-G", "Ninja", "-DBUILD_TESTING=OFF",
                     f"-DCMAKE_INSTALL_PREFIX={prefix}", f"-DPYTHON_INSTALL_DIR={SITE}",
                     f"-DPython3_EXECUTABLE={sys.executable}"]  # fmt: skip
        shutil.rmtree(prefix, ignore_errors=True)
        for arguments in configure, ["--build", build, "--target", "install"]:
            if subprocess.run(["cmake", *map(str, arguments)], env=env).returncode:
                sys.exit("error: CMake failed; what it says stands above")
        target = HERE if self.editable_mode or self.inplace else Path(self.build_lib)
        ignore = shutil.ignore_patterns("__pycache__", "*.c")
        shutil.copytree(prefix / SITE / NAME, target / NAME, dirs_exist_ok=True, ignore=ignore)
        # Relative to sys.prefix: beside the wheels of ROS, where the loader and ament look.
        self.distribution.data_files = [
            (str(file.parent.relative_to(prefix)), [os.path.relpath(file, HERE)])
            for top in ("lib", "share")
            for file in (prefix / top).rglob("*")
            if file.is_file() and "__pycache__" not in file.parts and prefix / SITE not in file.parents
        ]

    def get_outputs(self):
        return []

    def get_output_mapping(self):
        return {}


class Dist(Distribution):
    """Say that there are data files before they are known: an editable install leaves them out otherwise."""

    has_data = Distribution.has_data_files


def extras():
    """Return those of setup.cfg, and one for each ROS 2 that PyPI has; `ros` is the one of the messages."""
    config = ConfigParser()
    config.read(HERE / "setup.cfg")
    found = {name: value.replace("\n", ";").split(";") for name, value in config["options.extras_require"].items()}
    found.update({name: ros_wheels.run_requirements(name) for name in ros_wheels.DISTRIBUTIONS})
    ros = os.environ.get("ROS")
    found["ros"] = found[ros if ros in ros_wheels.DISTRIBUTIONS else ros_wheels.DEFAULT]
    return found


def maintainer_email():
    """Return the address of package.xml, None for one that reaches nobody (RFC 2606)."""
    email = MANIFEST.find("maintainer").get("email")
    return None if email.endswith(".invalid") else email


setup(
    distclass=Dist,
    name=NAME,
    version=MANIFEST.findtext("version"),
    description=MANIFEST.findtext("description"),
    license_expression=MANIFEST.findtext("license"),
    author=MANIFEST.findtext("author"),
    maintainer=MANIFEST.findtext("maintainer"),
    maintainer_email=maintainer_email(),
    project_urls={url.get("type").capitalize(): url.text for url in MANIFEST.findall("url")},
    packages=find_packages(include=[NAME, f"{NAME}.*"], exclude=[f"{NAME}.msg", f"{NAME}.srv"]),
    package_data={"": ["py.typed", "*.yaml", "*.json"]},
    data_files=[(f"share/{NAME}/{kind}", sorted(map(str, Path(kind).glob("*.*")))) for kind in SHARED],
    ext_modules=[Extension(NAME, [])] if CAN_GENERATE else [],
    cmdclass={"build": FreshBuild, "build_ext": CMakeInstall},
    install_requires=["gymnasium>=1.0", "numpy"],
    extras_require=extras(),
)
