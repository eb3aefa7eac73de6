# Compiler settings that hold for every target of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
# -O2 with line tables only: full debug data doubles build time and memory.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g1")

set(TIMEPOOL_SANITIZE "" CACHE STRING "Sanitizers to build with, for example address,undefined")
option(TIMEPOOL_FUZZ "Build the fuzz targets with libFuzzer" OFF)
option(TIMEPOOL_COVERAGE "Build with coverage counters" OFF)

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
                    -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wundef
                    -Wimplicit-fallthrough -Werror -fno-omit-frame-pointer
                    "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports faults inside its own headers after inlining at -O2 (GCC bugs 105329, 105651).
  add_compile_options(-Wno-restrict -Wno-stringop-overflow -Wno-array-bounds -Wno-maybe-uninitialized)
endif()

if(TIMEPOOL_SANITIZE)
  add_compile_options(-fsanitize=${TIMEPOOL_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TIMEPOOL_SANITIZE})
  if(TIMEPOOL_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Asio uses atomic_thread_fence, which g++'s thread sanitizer does not follow.
    add_compile_options(-Wno-tsan)
  endif()
else()
  add_compile_options(-fstack-protector-strong)
  add_compile_definitions($<$<CONFIG:RelWithDebInfo>:_FORTIFY_SOURCE=2>)
  add_link_options(-Wl,-z,relro,-z,now -Wl,--gc-sections)
endif()
if(TIMEPOOL_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(TIMEPOOL_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

find_program(TIMEPOOL_CCACHE ccache)
if(TIMEPOOL_CCACHE)
  # Compilations are found again from every checkout of the project: paths are relative to it.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
               CCACHE_SLOPPINESS=pch_defines,time_macros ${TIMEPOOL_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
find_program(TIMEPOOL_MOLD mold)
if(TIMEPOOL_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
