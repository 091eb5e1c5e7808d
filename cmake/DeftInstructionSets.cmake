# deft_kernels(SOURCE...): sources of deft that are compiled once per instruction set; kernels/runtime/cpu/kernel.h has
# their rules. Compiled with deft itself they are the first set's. DEFT_MORE_SETS are the others that
# DEFT_INSTRUCTION_SETS names, on x86-64; DEFT_HAVE_AVX2 and DEFT_HAVE_AVX512 tell the sources. Their flags are what
# kernels/runtime/cpu/instruction_set.cpp asks the processor for.
include(CheckCXXSymbolExists)
check_cxx_symbol_exists(__x86_64__ cstddef DEFT_X86_64)
set(DEFT_MORE_SETS "")
set(deft_set_definitions "")
foreach(_set IN LISTS DEFT_INSTRUCTION_SETS)
  if(NOT _set MATCHES "^avx(2|512)$")
    message(FATAL_ERROR "DEFT_INSTRUCTION_SETS has '${_set}', expected avx2, avx512 or nothing")
  endif()
  if(DEFT_X86_64)
    list(APPEND DEFT_MORE_SETS ${_set})
    string(TOUPPER DEFT_HAVE_${_set} _definition)
    list(APPEND deft_set_definitions ${_definition})
  endif()
endforeach()
set(_deft_avx2_flags -mavx2 -mfma -mbmi -mbmi2 -mpopcnt)
set(_deft_avx512_flags ${_deft_avx2_flags} -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl
  -mprefer-vector-width=512)
set(_deft_avx2_bytes 32)
set(_deft_avx512_bytes 64)

function(deft_kernels)
  # Vectors wider than the set's registers are no part of any interface. Each source is a unit: their loops are what
  # the compiler's time is for.
  set_property(SOURCE ${ARGN} DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} TARGET_DIRECTORY deft
    APPEND PROPERTY COMPILE_OPTIONS -Wno-psabi $<$<CONFIG:Release>:-O3>)
  set_property(SOURCE ${ARGN} DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} TARGET_DIRECTORY deft
    PROPERTY SKIP_UNITY_BUILD_INCLUSION ON)
  target_sources(deft PRIVATE ${ARGN})
  foreach(set IN LISTS DEFT_MORE_SETS)
    set(objects deft_kernels_${set})
    add_library(${objects} OBJECT ${ARGN})
    set_target_properties(${objects} PROPERTIES POSITION_INDEPENDENT_CODE
      $<TARGET_PROPERTY:deft,POSITION_INDEPENDENT_CODE>)
    target_compile_features(${objects} PRIVATE cxx_std_20)
    target_include_directories(${objects} PRIVATE ${DEFT_INCLUDE_DIR})
    target_link_libraries(${objects} PRIVATE deft_options Eigen3::Eigen)
    target_compile_definitions(${objects} PRIVATE EIGEN_DONT_PARALLELIZE DEFT_SIMD_BYTES=${_deft_${set}_bytes})
    # Without optimisation no function of std is inlined; who wants to step through a kernel takes the first set's.
    target_compile_options(${objects} PRIVATE ${_deft_${set}_flags} $<$<CONFIG:Debug>:-O2>)
    target_sources(deft PRIVATE $<TARGET_OBJECTS:${objects}>)
  endforeach()
endfunction()
