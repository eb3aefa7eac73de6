// /v1/monitors for the administration, /v1/work and /v1/results for the monitors themselves.
#include <algorithm>

#include "web/api.h"
#include "web/json_input.h"
#include "web/json_output.h"
#include "web/results_input.h"

namespace timepool::web {
namespace {

constexpr std::int64_t kMaxWaitSeconds = 120;
constexpr const char* kWho = "Authorization";

Result<service::NewMonitor> add(service::Registry& registry, std::string_view body) {
  const boost::json::object object = TRY(parse_object(body));
  TRY(only_fields(object, {"name", "address"}));
  const Fields fields(object);
  const std::string name = TRY(required(fields, "name", fields.text("name", 64)));
  return registry.add_monitor(name, TRY(fields.text("address", 64)).value_or(""));
}

// The monitor whose token the request bears. Errors: kDenied.
Result<store::Monitor> monitor_of(service::Manager& manager, const net::HttpRequest& request) {
  auto found = TRY(manager.monitor_of_token(request.bearer_token()));
  if (!found) {
    return fail(Error{ErrorCode::kDenied, kWho, "this is not the token of a monitor"});
  }
  return std::move(*found);
}

net::HttpResponse refused(const Error& error) {
  if (error.operation != kWho) return net::http_error(error);
  auto out = net::http_error(401, "unauthorized", error.text());
  out.headers.set("WWW-Authenticate", "Bearer");
  return out;
}

Result<net::HttpOutcome> work(service::Manager& manager, const net::HttpRequest& request,
                              bool last) {
  const store::Monitor monitor = TRY(monitor_of(manager, request));
  const std::int64_t wait = TRY(query_integer(request, "wait", 0, kMaxWaitSeconds, 0));
  const std::uint64_t seen = manager.work_signal()->version();
  const MonoTime now = manager.mono_now();
  const auto work = TRY(manager.intake().work_for(monitor, now));
  if (!work.items.empty() || last || wait == 0) {
    return net::HttpOutcome(
        net::http_json(200, work_json(work.items, manager.settings().check_interval)));
  }
  Duration at_most = Duration::seconds(wait);
  // A millisecond more, so that it is due when the time is up.
  if (work.next_due) {
    at_most = std::min(at_most, *work.next_due - now + Duration::milliseconds(1));
  }
  return net::HttpOutcome(net::HttpWait{manager.work_signal(), seen, at_most});
}

Result<std::string> take_results(service::Manager& manager, const net::HttpRequest& request) {
  const store::Monitor monitor = TRY(monitor_of(manager, request));
  service::Batch batch;
  batch.key = request.headers.value("Idempotency-Key");
  batch.results = TRY(parse_results(request.body));
  batch.body = request.body;
  return manager.intake().take_results(monitor, batch);
}

}  // namespace

void add_monitor_routes(net::HttpRouter& router, service::Manager& manager,
                        std::string admin_token) {
  router.on("GET", "/v1/monitors", [&manager](const net::HttpRequest&) {
    const auto monitors = manager.registry().monitors();
    if (!monitors.ok()) return net::http_error(monitors.error());
    return net::http_json(200, monitors_json(*monitors));
  });
  router.on("POST", "/v1/monitors",
            for_admin(std::move(admin_token), [&manager](const net::HttpRequest& request) {
              const auto added = add(manager.registry(), request.body);
              if (!added.ok()) return net::http_error(added.error());
              return net::http_json(201, new_monitor_json(*added));
            }));
  router.on_poll("GET", "/v1/work", [&manager](const net::HttpRequest& request, bool last) {
    auto outcome = work(manager, request, last);
    return outcome.ok() ? std::move(*outcome) : net::HttpOutcome(refused(outcome.error()));
  });
  router.on("POST", "/v1/results", [&manager](const net::HttpRequest& request) {
    const auto answer = take_results(manager, request);
    return answer.ok() ? net::http_json(200, *answer) : refused(answer.error());
  });
}

}  // namespace timepool::web
