cmake_minimum_required(VERSION 3.25)
# The one table of who may include whom. A library is a folder below src/; a folder that is not
# named here, or an include that the table does not allow, fails the configuration.
#
# Pure libraries do no I/O, read no clock, draw no randomness, start no thread, take no lock and
# throw nothing; tests/lint/pure_symbols.sh checks their archives.

set(TIMEPOOL_PURE base wire/ntp wire/nts wire/dns wire/snapshot nts ntp/server ntp dnssec dns/zone
    dns/compiled dns/signed dns/transfer dns pool acme)

set(TIMEPOOL_LAYERS
    # library        may include
    "base"           ""
    "wire/ntp"       "base"
    "wire/dns"       "base"
    "wire/snapshot"  "base"
    "crypto"         "base sys dnssec"
    "wire/nts"       "base"
    "nts"            "base wire/ntp wire/nts"
    "ntp/server"     "base wire/ntp nts"
    "ntp"            "base wire/ntp ntp/server nts"
    "dnssec"         "base wire/dns"
    "dns/zone"       "base wire/dns"
    "dns/compiled"   "base wire/dns dns/zone"
    "dns/signed"     "base wire/dns dnssec dns/zone dns/compiled"
    "dns/transfer"   "base wire/dns dnssec dns/zone"
    "dns"            "base wire/dns dnssec dns/zone dns/compiled dns/signed"
    "pool"           "base"
    "acme"           "base"
    "sim"            "base wire/ntp nts ntp/server ntp config"
    "config"         "base sys"
    "refclock"       "base wire/ntp ntp sys"
    "sys"            "base"
    "net"            "base sys wire/dns crypto"
    "certificates"   "base acme crypto sys net"
    "nts_client"     "base wire/nts nts sys net"
    "geo"            "base sys"
    "snapshot"       "base wire/snapshot crypto sys net"
    "store"          "base sys"
    "service"        "base wire/ntp wire/dns wire/snapshot crypto ntp dns/zone pool config sys net geo snapshot store"
    "web"            "base config sys net store service pool"
    "poold"          "base config sys net geo crypto store service web"
    "ntpd"           "base wire/ntp wire/nts nts ntp/server ntp acme refclock config sys net crypto certificates nts_client"
    "dnsd"           "base wire/dns dnssec dns/zone dns/compiled dns/signed dns/transfer dns config sys net geo snapshot crypto"
    "monitord"       "base wire/ntp nts ntp pool config sys net crypto client nts_client"
    "load"           "base wire/ntp wire/dns wire/nts nts crypto sys net"
    "client"         "base sys net"
    "up"             "base wire/dns config sys crypto net client"
    "cli"            "base wire/ntp wire/dns dnssec wire/nts nts ntp config sys crypto net client nts_client load up")

# The libraries that `library` may include, as a list.
function(allowed_layers library out)
  list(LENGTH TIMEPOOL_LAYERS length)
  math(EXPR last "${length} - 2")
  foreach(i RANGE 0 ${last} 2)
    list(GET TIMEPOOL_LAYERS ${i} name)
    if(name STREQUAL library)
      math(EXPR next "${i} + 1")
      list(GET TIMEPOOL_LAYERS ${next} text)
      string(REPLACE " " ";" deps "${text}")
      set(${out} "${deps}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "src/${library} is not in the table of cmake/layers.cmake: add it with what it may include.")
endfunction()

# Every folder below src/ that holds C++ files.
function(source_folders root out)
  file(GLOB_RECURSE files RELATIVE ${root}/src ${root}/src/*.cc ${root}/src/*.h)
  set(folders "")
  foreach(file IN LISTS files)
    get_filename_component(folder ${file} DIRECTORY)
    list(APPEND folders ${folder})
  endforeach()
  list(REMOVE_DUPLICATES folders)
  set(${out} "${folders}" PARENT_SCOPE)
endfunction()

# Fails on the first include that crosses the table. `x_test.cc` and `x_fuzz.cc` obey it too.
function(check_layers_in root)
  source_folders(${root} folders)
  foreach(folder IN LISTS folders)
    allowed_layers(${folder} allowed)
    list(APPEND allowed ${folder})
    file(GLOB files ${root}/src/${folder}/*.cc ${root}/src/${folder}/*.h)
    foreach(file IN LISTS files)
      file(STRINGS ${file} includes REGEX "^#include \"[a-z/_]+/[a-z0-9_]+\\.h\"")
      foreach(line IN LISTS includes)
        string(REGEX REPLACE "^#include \"([a-z/_]+)/[a-z0-9_]+\\.h\".*" "\\1" used "${line}")
        if(NOT used IN_LIST allowed)
          message(FATAL_ERROR "layers: ${file} includes ${used}/, which cmake/layers.cmake does not allow for ${folder}/.")
        endif()
      endforeach()
    endforeach()
  endforeach()
endfunction()

function(check_layers)
  check_layers_in(${CMAKE_SOURCE_DIR})
endfunction()

# cmake -DROOT=. -P cmake/layers.cmake runs the same check as a test.
if(CMAKE_SCRIPT_MODE_FILE AND DEFINED ROOT)
  check_layers_in(${ROOT})
  message(STATUS "layers: ok")
endif()
