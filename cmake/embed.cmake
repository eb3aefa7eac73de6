# embed_files(<target> <folder> <name> <namespace> <pattern>...)
#
# Puts the text files of <folder> into the program: <name>_files.h declares in <namespace>
#   std::span<const EmbeddedFile> <name>_files();   // ordered by name
# with struct EmbeddedFile { std::string_view name; std::string_view text; }. The name is the path
# below <folder>. Made again when a file changes.
#
# Run as a script (-DOUT= -DFOLDER= -DNAME= -DNAMESPACE= -DFILES=) it writes the .cc file.
if(CMAKE_SCRIPT_MODE_FILE)
  set(entries "")
  string(REPLACE "," ";" files "${FILES}")
  foreach(file IN LISTS files)
    file(READ ${FOLDER}/${file} text)
    string(APPEND entries "    {\"${file}\", R\"embedded~(${text})embedded~\"},\n")
  endforeach()
  file(WRITE ${OUT} "#include \"${NAME}_files.h\"\n\n#include <array>\n\nnamespace ${NAMESPACE} {\n"
       "std::span<const EmbeddedFile> ${NAME}_files() {\n"
       "  static constexpr EmbeddedFile kFiles[] = {\n${entries}  };\n  return kFiles;\n}\n"
       "}  // namespace ${NAMESPACE}\n")
  return()
endif()

function(embed_files target folder name namespace)
  set(paths "")
  foreach(pattern IN LISTS ARGN)
    file(GLOB_RECURSE found RELATIVE ${folder} CONFIGURE_DEPENDS ${folder}/${pattern})
    list(APPEND paths ${found})
  endforeach()
  list(SORT paths)
  list(TRANSFORM paths PREPEND ${folder}/ OUTPUT_VARIABLE full)
  string(REPLACE ";" "," joined "${paths}")
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/embedded)
  file(CONFIGURE OUTPUT ${dir}/${name}_files.h @ONLY CONTENT
"// The embedded text files: made by cmake/embed.cmake.
#pragma once

#include <span>
#include <string_view>

namespace ${namespace} {

struct EmbeddedFile {
  std::string_view name;
  std::string_view text;
};
std::span<const EmbeddedFile> ${name}_files();

}  // namespace ${namespace}
")
  add_custom_command(OUTPUT ${dir}/${name}_files.cc
      COMMAND ${CMAKE_COMMAND} -DOUT=${dir}/${name}_files.cc -DFOLDER=${folder} -DNAME=${name}
              -DNAMESPACE=${namespace} -DFILES=${joined} -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
      DEPENDS ${full} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
  target_sources(${target} PRIVATE ${dir}/${name}_files.cc)
  target_include_directories(${target} PRIVATE ${dir})
endfunction()
