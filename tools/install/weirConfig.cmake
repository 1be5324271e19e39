# find_package(weir) brings weir::weir; find_package(weir COMPONENTS protobuf) also weir::protobuf.
# Paths are relative to this file, so that the tree may be moved.
include(CMakeFindDependencyMacro)
get_filename_component(_weir_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET weir::weir)
  add_library(weir::weir SHARED IMPORTED)
  set_target_properties(weir::weir PROPERTIES
    IMPORTED_LOCATION "${_weir_prefix}/lib/libweir.so"
    IMPORTED_SONAME "libweir.so.0"
    INTERFACE_INCLUDE_DIRECTORIES "${_weir_prefix}/include/weir"
    INTERFACE_COMPILE_FEATURES cxx_std_20)
endif()

foreach(_weir_component IN LISTS weir_FIND_COMPONENTS)
  if(_weir_component STREQUAL "protobuf")
    find_dependency(Protobuf)
    if(NOT TARGET weir::protobuf)
      add_library(weir::protobuf STATIC IMPORTED)
      set_target_properties(weir::protobuf PROPERTIES
        IMPORTED_LOCATION "${_weir_prefix}/lib/libweir_protobuf.a"
        INTERFACE_LINK_LIBRARIES "weir::weir;protobuf::libprotobuf;fmt")
    endif()
    set(weir_protobuf_FOUND TRUE)
  elseif(weir_FIND_REQUIRED_${_weir_component})
    set(weir_FOUND FALSE)
    set(weir_NOT_FOUND_MESSAGE "weir has no component ${_weir_component}: there is protobuf")
  endif()
endforeach()
unset(_weir_prefix)
