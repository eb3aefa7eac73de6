#include "web/api.h"

#include <fmt/format.h>

#include <charconv>

#include "service/secrets.h"

namespace timepool::web {

void add_api_routes(net::HttpRouter& router, service::Manager& manager, std::string admin_token,
                    ServerSlot server) {
  add_server_routes(router, manager, admin_token);
  add_name_routes(router, manager, admin_token);
  add_monitor_routes(router, manager, admin_token);
  add_score_routes(router, manager);
  add_snapshot_routes(router, manager);
  add_zone_routes(router, manager);
  add_status_routes(router, manager, std::move(server));
}

net::HttpHandler for_admin(std::string admin_token, net::HttpHandler handler) {
  return [admin_token = std::move(admin_token),
          handler = std::move(handler)](const net::HttpRequest& request) {
    const std::string_view token = request.bearer_token();
    if (token.empty()) {
      auto out = net::http_error(401, "unauthorized", "this call needs the admin token");
      out.headers.set("WWW-Authenticate", "Bearer");
      return out;
    }
    if (!service::equal_secrets(token, admin_token)) {
      return net::http_error(403, "denied", "this is not the admin token");
    }
    return handler(request);
  };
}

Result<std::int64_t> query_integer(const net::HttpRequest& request, std::string_view name,
                                   std::int64_t min, std::int64_t max, std::int64_t otherwise) {
  const auto text = request.query_value(name);
  if (!text || text->empty()) return otherwise;
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), out);
  if (error != std::errc() || end != text->data() + text->size() || out < min || out > max) {
    return fail(Error{ErrorCode::kInvalid, std::string(name),
                      fmt::format("expected an integer, {} to {}", min, max)});
  }
  return out;
}

}  // namespace timepool::web
