#!/usr/bin/env bash
# instruction_sets_test.sh LIBRARY...: fails and names the functions if any but those of the namespaces simd_avx2 and
# simd_avx512 hold instructions that not every x86-64 processor has (kernels/cpu/kernel.h says how that happens).
set -euo pipefail

objdump --disassemble --no-show-raw-insn "$@" | awk '
  /^[0-9a-f]+ <.*>:$/ {
    name = substr($2, 2, length($2) - 3)
    # What initialises variables runs on every processor.
    allowed = name ~ /simd_avx(2|512)/ && name !~ /^_GLOBAL__sub_I/
    next
  }
  allowed || NF < 2 { next }
  $2 ~ /^(v[^e].*|mulx|rorx|sarx|shlx|shrx|andn|bextr|bzhi|bls(i|r|msk)|pdep|pext|popcnt|lzcnt|movbe)[lq]?$/ {
    if (!(name in found)) print $0 "   in " name
    found[name]
    functions = 1
  }
  END { exit functions }'  | c++filt
