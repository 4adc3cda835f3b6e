# The layers of the program, lowest first. An include points from a later name to an earlier one, never the
# other way; scripts/check-layers has the table of who may see whom.
set(LABDECK_LAYERS
    base data contract keeper io model store bench_apps conform providers supervise updates terminal devices runs hub gfx ui app)

# For work on a few layers while others are in pieces: -DLABDECK_ONLY="base;data;io" adds these and their tests alone.
set(LABDECK_ONLY "" CACHE STRING "The layers to build; all of them when empty")
if(LABDECK_ONLY)
    set(LABDECK_LAYERS ${LABDECK_ONLY})
endif()

# Everything under src/ and nothing else: built by clang, it is the check of the thread roles.
add_custom_target(labdeck_thread_roles)

# Adds each named folder below `parent` that has a CMakeLists.txt.
function(labdeck_subdirectories parent)
    foreach(folder IN LISTS ARGN)
        if(EXISTS "${CMAKE_SOURCE_DIR}/${parent}/${folder}/CMakeLists.txt")
            add_subdirectory("${CMAKE_SOURCE_DIR}/${parent}/${folder}" "${CMAKE_BINARY_DIR}/${parent}/${folder}")
        endif()
    endforeach()
endfunction()

# labdeck_layer(<name> [SOURCES <file>...] [USES <layer>...] [LIBS <target>...] [PRIVATE_LIBS <target>...])
#
# Makes the static library labdeck_<name>, known as labdeck::<name>, out of the sources in the current folder;
# without SOURCES the layer is header-only. Includes are written from src/ on: #include "io/waker.h".
#   USES          layers whose headers this one includes.
#   LIBS          targets that its headers need, and with them everyone who includes those.
#   PRIVATE_LIBS  targets that stay inside its .cpp files.
# A header without a .cpp of its own is compiled alone by the target all_verify_interface_header_sets; the others
# are, as the first include of their .cpp, which scripts/check-headers sees to.
function(labdeck_layer name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;USES;LIBS;PRIVATE_LIBS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "labdeck_layer(${name}): do not know what to do with ${arg_UNPARSED_ARGUMENTS}")
    endif()
    list(TRANSFORM arg_USES PREPEND labdeck::)

    set(target labdeck_${name})
    if(arg_SOURCES)
        add_library(${target} STATIC ${arg_SOURCES})
        set(scope PUBLIC)
        target_link_libraries(${target} PRIVATE labdeck_flags ${arg_PRIVATE_LIBS})
        add_dependencies(labdeck_thread_roles ${target})
    else()
        add_library(${target} INTERFACE)
        set(scope INTERFACE)
    endif()
    add_library(labdeck::${name} ALIAS ${target})
    target_include_directories(${target} ${scope} "${CMAKE_SOURCE_DIR}/src")
    target_link_libraries(${target} ${scope} ${arg_USES} ${arg_LIBS})

    # Sources are listed by hand; headers are looked up, so that none can be forgotten by the header check.
    file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.h")
    set(alone "")
    foreach(header IN LISTS headers)
        cmake_path(REPLACE_EXTENSION header LAST_ONLY cpp OUTPUT_VARIABLE source)
        if(NOT EXISTS "${source}")
            list(APPEND alone "${header}")
        endif()
    endforeach()
    if(alone)
        target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS "${CMAKE_SOURCE_DIR}/src" FILES ${alone})
    endif()
endfunction()

# labdeck_program(<name> SOURCES <file>... [USES <layer>...] [LIBS <target>...])
#
# Makes the executable <name>, which lies at the root of the build folder: build/release/labdeck.
function(labdeck_program name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;USES;LIBS")
    list(TRANSFORM arg_USES PREPEND labdeck::)
    add_executable(${name} ${arg_SOURCES})
    target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/src")
    target_link_libraries(${name} PRIVATE labdeck_flags ${arg_USES} ${arg_LIBS})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
    add_dependencies(labdeck_thread_roles ${name})
endfunction()
