#!/bin/sh
# Fetches data sets into the user's cache, where deft's programs look for them. Every file is checked against its
# published SHA-256 before it gets its name, so an interrupted or tampered download leaves nothing behind.
#
# usage: scripts/download_data.sh mnist|cifar10|cifar100 ...
set -eu

case ${XDG_CACHE_HOME:-} in
  /*) cache=$XDG_CACHE_HOME/deft ;;
  *) cache=${HOME:?is not set, so there is no cache folder}/.cache/deft ;;
esac

mnist_mirrors="https://ossci-datasets.s3.amazonaws.com/mnist https://storage.googleapis.com/cvdf-datasets/mnist"
cifar_mirrors="https://www.cs.toronto.edu/~kriz"

temporary=
alternative=
trap '[ -z "$temporary" ] || rm -rf "$temporary"' EXIT
trap 'exit 130' INT TERM

fail() {
  echo "download_data.sh: $*" >&2
  exit 1
}

sha256_of() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# fetch URL FILE
fetch() {
  if command -v curl >/dev/null; then
    curl --fail --location --silent --show-error --connect-timeout 20 --retry 2 --output "$2" "$1"
  elif command -v wget >/dev/null; then
    wget -q -T 20 -O "$2" "$1"
  else
    fail "needs curl or wget; install one of them"
  fi
}

# download FILE SHA256 MIRROR...: into $temporary
download() {
  file=$1 expected=$2
  shift 2
  for mirror; do
    echo "fetching $mirror/$file"
    fetch "$mirror/$file" "$temporary/$file" || continue
    found=$(sha256_of "$temporary/$file")
    [ "$found" = "$expected" ] && return
    echo "$mirror/$file has SHA-256 $found, expected $expected" >&2
  done
  fail "no good copy of $file from: $* (offline?); put it into $folder by hand$alternative"
}

# Sets $folder, and $temporary to an empty folder on the same file system.
begin() {
  folder=$cache/$1
  mkdir -p "$folder"
  temporary=$(mktemp -d "$folder/.download.XXXXXX")
}

end() {
  rm -rf "$temporary"
  temporary=
  echo "$1 is in $folder"
}

# The sums are those of the files as they have been published since 1998.
mnist() {
  begin mnist
  alternative=", or train on drawn digits with --data synthetic"
  while read -r name sum; do
    if [ ! -f "$folder/$name" ] || [ "$(sha256_of "$folder/$name")" != "$sum" ]; then
      # shellcheck disable=SC2086 # a list
      download "$name" "$sum" $mnist_mirrors
      mv -f "$temporary/$name" "$folder/$name"
    fi
  done <<END
train-images-idx3-ubyte.gz 440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609
train-labels-idx1-ubyte.gz 3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c
t10k-images-idx3-ubyte.gz 8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6
t10k-labels-idx1-ubyte.gz f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6
END
  end MNIST
}

# cifar NAME TITLE FOLDER ARCHIVE SHA256: an archive that holds FOLDER
cifar() {
  begin "$1"
  alternative=
  if [ ! -d "$folder/$3" ]; then
    # shellcheck disable=SC2086 # a list
    download "$4" "$5" $cifar_mirrors
    tar -xzf "$temporary/$4" -C "$temporary"
    mv "$temporary/$3" "$folder/$3"
  fi
  end "$2"
}

cifar10() {
  cifar cifar10 CIFAR-10 cifar-10-batches-bin \
    cifar-10-binary.tar.gz c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd
}

cifar100() {
  cifar cifar100 CIFAR-100 cifar-100-binary \
    cifar-100-binary.tar.gz 58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec
}

[ $# -gt 0 ] || fail "usage: scripts/download_data.sh mnist|cifar10|cifar100 ..."
for name; do
  case $name in
    mnist | cifar10 | cifar100) "$name" ;;
    *) fail "the data set is '$name', expected mnist, cifar10 or cifar100" ;;
  esac
done
