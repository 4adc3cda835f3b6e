# Shaders, assets and fonts by name, for the program: shaders/series.vert, assets/..., fonts/sans,
# fonts/sans_bold, fonts/mono, fonts/icons. scripts/embed writes the sources of the library.

# labdeck_assets() makes the static library labdeck_assets, known as labdeck::assets, with the header assets.h.
function(labdeck_assets)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE "${CMAKE_SOURCE_DIR}"
        "${CMAKE_SOURCE_DIR}/shaders/*" "${CMAKE_SOURCE_DIR}/assets/*")
    list(FILTER files EXCLUDE REGEX "(^|/)(README\\.md|\\.[^/]*)$")
    list(SORT files)
    set(manifest "")
    set(paths "")
    foreach(file IN LISTS files)
        string(APPEND manifest "${file}\t${CMAKE_SOURCE_DIR}/${file}\n")
        list(APPEND paths "${CMAKE_SOURCE_DIR}/${file}")
    endforeach()
    foreach(font sans sans_bold mono icons)
        string(TOUPPER ${font} upper)
        string(APPEND manifest "fonts/${font}\t${LABDECK_FONT_${upper}}\n")
        list(APPEND paths "${LABDECK_FONT_${upper}}")
    endforeach()

    set(out "${CMAKE_BINARY_DIR}/assets")
    if(LABDECK_EMBED_ASSETS)
        set(mode embed)
    else()
        set(mode load)
    endif()
    file(WRITE "${out}/manifest.txt" "${manifest}")
    set(embed "${CMAKE_SOURCE_DIR}/scripts/embed")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${embed}")
    execute_process(COMMAND ${LABDECK_PYTHON} "${embed}" ${mode} "${out}/manifest.txt" "${out}"
        COMMAND_ERROR_IS_FATAL ANY)

    add_library(labdeck_assets STATIC "${out}/assets.cpp")
    if(LABDECK_EMBED_ASSETS)
        target_sources(labdeck_assets PRIVATE "${out}/assets.S")
        # The assembler reads the files itself, which no dependency scan sees.
        set_source_files_properties("${out}/assets.S" PROPERTIES OBJECT_DEPENDS "${paths}")
    endif()
    target_include_directories(labdeck_assets PUBLIC "${out}/include")
    target_link_libraries(labdeck_assets PRIVATE labdeck_flags)
    add_library(labdeck::assets ALIAS labdeck_assets)
endfunction()
