#!/usr/bin/env bash
# Fills .carry/ with what a machine without any package source needs to build and run deft, beside a C++20 compiler and
# CMake: the header and static libraries of this system's packages, and MNIST. There,
#   cmake -C .carry/carry.cmake ...
# finds the libraries; scripts/gpu_check.sh does so by itself. DEFT_DATA names the folder of the data.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=(libeigen3-dev catch2 nlohmann-json3-dev libcli11-dev libfmt-dev libstb-dev zlib1g-dev)
most_kib=$((40 << 10))
mnist=${DEFT_DATA:-${XDG_CACHE_HOME:-$HOME/.cache}/deft}/mnist

fail() {
  echo "offline_bundle: $*" >&2
  exit 1
}
command -v apt-get >/dev/null || fail "this system has no apt-get, whose packages are the bundle"
compgen -G "$mnist/train-images*" >/dev/null || fail "no MNIST in $mnist; DEFT_DATA says where data is"

root=$PWD/.carry
rm -rf "$root"
mkdir -p "$root/debs" "$root/data/mnist"
(cd "$root/debs" && apt-get -qq -o APT::Sandbox::User=root download "${packages[@]}") ||
  fail "apt-get cannot download ${packages[*]}; does 'apt-get update' help?"
for deb in "$root"/debs/*.deb; do
  dpkg-deb --show "$deb" >>"$root/packages.txt"
  dpkg -x "$deb" "$root"
done
rm -rf "$root/debs" "$root"/usr/share/{doc,doc-base,man,lintian,pkgconfig} "$root"/usr/lib/*/pkgconfig

# Links to shared libraries, which belong to other packages and fit only this system.
find "$root" -name '*.so' -delete
# Some releases keep this one where only the system's compiler looks.
find "$root/usr/include" -mindepth 2 -name zconf.h -exec mv {} "$root/usr/include/" \;
# The package's own description names the shared library; without it fmt is a header library.
rm "$root"/usr/lib/*/cmake/fmt/fmt-{config,targets*}.cmake
cat >"$(dirname "$(find "$root" -name fmt-config-version.cmake)")/fmt-config.cmake" <<'CMAKE'
if(NOT TARGET fmt::fmt)
  add_library(fmt::fmt INTERFACE IMPORTED)
  target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)
  get_filename_component(_fmt_include "${CMAKE_CURRENT_LIST_DIR}/../../../../include" ABSOLUTE)
  target_include_directories(fmt::fmt SYSTEM INTERFACE ${_fmt_include})
endif()
CMAKE

cp "$mnist"/*ubyte* "$root/data/mnist/"
chmod -R u+w "$root"
cat >"$root/carry.cmake" <<'CMAKE'
# For cmake -C: libraries are looked for in this bundle first.
set(CMAKE_PREFIX_PATH "${CMAKE_CURRENT_LIST_DIR}/usr" CACHE PATH "where libraries are looked for")
CMAKE

size=$(du -sk --apparent-size "$root" | cut -f 1)
((size <= most_kib)) || fail ".carry is $size KiB, at most $most_kib are allowed"
echo "offline_bundle: .carry holds $((size >> 10)) MiB:"
cat "$root/packages.txt"
