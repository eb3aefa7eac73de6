# Third-party libraries, all from Debian 12 packages (packaging/packages.txt).
# A library of ours names what it uses: timepool_library(net LINK timepool::dep::curl).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(timepool_dependency name)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET GLOBAL ${ARGN})
  add_library(timepool::dep::${name} ALIAS PkgConfig::${name})
endfunction()

timepool_dependency(fmt fmt)
timepool_dependency(tomlplusplus tomlplusplus)
timepool_dependency(openssl openssl)
timepool_dependency(sodium libsodium)
timepool_dependency(gcrypt libgcrypt)
timepool_dependency(curl libcurl)

# libunbound is used where [resolver] servers is set, and by few. As an archive, what nobody calls is
# not even loaded: 0.5 MB less resident memory in a client. All archives come with the packages.
# What is handed on to others is built with OFF, for nettle's and gmp's LGPL: docs/adr/0026.
option(TIMEPOOL_STATIC_UNBOUND "Link libunbound and what it needs as archives, if they are there" ON)
set(TIMEPOOL_UNBOUND_ARCHIVES "")
foreach(name IN ITEMS unbound event hogweed nettle gmp)
  find_library(TIMEPOOL_ARCHIVE_${name} lib${name}.a)
  list(APPEND TIMEPOOL_UNBOUND_ARCHIVES ${TIMEPOOL_ARCHIVE_${name}})
endforeach()
if(TIMEPOOL_STATIC_UNBOUND AND NOT "${TIMEPOOL_UNBOUND_ARCHIVES}" MATCHES "NOTFOUND")
  add_library(timepool_unbound INTERFACE)
  target_link_libraries(timepool_unbound INTERFACE ${TIMEPOOL_UNBOUND_ARCHIVES} Threads::Threads)
  add_library(timepool::dep::unbound ALIAS timepool_unbound)
  # The archive holds nettle once, for libunbound and for our keys.
  add_library(timepool_nettle INTERFACE)
  target_link_libraries(timepool_nettle INTERFACE ${TIMEPOOL_ARCHIVE_nettle})
  add_library(timepool::dep::nettle ALIAS timepool_nettle)
else()
  timepool_dependency(unbound libunbound)
  timepool_dependency(nettle nettle)
endif()
timepool_dependency(maxminddb libmaxminddb)
timepool_dependency(sqlite sqlite3)
timepool_dependency(zstd libzstd)
timepool_dependency(seccomp libseccomp)
timepool_dependency(ctemplate libctemplate)
timepool_dependency(prometheus prometheus-cpp-core)

# Boost 1.81, with Asio and Beast compiled once in src/net/boost_impl.cc.
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
add_library(timepool_boost INTERFACE)
target_link_libraries(timepool_boost INTERFACE Boost::json Boost::url Threads::Threads)
target_compile_definitions(timepool_boost INTERFACE BOOST_ASIO_SEPARATE_COMPILATION
    BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ALL_NO_LIB)
if(TIMEPOOL_SANITIZE MATCHES "thread")
  # g++'s thread sanitizer does not know fences; Asio's locks order all that we rely on.
  target_compile_definitions(timepool_boost INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()
add_library(timepool::dep::boost ALIAS timepool_boost)
add_library(timepool::dep::json ALIAS timepool_boost)

find_package(GTest REQUIRED)
find_library(TIMEPOOL_RAPIDCHECK rapidcheck REQUIRED)
