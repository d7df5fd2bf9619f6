# postbuild.cmake - `spboot postbuild` of ELF, seen from FOLDER; the files for production also as MADE.hex, .elf and .bin,
# names that do not change with the version.
execute_process(
  COMMAND "${SPBOOT}" postbuild "${ELF}" --json ${OPTIONS}
  WORKING_DIRECTORY "${FOLDER}" RESULT_VARIABLE result OUTPUT_VARIABLE said)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "spboot postbuild failed (${result})")
endif()
string(JSON made GET "${said}" folder)
string(JSON count LENGTH "${said}" files)
get_filename_component(made "${made}" ABSOLUTE BASE_DIR "${FOLDER}")
math(EXPR last "${count} - 1")
foreach(number RANGE ${last})
  string(JSON file GET "${said}" files ${number})
  message("spboot: ${made}/${file}")
  if(file MATCHES "^BOOT_.*(\\.hex|\\.elf|\\.bin)$")
    execute_process(COMMAND "${CMAKE_COMMAND}" -E copy "${made}/${file}" "${MADE}${CMAKE_MATCH_1}" RESULT_VARIABLE result)
    if(NOT result EQUAL 0)
      message(FATAL_ERROR "${MADE}${CMAKE_MATCH_1} cannot be written")
    endif()
  endif()
endforeach()
