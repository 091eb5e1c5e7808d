# deft_kernels(SOURCE...): sources of deft that are compiled once per instruction set; kernels/cpu/kernel.h has their rules.
# Compiled with deft itself they are the first set's; the others' flags are those that kernels/cpu/instruction_set.cpp asks
# the processor for.
set(_deft_avx2 -mavx2 -mfma -mbmi -mbmi2 -mpopcnt)
set(_deft_avx512 ${_deft_avx2} -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl -mprefer-vector-width=512)

function(deft_kernels)
  target_sources(deft PRIVATE ${ARGN})
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    return()
  endif()
  target_compile_definitions(deft PRIVATE DEFT_X86_64_SETS)
  foreach(set avx2 avx512)
    set(objects deft_kernels_${set})
    add_library(${objects} OBJECT ${ARGN})
    set_target_properties(${objects} PROPERTIES POSITION_INDEPENDENT_CODE
      $<TARGET_PROPERTY:deft,POSITION_INDEPENDENT_CODE>)
    target_compile_features(${objects} PRIVATE cxx_std_20)
    target_include_directories(${objects} PRIVATE ${DEFT_INCLUDE_DIR})
    target_link_libraries(${objects} PRIVATE deft_options Eigen3::Eigen)
    target_compile_definitions(${objects} PRIVATE EIGEN_DONT_PARALLELIZE)
    target_compile_options(${objects} PRIVATE ${_deft_${set}})
    target_sources(deft PRIVATE $<TARGET_OBJECTS:${objects}>)
  endforeach()
  target_compile_definitions(deft_kernels_avx2 PRIVATE DEFT_SIMD_BYTES=32)
  target_compile_definitions(deft_kernels_avx512 PRIVATE DEFT_SIMD_BYTES=64)
endfunction()
