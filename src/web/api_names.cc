// /v1/servers/{address}/name: a server's name for NTS.
#include "web/api.h"
#include "web/json_input.h"
#include "web/json_output.h"

namespace timepool::web {
namespace {

Result<std::vector<std::string>> texts_of(const Fields& fields, std::string_view name,
                                          std::size_t max) {
  std::vector<std::string> out;
  const auto* list = TRY(fields.array(name, max));
  if (list == nullptr) return out;
  for (const boost::json::value& item : *list) {
    if (!item.is_string()) return fail(fields.error(name, "expected an array of texts"));
    out.emplace_back(item.get_string());
  }
  return out;
}

Result<service::NewName> parse_name(std::string_view body) {
  const boost::json::object object = TRY(parse_object(body));
  TRY(only_fields(object, {"name", "port", "account_uris"}));
  const Fields fields(object);
  service::NewName out;
  out.name = TRY(required(fields, "name", fields.text("name", 255)));
  const auto port = TRY(fields.integer("port", 1, 65'535));
  if (port) out.port = static_cast<std::uint16_t>(*port);
  out.account_uris = TRY(texts_of(fields, "account_uris", service::kMaxAccountUris));
  return out;
}

Result<service::ServerView> set_name(service::Manager& manager, const net::HttpRequest& request) {
  const std::string_view address = request.param("address");
  const service::NewName name = TRY(parse_name(request.body));
  TRY(manager.names().set(address, name));
  return manager.registry().view(address);
}

}  // namespace

void add_name_routes(net::HttpRouter& router, service::Manager& manager, std::string admin_token) {
  router.on("PUT", "/v1/servers/{address}/name",
            for_admin(admin_token, [&manager](const net::HttpRequest& request) {
              const auto view = set_name(manager, request);
              if (!view.ok()) return net::http_error(view.error());
              return net::http_json(200, server_json(*view));
            }));
  router.on("DELETE", "/v1/servers/{address}/name",
            for_admin(std::move(admin_token), [&manager](const net::HttpRequest& request) {
              const auto done = manager.names().remove(request.param("address"));
              if (!done.ok()) return net::http_error(done.error());
              return net::HttpResponse{204, "", {}, "", nullptr};
            }));
}

}  // namespace timepool::web
