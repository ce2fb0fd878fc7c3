# Finds what was installed together with this file; the two others include it. Nothing in the package is written for one
# place or version: the folders are found from here, so that the tree may be moved, the rest is in imo2skype.pc.

# /lib may be a link into /usr.
get_filename_component(_imo2skype_here "${CMAKE_CURRENT_LIST_DIR}" REALPATH)
set(_imo2skype_libdir "")
# Beside the library, or in share, where cargo-c puts it.
foreach(_imo2skype_place
    ../.. "../../../lib/${CMAKE_LIBRARY_ARCHITECTURE}" ../../../lib64 ../../../lib)
  get_filename_component(_imo2skype_place "${_imo2skype_here}/${_imo2skype_place}" ABSOLUTE)
  if(EXISTS "${_imo2skype_place}/pkgconfig/imo2skype.pc")
    set(_imo2skype_libdir "${_imo2skype_place}")
    break()
  endif()
endforeach()

# What imo2skype.pc says of a key.
function(_imo2skype_says key result)
  set(text "")
  if(_imo2skype_libdir)
    file(STRINGS "${_imo2skype_libdir}/pkgconfig/imo2skype.pc" text REGEX "^${key}:")
    string(REGEX REPLACE "^[^:]*: *" "" text "${text}")
  endif()
  set(${result} "${text}" PARENT_SCOPE)
endfunction()
