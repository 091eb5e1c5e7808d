# What pictures, animations and TensorBoard's event files are made with, each where it is found: deft_pictures lists the
# packages that are there, DEFT_EVENTS says whether event files can be written.
set(deft_pictures "")
foreach(_package cairo GIF)
  find_package(${_package})
  if(${_package}_FOUND)
    list(APPEND deft_pictures ${_package})
  endif()
endforeach()

# From version 22 on it needs libraries that only its own configuration knows.
find_package(Protobuf CONFIG QUIET)
if(NOT Protobuf_FOUND)
  find_package(Protobuf)
endif()
find_package(Boost)  # of which the checksums are headers alone
set(DEFT_EVENTS OFF)
if(TARGET protobuf::protoc AND TARGET protobuf::libprotobuf-lite AND Boost_FOUND)
  set(DEFT_EVENTS ON)
  list(APPEND deft_pictures Protobuf)
endif()
