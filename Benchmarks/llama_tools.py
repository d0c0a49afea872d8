"""llama.cpp as the PyPI package llama-cpp-python carries it: its tools, and the package's own Python over its library."""
import glob
import os
import subprocess
import sys
import tarfile

PACKAGE = "llama-cpp-python==0.3.36"
BUILDERS = ["cmake==4.4.5", "ninja==1.13.2", "scikit-build-core==1.1.2"]
# OpenBLAS, which Vise needs itself, computes batches of 32 tokens and more in 32-bit floats. Repacked weights would not
# go there.
OPTIONS = ["-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON", "-DBUILD_SHARED_LIBS=ON", "-DGGML_BLAS=ON",
           "-DGGML_BLAS_VENDOR=OpenBLAS", "-DGGML_CPU_REPACK=OFF",
           "-DLLAMA_BUILD_SERVER=OFF", "-DLLAMA_BUILD_UI=OFF", "-DLLAMA_USE_PREBUILT_UI=OFF",
           "-DLLAMA_BUILD_APP=OFF", "-DLLAMA_OPENSSL=OFF"]
# The same as fast as llama.cpp is: with its own kernels and weights repacked for them.
FAST = [option.replace("GGML_BLAS=ON", "GGML_BLAS=OFF").replace("REPACK=OFF", "REPACK=ON") for option in OPTIONS]


def source(folder):
    """The folder of the package's source; downloads it the first time."""
    found = glob.glob(os.path.join(folder, "llama_cpp_python-*", ""))
    if found:
        return found[0].rstrip(os.sep)
    os.makedirs(folder, exist_ok=True)
    pip = [sys.executable, "-m", "pip"]
    subprocess.run([*pip, "install", "-q", *BUILDERS], check=True)
    subprocess.run([*pip, "download", "-q", "--no-deps", "--no-binary", "llama-cpp-python",
                    "--no-build-isolation", "-d", folder, PACKAGE], check=True)
    archive, = glob.glob(os.path.join(folder, "llama_cpp_python-*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return source(folder)


def built(target, result, folder, options=OPTIONS):
    """The path of what a target makes; builds it (some minutes) the first time."""
    root = os.path.join(source(folder), "vendor", "llama.cpp")
    build = os.path.join(root, "build-fast" if options is FAST else "build")
    path = os.path.join(build, "bin", result)
    if os.path.exists(path):
        return path
    commands = os.path.dirname(sys.executable)
    environment = {**os.environ, "PATH": commands + os.pathsep + os.environ["PATH"]}
    subprocess.run(["cmake", "-S", root, "-B", build, "-G", "Ninja", *options],
                   check=True, env=environment, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", build, "--target", target],
                   check=True, env=environment, stdout=subprocess.DEVNULL)
    return path


def tool(name, folder, options=OPTIONS):
    """The path of a tool such as `llama-quantize`."""
    return built(name, name, folder, options)


def bindings(folder):
    """The module `llama_cpp` over the library built here; needs numpy, diskcache and jinja2."""
    library = built("llama", "libllama.so", folder)
    package = os.path.join(source(folder), "llama_cpp")
    link = os.path.join(package, "lib")
    if not os.path.exists(link):
        os.symlink(os.path.dirname(os.path.abspath(library)), link)
    sys.path.insert(0, os.path.dirname(package))
    import llama_cpp
    return llama_cpp
