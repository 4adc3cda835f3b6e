# How tests, fuzzers and benchmarks are declared. Executables go to build/<preset>/tests/.

# labdeck_test(<name> SOURCES <file>... [USES <layer>...] [LIBS <target>...] [LABELS <label>...] [TIMEOUT <seconds>]
#              [SERIAL] [ENVIRONMENT NAME=value...])
#
# Makes the doctest program <name>_test out of the sources and tests/main.cpp, and registers each of its cases with
# CTest as "<suite>: <case>". LABELS is `unit` unless told: unit (seconds, no X), ui (ImGui without renderer),
# picture (EGL), slow. A case may take 60 s, a slow one 300 s, unless TIMEOUT says otherwise. SERIAL keeps the
# cases of this program from running at the same time as any others.
function(labdeck_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "TIMEOUT" "SOURCES;USES;LIBS;LABELS;ENVIRONMENT")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "labdeck_test(${name}): do not know what to do with ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT arg_LABELS)
        set(arg_LABELS unit)
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 60)
        if("slow" IN_LIST arg_LABELS)
            set(arg_TIMEOUT 300)
        endif()
    endif()
    if(LABDECK_SANITIZE)
        # Instrumented code takes several times as long.
        math(EXPR arg_TIMEOUT "3 * ${arg_TIMEOUT}")
    endif()
    list(TRANSFORM arg_USES PREPEND labdeck::)

    set(target ${name}_test)
    add_executable(${target} ${arg_SOURCES})
    target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/tests")
    target_link_libraries(${target} PRIVATE labdeck_flags labdeck_test_main third::doctest ${arg_USES} ${arg_LIBS})
    target_compile_definitions(${target} PRIVATE
        "LABDECK_TEST_DATA=\"${CMAKE_SOURCE_DIR}/tests/data\"" "LABDECK_SOURCE_ROOT=\"${CMAKE_SOURCE_DIR}\""
        "LABDECK_BUILD_ROOT=\"${CMAKE_BINARY_DIR}\"")
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")

    if(NOT "slow" IN_LIST arg_LABELS AND NOT "picture" IN_LIST arg_LABELS)
        add_dependencies(labdeck_fast_tests ${target})
    endif()

    # The cases are asked of the program itself once it is built; until then CTest says so.
    set(cases "${CMAKE_CURRENT_BINARY_DIR}/${target}_cases.cmake")
    set(list_tests "${CMAKE_SOURCE_DIR}/scripts/list-tests")
    set(options --labels ${arg_LABELS} --timeout ${arg_TIMEOUT})
    if(arg_ENVIRONMENT)
        list(APPEND options --environment ${arg_ENVIRONMENT})
    endif()
    if(arg_SERIAL)
        list(APPEND options --serial)
    endif()
    add_custom_command(TARGET ${target} POST_BUILD BYPRODUCTS "${cases}" VERBATIM
        COMMAND ${LABDECK_PYTHON} "${list_tests}" $<TARGET_FILE:${target}> "${cases}" ${options})
    set(include "${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake")
    file(WRITE "${include}"
        "if(EXISTS \"${cases}\")\n  include(\"${cases}\")\nelse()\n  add_test(${target}_was_not_built false)\nendif()\n")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${include}")
endfunction()

# labdeck_must_not_compile(<name> <source> [THREAD_ROLES] [USES <layer>...] [LIBS <target>...])
#
# Registers two tests: the file compiles as it is, and does not with -DLABDECK_MUST_FAIL, so that neither half can
# rot. THREAD_ROLES takes clang with -Wthread-safety, which alone can tell; without clang those tests are left out.
function(labdeck_must_not_compile name source)
    cmake_parse_arguments(PARSE_ARGV 2 arg "THREAD_ROLES" "" "USES;LIBS")
    set(compiler "${CMAKE_CXX_COMPILER}")
    set(flags -std=c++20 -fsyntax-only -Wall -Wextra -Werror "-I${CMAKE_SOURCE_DIR}/src" "-I${CMAKE_SOURCE_DIR}/tests")
    if(arg_THREAD_ROLES)
        find_program(CLANGXX clang++)
        if(NOT CLANGXX)
            message(STATUS "must_not_compile/${name}: left out, no clang++ here")
            return()
        endif()
        set(compiler "${CLANGXX}")
        list(APPEND flags -Wthread-safety)
    endif()
    list(TRANSFORM arg_USES PREPEND labdeck::)
    # A library that is never built, to gather the include folders and definitions of what is used.
    set(probe must_not_compile_${name})
    add_library(${probe} INTERFACE)
    target_link_libraries(${probe} INTERFACE ${arg_USES} ${arg_LIBS})
    set(folders "$<FILTER:$<TARGET_PROPERTY:${probe},INTERFACE_INCLUDE_DIRECTORIES>,EXCLUDE,(/src|^/usr/include)$>")
    set(definitions "$<TARGET_PROPERTY:${probe},INTERFACE_COMPILE_DEFINITIONS>")
    set(used "${CMAKE_CURRENT_BINARY_DIR}/${name}_$<CONFIG>.rsp")
    file(GENERATE OUTPUT "${used}" CONTENT
        "$<$<BOOL:${folders}>:-isystem\"$<JOIN:${folders},\"\n-isystem\">\"\n>$<$<BOOL:${definitions}>:\"-D$<JOIN:${definitions},\"\n\"-D>\"\n>")
    set(command "${compiler}" ${flags} "@${used}")
    set(file "${CMAKE_CURRENT_SOURCE_DIR}/${source}")
    add_test(NAME "must_not_compile/${name}: compiles when used rightly" COMMAND ${command} "${file}")
    add_test(NAME "must_not_compile/${name}: does not compile when misused"
        COMMAND ${command} -DLABDECK_MUST_FAIL "${file}")
    set_tests_properties("must_not_compile/${name}: compiles when used rightly"
        PROPERTIES LABELS unit TIMEOUT 60)
    set_tests_properties("must_not_compile/${name}: does not compile when misused"
        PROPERTIES LABELS unit TIMEOUT 60 WILL_FAIL TRUE)
endfunction()

# labdeck_fuzz(<name> SOURCES <file>... [USES <layer>...] [LIBS <target>...])
#
# Makes the libFuzzer program build/fuzz/tests/fuzz/<name>, which scripts/soak-fuzz runs; nothing in other builds.
# Inputs to start from are taken from tests/data/fuzz/<name>/, where there is such a folder.
function(labdeck_fuzz name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;USES;LIBS")
    if(NOT LABDECK_FUZZ)
        return()
    endif()
    list(TRANSFORM arg_USES PREPEND labdeck::)
    add_executable(${name} ${arg_SOURCES})
    target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/tests")
    target_link_libraries(${name} PRIVATE labdeck_flags ${arg_USES} ${arg_LIBS})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/fuzz")
    add_dependencies(labdeck_fuzzers ${name})
endfunction()

# labdeck_bench(<question> SOURCES <file>... [USES <layer>...] [LIBS <target>...])
#
# Makes the Google Benchmark program build/<preset>/tests/bench/<question>; one of its sources has BENCHMARK_MAIN().
function(labdeck_bench name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;USES;LIBS")
    foreach(layer IN LISTS arg_USES)
        if(LABDECK_ONLY AND NOT layer IN_LIST LABDECK_ONLY)
            return()
        endif()
    endforeach()
    list(TRANSFORM arg_USES PREPEND labdeck::)
    set(target bench_${name})
    add_executable(${target} ${arg_SOURCES})
    target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/tests")
    target_link_libraries(${target} PRIVATE labdeck_flags third::benchmark ${arg_USES} ${arg_LIBS})
    set_target_properties(${target} PROPERTIES
        OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/bench")
endfunction()
