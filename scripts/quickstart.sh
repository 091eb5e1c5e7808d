#!/usr/bin/env bash
# Set-up, build, then two epochs of both nets of experiment E0 (plain and deformable convolutions) and a comparison of
# them on scaled test images, on a GPU where there is one with nvcc. Arguments go to both trainings, for instance:
# scripts/quickstart.sh --threads 2
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
cuda=OFF
options=()
if nvidia-smi --list-gpus 2>/dev/null | grep -q '^GPU 0' && [[ -n $(command -v nvcc) || -x /usr/local/cuda/bin/nvcc ]]; then
  cuda=ON
  options+=(--device cuda)
fi

# The kernels for this processor only; scripts/test.sh builds all of them.
runs() {
  local features flag
  features=" $(grep -m 1 '^flags' /proc/cpuinfo || true) "
  for flag in "$@"; do [[ $features == *" $flag "* ]] || return; done
}
sets=
if runs avx2 fma bmi1 bmi2 popcnt; then
  sets=avx2
  if runs avx512f avx512bw avx512cd avx512dq avx512vl; then sets=avx512; fi
fi

cmake --preset release -DDEFT_CUDA=$cuda -DDEFT_INSTRUCTION_SETS=$sets
cmake --build --preset release --target scaled_mnist
program=build/release/bin/scaled_mnist

in_deft_data() {
  [[ -n ${DEFT_DATA:-} ]] && { compgen -G "$DEFT_DATA/train-images*" || compgen -G "$DEFT_DATA/mnist/train-images*"; } >/dev/null
}

if in_deft_data; then
  echo "quickstart: training on MNIST from $DEFT_DATA"
elif scripts/download_data.sh mnist; then
  echo "quickstart: training on MNIST"
else
  echo "quickstart: MNIST could not be downloaded; training on synthetic digits, drawn in code, instead"
  options+=(--data synthetic)
fi

for model in regular deform-v2; do
  "$program" train --model "$model" --epochs 2 --out "runs/quickstart-$model" "${options[@]}" "$@"
done
"$program" compare runs/quickstart-regular runs/quickstart-deform-v2
