// HttpClient: one HTTP request at a time by libcurl, over TCP, TLS or a Unix socket, with every
// wait bounded. Connections are kept for the next request. One thread uses a client; cancel() may
// come from any other.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/duration.h"
#include "base/result.h"
#include "net/http_message.h"

namespace timepool::net {

struct HttpFetch {
  std::string url;  // http: or https:
  std::string method = "GET";
  HttpFields headers;
  std::string body;
  Duration connect_timeout = Duration::seconds(5);
  Duration total_timeout = Duration::seconds(30);
  // A connection that was idle for longer is not used again; whole seconds.
  Duration keep = Duration::seconds(118);
  // What the other host has not acknowledged for so long, its connection is dead (RFC 5482): a kept
  // one is replaced by another, and the request sent again.
  Duration unacknowledged = Duration::seconds(10);
  std::size_t max_body = 16 * 1024 * 1024;  // a longer answer is an error, not cut
  std::size_t max_headers = 64 * 1024;      // all fields together
  bool follow_redirects = false;            // at most 5, http: and https: only
  bool proxy_from_environment = false;      // http_proxy and its like
  std::string unix_socket;                  // connect here; the URL's host is only a name
  std::string ca_file;                      // PEM; "" is the system's store
};

class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Any status is a response. Errors: kInvalid (the URL), kUnavailable (no connection, timed out,
  // cancelled, cut off, no libcurl), kExhausted (a limit above), kDenied (TLS does not verify).
  // Blocks.
  Result<HttpResponse> fetch(const HttpFetch& fetch);
  // Ends the fetch under way, and every later one, at once. From any thread.
  void cancel();
  bool cancelled() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Loads libcurl now, for a program that can't open files later. Errors: kUnavailable.
Result<void> prepare_http_client();

// One request with a client of its own.
Result<HttpResponse> fetch(const HttpFetch& request);

}  // namespace timepool::net
