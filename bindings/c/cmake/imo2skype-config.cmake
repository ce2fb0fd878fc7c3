# find_package(imo2skype) gives the targets imo2skype::imo2skype, the shared library, and imo2skype::static.
include("${CMAKE_CURRENT_LIST_DIR}/imo2skype-files.cmake")

get_filename_component(_imo2skype_above "${_imo2skype_libdir}" DIRECTORY)
set(_imo2skype_include "${_imo2skype_above}/include")
if(NOT EXISTS "${_imo2skype_include}/imo2skype.h")
  # The library is in lib/ARCHITECTURE.
  get_filename_component(_imo2skype_above "${_imo2skype_above}" DIRECTORY)
  set(_imo2skype_include "${_imo2skype_above}/include")
endif()
set(_imo2skype_shared "${_imo2skype_libdir}/libimo2skype${CMAKE_SHARED_LIBRARY_SUFFIX}")
set(_imo2skype_static "${_imo2skype_libdir}/libimo2skype.a")
foreach(_imo2skype_file "${_imo2skype_include}/imo2skype.h" "${_imo2skype_shared}" "${_imo2skype_static}")
  if(NOT EXISTS "${_imo2skype_file}")
    set(imo2skype_FOUND FALSE)
    set(imo2skype_NOT_FOUND_MESSAGE "There is no ${_imo2skype_file}. Install imo2skype again.")
    return()
  endif()
endforeach()

if(NOT TARGET imo2skype::imo2skype)
  add_library(imo2skype::imo2skype SHARED IMPORTED)
  set_target_properties(imo2skype::imo2skype PROPERTIES
    IMPORTED_LOCATION "${_imo2skype_shared}"
    INTERFACE_INCLUDE_DIRECTORIES "${_imo2skype_include}")

  _imo2skype_says(Libs.private _imo2skype_libs)
  separate_arguments(_imo2skype_libs)
  add_library(imo2skype::static STATIC IMPORTED)
  set_target_properties(imo2skype::static PROPERTIES
    IMPORTED_LOCATION "${_imo2skype_static}"
    INTERFACE_INCLUDE_DIRECTORIES "${_imo2skype_include}"
    INTERFACE_LINK_LIBRARIES "${_imo2skype_libs}")
endif()
