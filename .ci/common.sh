# What .ci/run and .ci/full start with, sourced by them in the project's root: where the data and the golden file are, and
# the compiler cache. Ends them with status 1 where data or golden file are missing.
shared=$(realpath -m ../shared)
export DEFT_DATA=${DEFT_DATA:-$shared/data}
export DEFT_GOLDEN=${DEFT_GOLDEN:-$shared/golden/golden.safetensors}
# Tests skip what they do not find; here nothing is skipped.
for needed in "$DEFT_DATA/mnist" "$DEFT_GOLDEN"; do
  if [[ ! -e $needed ]]; then
    echo "$needed is missing; DEFT_DATA and DEFT_GOLDEN say where the data and the golden file are" >&2
    exit 1
  fi
done
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
