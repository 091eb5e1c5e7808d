#!/usr/bin/env bash
# instruction_sets_test.sh FILE...: disassembles libraries or object files and names the functions outside the
# namespaces simd_avx2 and simd_avx512 that hold instructions which not every x86-64 processor has, with the first such
# instruction. kernels/runtime/cpu/kernel.h says how they come there; fails if there are any.
set -euo pipefail

if ! command -v objdump >/dev/null; then
  echo "SKIPPED: no objdump (apt: binutils)"
  exit 77
fi
objdump --disassemble --no-show-raw-insn "$@" | awk '
  /^[0-9a-f]+ <.*>:$/ {
    name = substr($2, 2, length($2) - 3)
    # What initialises variables runs on every processor.
    allowed = name ~ /simd_avx(2|512)/ && name !~ /^_GLOBAL__sub_I/
    functions += 1
    next
  }
  allowed || name in found { next }
  $2 ~ /^(v[^e].*|(mulx|rorx|sarx|shlx|shrx|andn|bextr|bzhi|bls(i|r|msk)|pdep|pext|popcnt|lzcnt|movbe)[lq]?)$/ {
    found[name]
    leaks += 1
    sub(/^[^\t]*\t/, "")
    print name ": " $0
  }
  END {
    if (!functions) print "no functions in what objdump printed"
    exit leaks > 0 || !functions
  }' | c++filt
