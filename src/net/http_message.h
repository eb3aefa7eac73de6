// HTTP requests and responses as values, shared by the server (http_server.h) and the client
// (http_client.h). Light: no Boost, so that handlers in other folders compile fast.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/ip.h"

namespace timepool::net {

// Header fields in their order; names compare without case (RFC 9110 5.1).
class HttpFields {
 public:
  struct Field {
    std::string name;
    std::string value;
  };

  HttpFields() = default;
  HttpFields(std::initializer_list<Field> fields) : fields_(fields) {}

  void add(std::string_view name, std::string_view value);
  // Replaces every field of that name.
  void set(std::string_view name, std::string_view value);
  // The first field of that name, or null.
  const std::string* find(std::string_view name) const;
  // The first field's value, or "".
  std::string_view value(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  const std::vector<Field>& all() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

// True when both are the same but for ASCII case.
bool equal_ignoring_case(std::string_view a, std::string_view b);

using HttpPairs = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;  // "GET"; HEAD reaches the GET handler as "HEAD", the server drops the body
  std::string target;  // as sent: "/v1/servers/192.0.2.1?full=1"
  std::string path;    // "/v1/servers/192.0.2.1", as sent, still percent-encoded
  HttpPairs params;    // what the {names} of the route's pattern matched, decoded
  HttpPairs query;     // decoded, in order
  HttpFields headers;
  std::string body;
  Endpoint peer;  // 0.0.0.0:0 for a Unix socket

  // "" when there is none.
  std::string_view param(std::string_view name) const;
  // The first of that name.
  std::optional<std::string_view> query_value(std::string_view name) const;
  // The token of `Authorization: Bearer TOKEN` (RFC 6750 2.1), or "".
  std::string_view bearer_token() const;
  // N of `Prefer: wait=N` (RFC 7240 4.3), seconds.
  std::optional<std::uint32_t> prefer_wait() const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type;  // "" sends none
  HttpFields headers;
  std::string body;
  // Sent instead of `body` when set: one large body shared by many responses.
  std::shared_ptr<const std::string> shared_body;

  std::string_view content() const {
    return shared_body ? std::string_view(*shared_body) : std::string_view(body);
  }
};

// `json` is a JSON text.
HttpResponse http_json(int status, std::string json);
HttpResponse http_text(int status, std::string content_type, std::string body);
// {"error":{"code":"...","message":"..."}}
HttpResponse http_error(int status, std::string_view code, std::string_view message);
// The status that fits error.code. The text of kSystem and kCorrupt stays inside: it is for the
// log, not for clients.
HttpResponse http_error(const Error& error);

// "Not Found"; "" for a status without a registered reason.
std::string_view http_reason(int status);

// True when the If-None-Match value `field` names `etag` (with its quotes) by weak comparison, or
// is "*" (RFC 9110 13.1.2).
bool etag_matches(std::string_view field, std::string_view etag);

}  // namespace timepool::net
