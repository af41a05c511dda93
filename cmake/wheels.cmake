# The ROS 2 wheels of PyPI name, in the CMake targets they export, include directories of the machine
# that built them, and CMake refuses a directory that does not exist. Where everything exists, as in a
# real ROS 2 install, this changes nothing.
function(_build_with_wheels)
  get_property(targets DIRECTORY PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(dirs ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(NOT dirs)
      continue()
    endif()
    set(kept ${dirs})
    foreach(dir IN LISTS dirs)
      if(IS_ABSOLUTE "${dir}" AND NOT EXISTS "${dir}")
        list(REMOVE_ITEM kept "${dir}")
        set(wheels TRUE)
      endif()
    endforeach()
    set_property(TARGET ${target} PROPERTY INTERFACE_INCLUDE_DIRECTORIES ${kept})
  endforeach()
  if(wheels)
    # Ours must not name those of a venv either, least of all of one inside the source tree.
    set_property(TARGET ${PROJECT_NAME}__rosidl_generator_py PROPERTY INTERFACE_INCLUDE_DIRECTORIES)
    # What is generated of the messages in C++ is small and includes much: a quarter less time where several files are
    # compiled as one. (The other generated files define the same names, and cannot be.)
    foreach(support IN ITEMS fastrtps_c fastrtps_cpp cpp)
      set_property(TARGET ${PROJECT_NAME}__rosidl_typesupport_${support} PROPERTY UNITY_BUILD ON)
    endforeach()
  endif()
endfunction()
# At the end, when all the targets are known.
cmake_language(DEFER CALL _build_with_wheels)
