#!/usr/bin/env bash
# Set-up, build, then two epochs of both nets of experiment E0 (plain and deformable convolutions) and a comparison of
# them on scaled test images. Arguments go to both trainings, for instance: scripts/quickstart.sh --threads 2
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
cmake --preset release
cmake --build --preset release --target scaled_mnist
program=build/release/bin/scaled_mnist

in_deft_data() {
  [[ -n ${DEFT_DATA:-} ]] && { compgen -G "$DEFT_DATA/train-images*" || compgen -G "$DEFT_DATA/mnist/train-images*"; } >/dev/null
}

data=()
if in_deft_data; then
  echo "quickstart: training on MNIST from $DEFT_DATA"
elif scripts/download_data.sh mnist; then
  echo "quickstart: training on MNIST"
else
  echo "quickstart: MNIST could not be downloaded; training on synthetic digits, drawn in code, instead"
  data=(--data synthetic)
fi

for model in regular deform-v2; do
  "$program" train --model "$model" --epochs 2 --out "runs/quickstart-$model" "${data[@]}" "$@"
done
"$program" compare runs/quickstart-regular runs/quickstart-deform-v2
