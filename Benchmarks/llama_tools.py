"""llama.cpp's own tools, built from the source that the PyPI package llama-cpp-python carries."""
import glob
import os
import subprocess
import sys
import tarfile

PACKAGE = "llama-cpp-python==0.3.36"
OPTIONS = ["-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON", "-DBUILD_SHARED_LIBS=OFF",
           "-DLLAMA_BUILD_SERVER=OFF", "-DLLAMA_BUILD_UI=OFF", "-DLLAMA_USE_PREBUILT_UI=OFF",
           "-DLLAMA_BUILD_APP=OFF", "-DLLAMA_OPENSSL=OFF"]


def tool(name, folder):
    """The path of a tool such as `llama-quantize`; downloads and builds it (some minutes) the first time."""
    found = glob.glob(os.path.join(folder, "*", "vendor", "llama.cpp", "build", "bin", name))
    if found:
        return found[0]
    os.makedirs(folder, exist_ok=True)
    pip = [sys.executable, "-m", "pip"]
    subprocess.run([*pip, "install", "-q", "cmake", "ninja", "scikit-build-core"], check=True)
    subprocess.run([*pip, "download", "-q", "--no-deps", "--no-binary", "llama-cpp-python",
                    "--no-build-isolation", "-d", folder, PACKAGE], check=True)
    archive, = glob.glob(os.path.join(folder, "llama_cpp_python-*.tar.gz"))
    with tarfile.open(archive) as source:
        source.extractall(folder, filter="data")
    root, = glob.glob(os.path.join(folder, "*", "vendor", "llama.cpp"))
    commands = os.path.dirname(sys.executable)
    environment = {**os.environ, "PATH": commands + os.pathsep + os.environ["PATH"]}
    subprocess.run(["cmake", "-S", root, "-B", f"{root}/build", "-G", "Ninja", *OPTIONS],
                   check=True, env=environment, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", f"{root}/build", "--target", name],
                   check=True, env=environment, stdout=subprocess.DEVNULL)
    return os.path.join(root, "build", "bin", name)
