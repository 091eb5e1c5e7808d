# The start of .ci/run and .ci/full, sourced by them in the project's root: where the data are, and the compiler cache.
# Ends them with status 1 where data are missing.
shared=$(realpath -m ../shared)
export DEFT_DATA=${DEFT_DATA:-$shared/data}
# Tests skip what they do not find; here nothing is skipped.
if [[ ! -e $DEFT_DATA/mnist ]]; then
  echo "$DEFT_DATA/mnist is missing; DEFT_DATA says where the data are" >&2
  exit 1
fi
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
