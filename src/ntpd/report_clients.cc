#include "ntpd/report_clients.h"

#include <boost/json.hpp>

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

constexpr std::int64_t kUsualCount = 20;

Result<std::size_t> count_of(const json::object& request) {
  const json::value* count = request.if_contains("count");
  if (count == nullptr) return static_cast<std::size_t>(kUsualCount);
  const std::int64_t* number = count->if_int64();
  constexpr auto kMost = static_cast<std::int64_t>(TimeServer::kMaxClientsListed);
  if (number == nullptr || *number < 1 || *number > kMost) {
    return fail(Error{ErrorCode::kInvalid, "count", "expected 1 to " + std::to_string(kMost)});
  }
  return static_cast<std::size_t>(*number);
}

json::object client_object(const ntp::ClientReport& it) {
  json::object out;
  out["address"] = format(it.address);
  out["requests"] = it.requests;
  out["dropped"] = it.dropped;
  out["version"] = it.version;
  out["mode"] = it.mode;
  if (it.interval) out["interval_s"] = it.interval->to_seconds();
  out["age_s"] = it.age.to_seconds();
  return out;
}

}  // namespace

Result<json::object> clients_report(const Halves& halves, const json::object& request,
                                    MonoTime now) {
  const std::size_t count = TRY(count_of(request));
  if (halves.server == nullptr) {
    return fail(Error{ErrorCode::kUnavailable, "clients", "there is no [server]"});
  }
  json::array clients;
  for (const ntp::ClientReport& it : halves.server->clients(count, now)) {
    clients.push_back(client_object(it));
  }
  json::object events;
  for (std::size_t i = 0; i < ntp::RateLimiter::kEventCount; ++i) {
    const auto event = static_cast<ntp::RateLimiter::Event>(i);
    events[name_of(event)] = halves.server->count(event);
  }
  json::object out;
  out["remembered"] = halves.server->clients_remembered();
  out["places"] = halves.server->clients_at_most();
  out["clients"] = std::move(clients);
  out["events"] = std::move(events);
  return out;
}

}  // namespace timepool::ntpd
