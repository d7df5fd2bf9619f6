# spbootConfig.cmake - find_package(spboot) gives one command:
#
#   spboot_firmware(TARGET app
#     [PROJECT spboot.toml] [BOARD board] [KEYS folder] [VERSION 1.2.3] [NAME name] [BOOTLOADER folder]
#     [LINKER_SCRIPT app.ld] [POSTBUILD_OPTIONS ...])
#
# What is not given comes from the project file spboot.toml, the version from git.  Paths are seen from the folder of the
# CMakeLists.txt.  `app` gets
#   - the include folder with spboot/spboot.h and spboot_version.h, and spboot.ld and spboot-check.ld on the search path of
#     the linker, all of them renewed before each build (`spboot prebuild`); it is linked again when they change;
#   - `spboot postbuild` behind each link: factory file, image, patches.
# Targets: app_release keeps the release (`spboot postbuild --release`), app_flash programs the board.

if(NOT SPBOOT)
  find_program(SPBOOT spboot)
endif()
if(NOT SPBOOT)
  set(spboot_FOUND FALSE)
  set(spboot_NOT_FOUND_MESSAGE
      "the command spboot is not on PATH: pip install \"spboot[build]\", or give -DSPBOOT=path of it")
  return()
endif()

function(spboot_firmware)
  set(one TARGET PROJECT BOARD KEYS VERSION NAME BOOTLOADER LINKER_SCRIPT)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "${one}" "POSTBUILD_OPTIONS")
  _spboot_check_arguments("${one}")
  foreach(name PROJECT KEYS BOOTLOADER LINKER_SCRIPT)
    if(DEFINED arg_${name})
      get_filename_component(arg_${name} "${arg_${name}}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
    endif()
  endforeach()
  if(arg_BOARD MATCHES "\\.toml$")
    get_filename_component(arg_BOARD "${arg_BOARD}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
  endif()

  set(command "${SPBOOT}")
  if(DEFINED arg_PROJECT)
    list(APPEND command --project "${arg_PROJECT}")
  endif()
  set(options "")
  foreach(name BOARD KEYS VERSION)
    if(DEFINED arg_${name})
      string(TOLOWER ${name} option)
      list(APPEND options --${option} "${arg_${name}}")
    endif()
  endforeach()
  _spboot_places()

  set(folder "${CMAKE_CURRENT_BINARY_DIR}/spboot/${arg_TARGET}")
  set(prebuild ${command} prebuild "${folder}" ${options} ${bootloader})
  _spboot_now(${prebuild})
  set(files "${folder}/spboot.ld" "${folder}/spboot-check.ld" "${folder}/spboot-memory.ld"
            "${folder}/spboot_version.h" "${folder}/bootloader.txt")
  add_custom_target(${arg_TARGET}_prebuild
    COMMAND ${prebuild} --quiet
    BYPRODUCTS ${files} "${folder}/spboot/spboot.h"
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" VERBATIM
    COMMENT "spboot prebuild")
  add_dependencies(${arg_TARGET} ${arg_TARGET}_prebuild)

  target_include_directories(${arg_TARGET} PRIVATE "${folder}")
  target_link_options(${arg_TARGET} PRIVATE "-L${folder}")
  if(DEFINED arg_LINKER_SCRIPT)
    target_link_options(${arg_TARGET} PRIVATE "-T${arg_LINKER_SCRIPT}")
  endif()
  set_property(TARGET ${arg_TARGET} APPEND PROPERTY LINK_DEPENDS ${files} ${arg_LINKER_SCRIPT})
  set_property(TARGET ${arg_TARGET} PROPERTY SUFFIX .elf)

  set(postbuild ${command} postbuild "$<TARGET_FILE:${arg_TARGET}>" ${options} ${bootloader} ${places})
  add_custom_command(TARGET ${arg_TARGET} POST_BUILD
    COMMAND ${postbuild} ${output} ${arg_POSTBUILD_OPTIONS}
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" VERBATIM
    COMMENT "spboot postbuild")
  add_custom_target(${arg_TARGET}_release
    COMMAND ${postbuild} --release ${arg_POSTBUILD_OPTIONS}
    DEPENDS ${arg_TARGET}
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" VERBATIM USES_TERMINAL)
  add_custom_target(${arg_TARGET}_flash
    COMMAND "${CMAKE_COMMAND}"
      "-DSPBOOT=${command}" "-DPOSTBUILD=${postbuild};${output};--json;${arg_POSTBUILD_OPTIONS}" "-DOPTIONS=${options}"
      -P "${spboot_DIR}/flash.cmake"
    DEPENDS ${arg_TARGET}
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" VERBATIM USES_TERMINAL)
endfunction()

# What cannot be meant, in a sentence.
macro(_spboot_check_arguments known)
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "spboot_firmware: unknown ${arg_UNPARSED_ARGUMENTS}; there are ${known}, POSTBUILD_OPTIONS")
  endif()
  if(arg_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "spboot_firmware: nothing behind ${arg_KEYWORDS_MISSING_VALUES}")
  endif()
  if(NOT DEFINED arg_TARGET)
    message(FATAL_ERROR "spboot_firmware: TARGET is missing: the executable, as spboot_firmware(TARGET app)")
  endif()
  if(NOT TARGET ${arg_TARGET})
    message(FATAL_ERROR "spboot_firmware: there is no target ${arg_TARGET}: call add_executable(${arg_TARGET} ...) first")
  endif()
endmacro()

# Where the bootloader, releases and other builds are: the project says it.  Without one, when board and keys are given
# here, they are beside the CMakeLists.txt, and the name is the target's.
macro(_spboot_places)
  set(bootloader "")
  set(places "")
  set(output "")
  if(DEFINED arg_BOARD AND DEFINED arg_KEYS AND NOT DEFINED arg_PROJECT)
    if(NOT DEFINED arg_BOOTLOADER)
      set(arg_BOOTLOADER "${CMAKE_CURRENT_SOURCE_DIR}/boot")
    endif()
    if(NOT DEFINED arg_NAME)
      set(arg_NAME ${arg_TARGET})
    endif()
    set(places --releases "${CMAKE_CURRENT_SOURCE_DIR}/releases")
    set(output --output "${CMAKE_CURRENT_SOURCE_DIR}/out")
  endif()
  if(DEFINED arg_BOOTLOADER)
    set(bootloader --bootloader "${arg_BOOTLOADER}")
  endif()
  if(DEFINED arg_NAME)
    list(APPEND places --name "${arg_NAME}")
  endif()
endmacro()

# Run at configure time; what spboot refuses ends the configuration, in its words.
function(_spboot_now)
  execute_process(
    COMMAND ${ARGV}
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
    RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE error
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_STRIP_TRAILING_WHITESPACE)
  if(NOT result EQUAL 0)
    string(REPLACE "\n" "\n  " error "${error}")
    message(FATAL_ERROR "spboot prebuild (${result}):\n  ${error}")
  endif()
  string(REPLACE "\n" ";" lines "${said}")
  foreach(line IN LISTS lines)
    message(STATUS "spboot: ${line}")
  endforeach()
endfunction()
