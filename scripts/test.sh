#!/usr/bin/env bash
# Set-up, build, all tests. Arguments go to ctest, for instance: scripts/test.sh -R golden
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
cmake --preset release -U DEFT_INSTRUCTION_SETS  # which scripts/quickstart.sh narrows
cmake --build --preset release
ctest --preset release "$@"
