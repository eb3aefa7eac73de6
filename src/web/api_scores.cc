// /scores/<ip>/json and /scores/<ip>/log, with the NTP Pool's parameters limit, monitor and since.
#include <charconv>

#include "web/api.h"
#include "web/json_output.h"

namespace timepool::web {
namespace {

using Of = store::HistoryQuery::Of;
constexpr std::int64_t kDefaultLimit = 100;
constexpr std::int64_t kMaxLimit = 10'000;

// "" is the server's own score, "*" everything, else a monitor's number or name.
Result<void> select_monitor(service::Manager& manager, std::string_view text,
                            store::HistoryQuery& query) {
  query.of = text == "*" ? Of::kAll : Of::kServerScore;
  if (text.empty() || text == "*" || text == "0" || text == kMedianName) return {};
  query.of = Of::kMonitor;
  const auto monitors = TRY(manager.registry().monitors());
  for (const store::Monitor& monitor : monitors) {
    if (monitor.name != text && std::to_string(monitor.id) != text) continue;
    query.monitor_id = monitor.id;
    return {};
  }
  return fail(Error{ErrorCode::kNotFound, "monitor", "not found"});
}

Result<service::Manager::History> history(service::Manager& manager,
                                          const net::HttpRequest& request) {
  store::HistoryQuery query;
  query.limit = TRY(query_integer(request, "limit", 1, kMaxLimit, kDefaultLimit));
  const std::int64_t since = TRY(query_integer(request, "since", 0, 1LL << 33, 0));
  query.since = UnixTime::from_seconds(since);
  TRY(select_monitor(manager, request.query_value("monitor").value_or(""), query));
  return manager.history(request.param("address"), query);
}

net::HttpResponse shared_with_all(net::HttpResponse response) {
  response.headers.set("Access-Control-Allow-Origin", "*");
  response.headers.set("Cache-Control", "max-age=10");
  return response;
}

}  // namespace

void add_score_routes(net::HttpRouter& router, service::Manager& manager) {
  router.on("GET", "/scores/{address}/json", [&manager](const net::HttpRequest& request) {
    const auto found = history(manager, request);
    if (!found.ok()) return net::http_error(found.error());
    return shared_with_all(net::http_json(200, scores_json(*found)));
  });
  router.on("GET", "/scores/{address}/log", [&manager](const net::HttpRequest& request) {
    const auto found = history(manager, request);
    if (!found.ok()) return net::http_error(found.error());
    // text/plain and not text/csv: browsers show the one and save the other.
    return shared_with_all(net::http_text(200, "text/plain; charset=utf-8", scores_csv(*found)));
  });
}

}  // namespace timepool::web
