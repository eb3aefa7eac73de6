# TIMEPOOL_BUILD_EPOCH: the build date as seconds since 1970, from SOURCE_DATE_EPOCH or the last
# commit, so that a build of one commit is the same every time. RFC 8633 5.2: no clock is ever set
# to a time before it.
if(DEFINED ENV{SOURCE_DATE_EPOCH})
  set(TIMEPOOL_BUILD_EPOCH $ENV{SOURCE_DATE_EPOCH})
else()
  execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} log -1 --format=%ct
                  OUTPUT_VARIABLE TIMEPOOL_BUILD_EPOCH OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT TIMEPOOL_BUILD_EPOCH)
  string(TIMESTAMP TIMEPOOL_BUILD_EPOCH "%s" UTC)
endif()
