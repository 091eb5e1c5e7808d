#!/usr/bin/env bash
# Installs the packages that deft is built from, where apt-get can; says what it does. Elsewhere it names what to
# install and fails; DEFT_SKIP_SETUP=1 says that everything is there and skips it.
set -euo pipefail

if [[ ${DEFT_SKIP_SETUP:-} == 1 ]]; then
  echo "setup: skipped, as DEFT_SKIP_SETUP is 1."
  exit 0
fi

packages=(cmake ninja-build g++ libeigen3-dev catch2 nlohmann-json3-dev libcli11-dev libfmt-dev libstb-dev zlib1g-dev
  libjpeg-dev libpng-dev libcairo2-dev libgif-dev libprotobuf-dev protobuf-compiler libboost-context-dev
  ca-certificates curl)

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  cat >&2 <<'TEXT'
setup: this system has no apt-get. deft needs a C++20 compiler, CMake 3.25, Ninja, Eigen 3.4, Catch2,
setup: nlohmann-json 3.11, CLI11 2.1, fmt, stb and zlib; for JPEG images libjpeg-turbo, for PNG images libpng (without
setup: them stb reads both); for charts and pictures cairo, for animations giflib, for TensorBoard's event files protobuf
setup: with protoc and Boost; for the tests of the CUDA half Boost.Context; for instance
setup:   Fedora: sudo dnf install gcc-c++ cmake ninja-build eigen3-devel catch-devel json-devel cli11-devel fmt-devel stb_image-devel zlib-devel libjpeg-turbo-devel libpng-devel cairo-devel giflib-devel protobuf-devel protobuf-compiler boost-devel
setup:   Arch:   sudo pacman -S --needed gcc cmake ninja eigen catch2 nlohmann-json cli11 fmt stb zlib libjpeg-turbo libpng cairo giflib protobuf boost
setup: Once all of it is installed, set DEFT_SKIP_SETUP=1 and start again.
TEXT
  exit 1
fi

installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

missing=()
for package in "${packages[@]}"; do
  installed "$package" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "setup: all packages are there."
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "setup: not root and no sudo; as root, run: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
echo "setup: done."
