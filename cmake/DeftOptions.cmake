# Kernels take -O3 (DeftInstructionSets.cmake); elsewhere it costs the compiler time and gains nothing.
string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")

# deft_options: the compiler flags of every target of this project; not part of what users of deft::deft inherit.
add_library(deft_options INTERFACE)
target_compile_options(deft_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -fno-math-errno -fno-trapping-math -fopenmp-simd>
  $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wno-pass-failed>  # loops that GCC vectorises as asked and clang does not
  # CMake 3.25 knows no C++20 for CUDA.
  "$<$<COMPILE_LANGUAGE:CUDA>:-std=c++20;-Xcompiler=-Wall,-Wextra;-Xptxas=-warn-spills>")

if(DEFT_SANITIZE STREQUAL "ON")
  set(_deft_sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(DEFT_SANITIZE STREQUAL "thread")
  set(_deft_sanitizers -fsanitize=thread)
elseif(DEFT_SANITIZE)
  message(FATAL_ERROR "DEFT_SANITIZE is '${DEFT_SANITIZE}', expected OFF, ON or thread")
endif()
if(DEFT_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR NOT DEFT_SANITIZE STREQUAL "ON")
    message(FATAL_ERROR "DEFT_FUZZ needs clang and DEFT_SANITIZE=ON, found ${CMAKE_CXX_COMPILER_ID} and "
      "DEFT_SANITIZE=${DEFT_SANITIZE}")
  endif()
  list(APPEND _deft_sanitizers -fsanitize=fuzzer-no-link)
endif()
if(_deft_sanitizers)
  # With a sanitizer's code in it, GCC finds values in <regex> and in temporaries that it takes for uninitialised.
  target_compile_options(deft_options INTERFACE ${_deft_sanitizers} -fno-omit-frame-pointer
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-maybe-uninitialized>)
  target_link_options(deft_options INTERFACE ${_deft_sanitizers})
endif()

set(_deft_cuda_values AUTO ON OFF EMULATE)
if(NOT DEFT_CUDA IN_LIST _deft_cuda_values)
  message(FATAL_ERROR "DEFT_CUDA is '${DEFT_CUDA}', expected AUTO, ON, OFF or EMULATE")
endif()
include(DeftCuda)
