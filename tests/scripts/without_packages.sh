#!/usr/bin/env bash
# Runs a command in this machine as it would be without the packages of the libraries that deft uses: an overlay of the
# root in which they are removed, thrown away afterwards. Needs root. What the command writes is lost.
#
# usage: tests/scripts/without_packages.sh COMMAND...
set -euo pipefail

if [[ ${1:-} != --inside ]]; then
  exec unshare --mount --propagation private "${BASH_SOURCE[0]}" --inside "$PWD" "$@"
fi
folder=$2
shift 2

memory=$(mktemp -d)
mount -t tmpfs tmpfs "$memory"
root=$memory/root
mkdir "$memory/upper" "$memory/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$memory/upper,workdir=$memory/work" "$root"
for special in dev proc sys; do mount --rbind "/$special" "$root/$special"; done

removed=()
for package in libeigen3-dev catch2 nlohmann-json3-dev libcli11-dev libfmt-dev libstb-dev zlib1g-dev \
  libjpeg62-turbo-dev libjpeg-dev libpng-dev libcairo2-dev libgif-dev libprotobuf-dev protobuf-compiler; do
  if [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]]; then removed+=("$package"); fi
done
chroot "$root" dpkg --remove --force-depends "${removed[@]}" >/dev/null 2>&1
# The mounts vanish with this process's namespace.
exec chroot "$root" env -C "$folder" "$@"
