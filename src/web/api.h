// The HTTP API of the manager: JSON under /v1, the NTP Pool's /scores/<ip>/json and /log, /healthz
// and /metrics. Handlers run on the server's worker threads.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "net/http_router.h"
#include "net/http_server.h"
#include "service/manager.h"

namespace timepool::web {

// The server whose counters /metrics shows: set once it runs, null again before it goes.
using ServerSlot = std::shared_ptr<std::atomic<const net::HttpServer*>>;

// `manager` outlives the router.
void add_api_routes(net::HttpRouter& router, service::Manager& manager, std::string admin_token,
                    ServerSlot server);

// Parts of the above, a file each.
void add_server_routes(net::HttpRouter& router, service::Manager& manager, std::string admin_token);
void add_name_routes(net::HttpRouter& router, service::Manager& manager, std::string admin_token);
void add_monitor_routes(net::HttpRouter& router, service::Manager& manager,
                        std::string admin_token);
void add_score_routes(net::HttpRouter& router, service::Manager& manager);
void add_snapshot_routes(net::HttpRouter& router, service::Manager& manager);
void add_zone_routes(net::HttpRouter& router, service::Manager& manager);
// `token` is that of the name servers; empty: their counts are not taken.
void add_handed_out_routes(net::HttpRouter& router, service::Manager& manager, std::string token);
void add_status_routes(net::HttpRouter& router, service::Manager& manager, ServerSlot server);

// The handler behind a check of the admin token: 401 without a token, 403 with another one.
net::HttpHandler for_admin(std::string admin_token, net::HttpHandler handler);

// The query parameter as an integer; `otherwise` when it is absent. Errors: kInvalid.
Result<std::int64_t> query_integer(const net::HttpRequest& request, std::string_view name,
                                   std::int64_t min, std::int64_t max, std::int64_t otherwise);

}  // namespace timepool::web
