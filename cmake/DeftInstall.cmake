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
# Headers that no public one includes; each says in its first line whose it is.
set(_deft_private_headers
  adam_factors.h affine_warp_value.h alike.h caching_allocator.h cifar_files.h conv_shape.h cross_entropy_shares.h
  exif.h html.h image_decoders.h image_stb.h instantiate.h jpeg_segments.h json.h node.h optional_data.h paths.h png_chunks.h
  pool_shape.h pool_window.h replace_elements.h report_style.h rows.h spaces.h tensor_impl.h transform_steps.h)
list(TRANSFORM _deft_private_headers REPLACE "(.+)" "PATTERN;\\1;EXCLUDE" OUTPUT_VARIABLE _deft_excluded)
foreach(folder IN LISTS _deft_header_folders)
  install(DIRECTORY ${folder}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/deft/${folder} FILES_MATCHING PATTERN "*.h"
    PATTERN cpu EXCLUDE PATTERN cuda EXCLUDE ${_deft_excluded})
endforeach()
install(FILES deft.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/deft OPTIONAL)

configure_package_config_file(cmake/deftConfig.cmake.in deftConfig.cmake INSTALL_DESTINATION ${_deft_package})
write_basic_package_version_file(deftConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/deftConfig.cmake ${PROJECT_BINARY_DIR}/deftConfigVersion.cmake
  cmake/Findcairo.cmake DESTINATION ${_deft_package})
