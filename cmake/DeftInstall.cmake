# Installs libraries, headers, programs and the package that find_package(deft) reads.
include(CMakePackageConfigHelpers)

set(_deft_package ${CMAKE_INSTALL_LIBDIR}/cmake/deft)
set(_deft_libraries deft)
set(_deft_header_folders kernels core layers optim data)
if(DEFT_APPS)
  list(APPEND _deft_libraries deft_support)
  list(APPEND _deft_header_folders apps/support)
  install(TARGETS cifar10 geometry scaled_mnist visualize RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(DIRECTORY apps/models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/deft/models)
endif()

install(TARGETS ${_deft_libraries} EXPORT deftTargets)
install(EXPORT deftTargets NAMESPACE deft:: DESTINATION ${_deft_package})
# What stands in these folders is for deft only; docs/design.md says more.
foreach(folder IN LISTS _deft_header_folders)
  install(DIRECTORY ${folder}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/deft/${folder} FILES_MATCHING PATTERN "*.h"
    PATTERN cpu EXCLUDE PATTERN cuda EXCLUDE PATTERN detail EXCLUDE)
endforeach()
install(FILES deft.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/deft OPTIONAL)

configure_package_config_file(cmake/deftConfig.cmake.in deftConfig.cmake INSTALL_DESTINATION ${_deft_package})
write_basic_package_version_file(deftConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/deftConfig.cmake ${PROJECT_BINARY_DIR}/deftConfigVersion.cmake
  cmake/Findcairo.cmake DESTINATION ${_deft_package})
