#include "net/curl_library.h"

#include <dlfcn.h>

#include <string>

namespace timepool::net {
namespace {

// The name of its interface since 2006.
constexpr const char* kFile = "libcurl.so.4";

struct Loaded {
  CurlLibrary library{};
  std::string fault;  // empty: all is there
};

template <class Function>
void find(void* handle, const char* name, Function& out, std::string& fault) {
  void* const symbol = ::dlsym(handle, name);
  if (symbol == nullptr) fault = std::string(kFile) + " has no " + name;
  // POSIX: what dlsym() gives may be called.
  out = reinterpret_cast<Function>(symbol);
}

Loaded load() {
  Loaded out;
  // It stays: handles of it live as long as the program.
  void* const handle = ::dlopen(kFile, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    out.fault = why == nullptr ? kFile : why;
    return out;
  }
  CurlLibrary& it = out.library;
  find(handle, "curl_global_init", it.global_init, out.fault);
  find(handle, "curl_easy_init", it.easy_init, out.fault);
  find(handle, "curl_easy_cleanup", it.easy_cleanup, out.fault);
  find(handle, "curl_easy_reset", it.easy_reset, out.fault);
  find(handle, "curl_easy_strerror", it.easy_strerror, out.fault);
  find(handle, "curl_easy_setopt", it.easy_setopt, out.fault);
  find(handle, "curl_easy_getinfo", it.easy_getinfo, out.fault);
  find(handle, "curl_multi_init", it.multi_init, out.fault);
  find(handle, "curl_multi_cleanup", it.multi_cleanup, out.fault);
  find(handle, "curl_multi_add_handle", it.multi_add_handle, out.fault);
  find(handle, "curl_multi_remove_handle", it.multi_remove_handle, out.fault);
  find(handle, "curl_multi_perform", it.multi_perform, out.fault);
  find(handle, "curl_multi_info_read", it.multi_info_read, out.fault);
  find(handle, "curl_multi_poll", it.multi_poll, out.fault);
  find(handle, "curl_multi_wakeup", it.multi_wakeup, out.fault);
  find(handle, "curl_slist_append", it.slist_append, out.fault);
  find(handle, "curl_slist_free_all", it.slist_free_all, out.fault);
  // Its own set-up, once for the process, before its first handle.
  if (out.fault.empty() && it.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    out.fault = std::string(kFile) + " can't be set up";
  }
  return out;
}

}  // namespace

Result<const CurlLibrary*> curl_library() {
  static const Loaded loaded = load();
  if (loaded.fault.empty()) return &loaded.library;
  return fail(Error{ErrorCode::kUnavailable, "HTTP client", loaded.fault});
}

}  // namespace timepool::net
