// One request to the routes of a server, without a socket. For tests and fuzz targets.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "net/http_router.h"
#include "net/http_target.h"

namespace timepool::net {

// As the server calls a handler; `last`: it may not wait any longer.
inline HttpOutcome outcome_of(const HttpRouter& router, const std::string& method,
                              const std::string& target, const std::string& body = "",
                              HttpFields headers = {}, bool last = true) {
  const auto parsed = parse_target(target);
  if (!parsed.ok()) return http_error(400, "bad", explain(parsed.error()));
  const HttpRouter::Match match = router.match(method, *parsed);
  if (match.route == nullptr) return http_error(404, "not_found", "no route");
  HttpRequest request;
  request.method = method;
  request.target = target;
  request.params = match.params;
  request.query = parsed->query;
  request.headers = std::move(headers);
  request.body = body;
  return match.route->handler(request, last);
}

inline HttpResponse answer_of(const HttpRouter& router, const std::string& method,
                              const std::string& target, const std::string& body = "",
                              HttpFields headers = {}) {
  return std::get<HttpResponse>(outcome_of(router, method, target, body, std::move(headers)));
}

}  // namespace timepool::net
