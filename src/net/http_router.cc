#include "net/http_router.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"

namespace timepool::net {
namespace {

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

// The parameters when `route` has the shape of `segments`.
std::optional<HttpPairs> match_path(const HttpRouter::Route& route,
                                    const std::vector<std::string>& segments) {
  if (route.segments.size() != segments.size()) return std::nullopt;
  HttpPairs params;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::string& expected = route.segments[i];
    if (is_parameter(expected)) {
      if (segments[i].empty()) return std::nullopt;
      params.emplace_back(expected.substr(1, expected.size() - 2), segments[i]);
    } else if (expected != segments[i]) {
      return std::nullopt;
    }
  }
  return params;
}

// True when `a` is literal at the first segment where the two differ in kind.
bool more_literal(const HttpRouter::Route& a, const HttpRouter::Route& b) {
  for (std::size_t i = 0; i < a.segments.size(); ++i) {
    const bool a_is = is_parameter(a.segments[i]);
    if (a_is != is_parameter(b.segments[i])) return !a_is;
  }
  return false;
}

}  // namespace

void HttpRouter::on(std::string_view method, std::string_view pattern, HttpHandler handler,
                    HttpThread thread) {
  on_poll(
      method, pattern,
      [handler = std::move(handler)](const HttpRequest& request, bool) -> HttpOutcome {
        return handler(request);
      },
      thread);
}

void HttpRouter::on_poll(std::string_view method, std::string_view pattern, HttpPollHandler handler,
                         HttpThread thread) {
  CHECK(pattern.starts_with('/'));
  const auto target = parse_target(pattern);
  CHECK(target.ok() && target->query.empty());
  for (const Route& route : routes_) CHECK(route.method != method || route.pattern != pattern);
  routes_.push_back(Route{std::string(method), std::string(pattern), target->segments,
                          std::move(handler), thread});
}

HttpRouter::Match HttpRouter::match(std::string_view method, const HttpTarget& target) const {
  Match best;
  const Route* shape = nullptr;  // the most literal route of the path, whatever its method
  for (const Route& route : routes_) {
    if (!match_path(route, target.segments)) continue;
    if (shape == nullptr || more_literal(route, *shape)) shape = &route;
  }
  if (shape == nullptr) return best;
  const std::string_view wanted = method == "HEAD" ? std::string_view("GET") : method;
  for (const Route& route : routes_) {
    std::optional<HttpPairs> params = match_path(route, target.segments);
    if (!params || more_literal(*shape, route)) continue;
    best.allow += (best.allow.empty() ? "" : ", ") + route.method;
    if (route.method == "GET") best.allow += ", HEAD";
    if (route.method != wanted) continue;
    best.route = &route;
    best.params = std::move(*params);
  }
  best.allow += ", OPTIONS";
  return best;
}

}  // namespace timepool::net
