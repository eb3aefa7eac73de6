// /v1/snapshot/<channel>, and the public key that verifies what it gives.
#include "web/api.h"

namespace timepool::web {

void add_snapshot_routes(net::HttpRouter& router, service::Manager& manager) {
  service::Publisher& publisher = manager.publisher();
  publisher.feed().add_routes(router);
  router.on(
      "GET", "/v1/snapshot-key",
      [&publisher](const net::HttpRequest&) {
        return net::http_json(200, "{\"public_key\":\"" + publisher.public_key_hex() + "\"}");
      },
      net::HttpThread::kLoop);
}

}  // namespace timepool::web
