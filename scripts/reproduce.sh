#!/usr/bin/env bash
# Trains and tests the nets of published experiments, and writes the results beside what was published:
# scripts/reproduce.sh E0 --seeds 1
# --help says more.
set -euo pipefail

if ! command -v python3 >/dev/null; then
  echo "reproduce.sh: needs python3; install it (apt: python3)" >&2
  exit 1
fi
exec python3 "$(dirname "${BASH_SOURCE[0]}")/results/reproduce.py" "$@"
