// /v1/zones: which names the pool's zone has, and how each came by its servers.
#include "web/api.h"
#include "web/json_output.h"

namespace timepool::web {

void add_zone_routes(net::HttpRouter& router, service::Manager& manager) {
  router.on("GET", "/v1/zones", [&manager](const net::HttpRequest&) {
    return net::http_json(200,
                          names_json(manager.settings().zone.name, manager.publisher().names()));
  });
}

}  // namespace timepool::web
