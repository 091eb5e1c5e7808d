#!/usr/bin/env bash
# Everything that needs a GPU, in one command of at most nine minutes: builds deft for the GPU of this machine (only
# against .carry/ where scripts/offline_bundle.sh made one), runs all tests on it, times every kernel, compares with
# PyTorch where Python has it, trains E0 on both devices, and looks for memory errors and races where compute-sanitizer
# is installed.
# Every stage has a limit of seconds; one that fails does not stop the others, but the exit status is then 1.
#
# usage: scripts/gpu_check.sh [--emulate]
#
# --emulate tries the script itself on any machine: tiny sizes on the emulator in place of a GPU. Results, tables in
# gpu_check.md and records as JSON, go to the folder that OUT names, otherwise to gpu_check/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

most_seconds=525 # leaves a little of the nine minutes for what stands between the stages
time_scale=1
emulate=false
if [[ ${1:-} == --emulate ]]; then
  emulate=true
elif [[ $# -gt 0 ]]; then
  echo "usage: scripts/gpu_check.sh [--emulate]" >&2
  exit 2
elif ! nvidia-smi --list-gpus 2>/dev/null | grep -q '^GPU 0'; then
  echo "gpu_check: nvidia-smi finds no GPU here; --emulate tries the script without one" >&2
  exit 1
fi

out=$(realpath -m "${OUT:-gpu_check}")
build=$PWD/build/gpu_check
runs=$build/runs
bin=$build/bin
python=${PYTHON:-python3}
data=${DEFT_DATA:-${XDG_CACHE_HOME:-$HOME/.cache}/deft}
cmake_arguments=(-DCMAKE_BUILD_TYPE=Release)
if $emulate; then
  cmake_arguments+=(-DDEFT_CUDA=EMULATE)
  time_scale=20 # the emulator's machine may have few cores
  everything=()
  tests='^cuda kernel_tests: ?(event|relu)'
  kernels=(--tiny --seconds 0) step=(--tiny --filter E0 --batch-size 2 --seconds 0) training=(--limit 64)
  peers=(--device cpu --tiny --rounds 1)
else
  cmake_arguments+=(-DDEFT_CUDA=ON)
  everything=(all)
  tests='^cuda '
  kernels=(--seconds 0.05) step=(--filter E0 --seconds 1) training=() peers=(--seconds 0.03)
fi
if [[ -f .carry/carry.cmake ]]; then
  cmake_arguments=(-C .carry/carry.cmake "${cmake_arguments[@]}")
  data=.carry/data
fi
if command -v ninja >/dev/null; then cmake_arguments+=(-G Ninja); else cmake_arguments+=(-G "Unix Makefiles"); fi
export DEFT_DATA
DEFT_DATA=$(realpath -m "$data")
rm -rf "$out" "$runs" "$build"/*.log
mkdir -p "$out" "$runs"

# Where the CUDA Toolkit lacks cuBLAS, that of Python's NVIDIA packages is used.
use_cublas_of_python() {
  local nvcc toolkit library
  nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
  toolkit=$(dirname "$(dirname "$(realpath "$nvcc")")")
  if compgen -G "$toolkit/include/cublas_v2.h" || compgen -G "$toolkit/targets/*/include/cublas_v2.h"; then return; fi
  library=$("$python" -c 'import glob, nvidia
print(*[file for root in nvidia.__path__ for file in glob.glob(root + "/*/lib/libcublas.so.*")])' | cut -d ' ' -f 1)
  [[ -n $library ]] || return 0
  echo "cuBLAS: $library"
  cmake_arguments+=("-DCUDA_cublas_LIBRARY=$library")
  export CPATH=${library%/lib/*}/include${CPATH:+:$CPATH}
}

build() {
  $emulate || use_cublas_of_python
  cmake -S . -B "$build" "${cmake_arguments[@]}"
  # What compiles is used even if something else does not, and programs are there even if time is up for the tests.
  local keep_going=(-j "$(nproc)" -- -k)
  if command -v ninja >/dev/null; then keep_going=(-- -k 0); fi
  local status=0 targets
  for targets in "bench scaled_mnist kernel_tests" "${everything[@]}"; do
    # shellcheck disable=SC2086 # a list
    cmake --build "$build" --target $targets "${keep_going[@]}" || status=1
  done
  return $status
}

# Several tests at once: most time goes into opening the device.
run_tests() { ctest --test-dir "$build" --no-tests=error -R "$tests" -j 8 --timeout 60 --output-on-failure; }

time_kernels() { "$bin/bench" kernels --device cuda "${kernels[@]}" --json "$out/kernels.json"; }

time_steps() {
  local precision
  for precision in highest tf32; do
    printf 'Precision %s. ' $precision
    "$bin/bench" step --device cuda --precision $precision "${step[@]}" --json "$out/step_$precision.json"
    echo
  done
}

compare_torch() {
  if ! "$python" -c 'import torch, torchvision' 2>/dev/null; then
    echo "skipped: $python has no torch and torchvision"
    return
  fi
  "$python" scripts/compare_torch.py "$bin/bench" "${peers[@]}" --json "$out/torch.json"
}

# Two epochs of E0 on both devices. Rounding makes them differ by a point or two, an error by more.
train() {
  local model device folders=()
  for model in regular deform-v2; do
    for device in cpu cuda; do
      folders+=("$runs/$model-$device")
      "$bin/scaled_mnist" train --model "$model" --device "$device" --epochs 2 "${training[@]}" \
        --out "${folders[-1]}" --quiet
    done
  done
  "$bin/scaled_mnist" compare "${folders[@]}"
  local status=0
  for model in regular deform-v2; do
    awk -v model="$model" -F '[:,]' '/"best_accuracy"/ { best[++n] = $2 }
      END { apart = best[1] - best[2]; if (apart < 0) apart = -apart
            if (n != 2 || apart > 0.05) { print model ": the devices are too far apart"; exit 1 } }' \
      "$runs/$model-cpu/summary.json" "$runs/$model-cuda/summary.json" || status=1
  done
  return $status
}

# On exact allocations, so that an access just beyond one is seen.
sanitize() {
  if $emulate || ! command -v compute-sanitizer >/dev/null; then
    echo "skipped: no compute-sanitizer"
    return
  fi
  DEFT_TEST_DEVICE=cuda DEFT_ALLOCATOR=system compute-sanitizer --tool "$1" --error-exitcode 9 "$bin/kernel_tests" "$2"
}
memcheck() { sanitize memcheck '~[cpu]*conv*'; }
racecheck() { sanitize racecheck '~[cpu]*conv*'; }

declare -A result seconds
failed=0

# stage SECONDS FUNCTION: runs the function, its output in $build/FUNCTION.log and on the terminal.
stage() {
  local budget=$(($1 * time_scale)) name=$2 begin=$SECONDS status=0
  local left=$((most_seconds * time_scale - SECONDS))
  if ((left < 5)); then
    result[$name]="no time left"
    seconds[$name]=0
    failed=1
    echo "no time left" >"$build/$name.log"
    return
  fi
  echo "=== $name"
  ("$name" 2>&1 | tee "$build/$name.log") &
  local pid=$!
  # The stage is a process group, so that the limit ends what it has started too.
  (sleep "$((budget < left ? budget : left))" && kill -TERM -- "-$pid") 2>/dev/null &
  local clock=$!
  wait "$pid" || status=$?
  kill -- "-$clock" 2>/dev/null || true
  wait "$clock" 2>/dev/null || true
  seconds[$name]=$((SECONDS - begin))
  case $status in
    0) result[$name]=$(grep -m 1 '^skipped' "$build/$name.log" || echo passed) ;;
    143) result[$name]="over its limit of $budget s" failed=1 ;;
    *) result[$name]=FAILED failed=1 ;;
  esac
}

# The head of the report.
describe() {
  if $emulate; then
    echo "The emulator, at tiny sizes: these numbers say nothing about a GPU."
  else
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
    nvcc --version | grep release || true
  fi
  git log -1 --format='Commit %h, %cs.' 2>/dev/null || true
}

report() {
  local name
  printf '# gpu_check\n\n'
  describe
  printf '\n| stage | result | seconds |\n|---|---|---:|\n'
  for name in "${stages[@]}"; do echo "| $name | ${result[$name]} | ${seconds[$name]} |"; done
  printf '\nTests: %s\n' "$(grep -h 'tests passed' "$build/run_tests.log" || echo none)"
  for name in "$@"; do
    printf '\n## %s\n\n' "$name"
    if [[ $name == train ]]; then printf '```text\n%s\n```\n' "$(cat "$build/$name.log")"; else cat "$build/$name.log"; fi
  done
}

set -m # stages are process groups
stages=(build run_tests time_kernels compare_torch time_steps train memcheck racecheck)
stage 200 build
stage 100 run_tests
stage 60 time_kernels
stage 60 compare_torch
stage 20 time_steps
stage 80 train
stage 45 memcheck
stage 45 racecheck

report time_kernels compare_torch time_steps train >"$out/gpu_check.md"
tail -n 40 "$build"/{run_tests,memcheck,racecheck}.log >"$out/logs.txt"
echo
report compare_torch time_steps train
echo
echo "gpu_check: tables are in $out/gpu_check.md"
exit $failed
