// /v1/servers
#include "web/api.h"
#include "web/json_input.h"
#include "web/json_output.h"

namespace timepool::web {
namespace {

constexpr std::int64_t kHistoryEntries = 100;
constexpr std::int64_t kMaxUint32 = 0xffffffff;

template <class T>
net::HttpResponse answer(const Result<T>& result, int status, std::string (*json)(const T&)) {
  if (!result.ok()) return net::http_error(result.error());
  return net::http_json(status, json(*result));
}

Result<std::optional<std::uint32_t>> netspeed_of(const Fields& fields) {
  const auto netspeed = TRY(fields.integer("netspeed", 0, kMaxUint32));
  if (!netspeed) return std::optional<std::uint32_t>();
  return std::optional<std::uint32_t>(static_cast<std::uint32_t>(*netspeed));
}

Result<service::NewServer> parse_new_server(std::string_view body) {
  const boost::json::object object = TRY(parse_object(body));
  TRY(only_fields(object, {"address", "hostname", "country", "netspeed", "owner"}));
  const Fields fields(object);
  service::NewServer out;
  out.address = TRY(required(fields, "address", fields.text("address", 64)));
  out.hostname = TRY(fields.text("hostname", 255)).value_or("");
  out.country = TRY(fields.text("country", 8)).value_or("");
  out.owner = TRY(fields.text("owner", 64)).value_or("");
  out.netspeed = TRY(netspeed_of(fields));
  return out;
}

Result<service::ServerChange> parse_change(std::string_view body) {
  const boost::json::object object = TRY(parse_object(body));
  TRY(only_fields(object, {"hostname", "country", "netspeed", "in_pool", "owner"}));
  const Fields fields(object);
  service::ServerChange out;
  out.hostname = TRY(fields.text("hostname", 255));
  out.country = TRY(fields.text("country", 8));
  out.owner = TRY(fields.text("owner", 64));
  out.netspeed = TRY(netspeed_of(fields));
  out.in_pool = TRY(fields.boolean("in_pool"));
  return out;
}

Result<service::ServerView> add(service::Registry& registry, std::string_view body) {
  return registry.add_server(TRY(parse_new_server(body)));
}

Result<service::ServerView> change(service::Registry& registry, std::string_view address,
                                   std::string_view body) {
  return registry.change_server(address, TRY(parse_change(body)));
}

}  // namespace

void add_server_routes(net::HttpRouter& router, service::Manager& manager,
                       std::string admin_token) {
  service::Registry& registry = manager.registry();
  router.on("GET", "/v1/servers", [&registry](const net::HttpRequest&) {
    return answer(registry.servers(), 200, servers_json);
  });
  router.on("GET", "/v1/servers/{address}", [&registry](const net::HttpRequest& request) {
    return answer(registry.server(request.param("address"), kHistoryEntries), 200,
                  server_detail_json);
  });
  router.on("POST", "/v1/servers",
            for_admin(admin_token, [&registry](const net::HttpRequest& request) {
              return answer(add(registry, request.body), 201, server_json);
            }));
  router.on("PATCH", "/v1/servers/{address}",
            for_admin(admin_token, [&registry](const net::HttpRequest& request) {
              return answer(change(registry, request.param("address"), request.body), 200,
                            server_json);
            }));
  router.on("DELETE", "/v1/servers/{address}",
            for_admin(admin_token, [&registry](const net::HttpRequest& request) {
              const auto done = registry.remove_server(request.param("address"));
              if (!done.ok()) return net::http_error(done.error());
              return net::HttpResponse{204, "", {}, "", nullptr};
            }));
}

}  // namespace timepool::web
