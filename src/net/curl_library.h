// CurlLibrary: libcurl, loaded when it is first needed. With all that it needs in turn it is most
// of the resident memory of a program that might never ask anything over HTTP (docs/adr/0057). Any
// thread.
#pragma once

#include <curl/curl.h>

#include "base/result.h"

namespace timepool::net {

// Its functions by their names there; those with a variable number of arguments are macros in its
// header, which check types: what calls them here must see to that itself.
struct CurlLibrary {
  decltype(&::curl_global_init) global_init;
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_reset) easy_reset;
  decltype(&::curl_easy_strerror) easy_strerror;
  CURLcode (*easy_setopt)(CURL* handle, CURLoption option, ...);
  CURLcode (*easy_getinfo)(CURL* handle, CURLINFO info, ...);
  decltype(&::curl_multi_init) multi_init;
  decltype(&::curl_multi_cleanup) multi_cleanup;
  decltype(&::curl_multi_add_handle) multi_add_handle;
  decltype(&::curl_multi_remove_handle) multi_remove_handle;
  decltype(&::curl_multi_perform) multi_perform;
  decltype(&::curl_multi_info_read) multi_info_read;
  decltype(&::curl_multi_poll) multi_poll;
  decltype(&::curl_multi_wakeup) multi_wakeup;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;
};

// Loaded and set up, the same for the whole process. Errors: kUnavailable, with what the dynamic
// linker says; then also the next time.
Result<const CurlLibrary*> curl_library();

}  // namespace timepool::net
