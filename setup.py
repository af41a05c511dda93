"""Build with pip, where there is no colcon: run CMakeLists.txt and pack what it installs."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from xml.etree import ElementTree

from setuptools import Distribution, Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).resolve().parent
SITE = os.path.relpath(sysconfig.get_path("platlib"), sys.prefix)
MANIFEST = ElementTree.parse(HERE / "package.xml").getroot()
NAME = MANIFEST.findtext("name")
PYTHON = ["gymnasium>=1.0", "numpy", "pyyaml"]  # the python3-* keys of package.xml that are not an extra
WITHOUT_WHEEL = ("python3-", "launch", "ros2launch")
ROS = [e.text for e in MANIFEST if e.tag in ("depend", "exec_depend") and not e.text.startswith(WITHOUT_WHEEL)]


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


setup(
    distclass=Dist,
    name=NAME,
    version=MANIFEST.findtext("version"),
    description=MANIFEST.findtext("description"),
    license=MANIFEST.findtext("license"),
    maintainer=MANIFEST.findtext("maintainer"),
    maintainer_email=MANIFEST.find("maintainer").get("email"),
    packages=find_packages(include=[NAME, f"{NAME}.*"], exclude=[f"{NAME}.msg"]),
    package_data={"": ["py.typed", "*.schema.json"]},
    ext_modules=[Extension(NAME, [])],  # not pure Python
    cmdclass={"build_ext": CMakeInstall},
    install_requires=[*PYTHON, *(f"ros-kilted-{name.replace('_', '-')}" for name in (*ROS, "rmw_fastrtps_cpp"))],
)
