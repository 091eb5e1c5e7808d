#!/bin/sh
# scripts/download_data.sh against stand-ins for the network: success, a wrong checksum, no connection.
# usage: download_data_test.sh SCRIPT
set -eu
script=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME="$work/cache"
export PATH="$work/bin:$PATH"
mnist=$XDG_CACHE_HOME/deft/mnist
mkdir "$work/bin"

# stand_in NAME: a program of this name whose text comes from the standard input
stand_in() {
  { echo '#!/bin/sh'; cat; } > "$work/bin/$1"
  chmod +x "$work/bin/$1"
}

check() {
  if ! "$@"; then
    echo "FAILED: $*" >&2
    cat "$work/output" >&2
    exit 1
  fi
}

run() { "$script" "$@" > "$work/output" 2>&1; }
fails() { ! run "$@"; }
says() { grep -q -e "$1" "$work/output"; }
holds() { [ "$(find "$1" -mindepth 1 -maxdepth 1 | wc -l)" -eq "$2" ]; }

check fails imagenet
check says "'imagenet', expected mnist, cifar10 or cifar100"

stand_in curl <<'END'
exit 6
END
check fails mnist
check says "no good copy of train-images-idx3-ubyte.gz"
check says "offline"
check holds "$mnist" 0

stand_in curl <<'END'
while [ "$1" != --output ]; do shift; done
echo damaged > "$2"
END
check fails mnist
check says "expected 440fcabf73cc546f"
check holds "$mnist" 0

# Files with good sums: their bytes are a stand-in's, and so is the program that adds them up.
for files in cifar-10-batches-bin cifar-100-binary; do
  mkdir "$work/$files"
  echo batch > "$work/$files/test.bin"
done
tar -czf "$work/cifar.tar.gz" -C "$work" cifar-10-batches-bin cifar-100-binary
stand_in curl <<END
while [ "\$1" != --output ]; do shift; done
cp "$work/cifar.tar.gz" "\$2"
END
stand_in sha256sum <<END
echo "\$(grep -o "\$(basename "\$1") [0-9a-f]\{64\}" "$script" | cut -d ' ' -f 2)  \$1"
END
check run mnist cifar10 cifar100
check test -f "$mnist/t10k-labels-idx1-ubyte.gz"
check holds "$mnist" 4
for files in cifar10/cifar-10-batches-bin cifar100/cifar-100-binary; do
  check test -f "$XDG_CACHE_HOME/deft/$files/test.bin"
  check holds "$(dirname "$XDG_CACHE_HOME/deft/$files")" 1
done

stand_in curl <<'END'
exit 6
END
check run mnist cifar10 cifar100 # nothing is fetched again
