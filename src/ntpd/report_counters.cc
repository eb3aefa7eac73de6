#include <boost/json.hpp>

#include "ntpd/report.h"
#include "ntpd/report_cookies.h"
#include "ntpd/report_keys.h"
#include "wire/ntp/reference_id.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

// Versions and modes that came at all, by number.
template <class Count>
json::object numbered(Count&& count_of) {
  json::object out;
  for (unsigned i = 0; i < 8; ++i) {
    if (const std::uint64_t count = count_of(i); count > 0) out[std::to_string(i)] = count;
  }
  return out;
}

// From the receive to the transmit timestamp; only buckets that are not empty.
json::object latency_report(const ServerCounts& counts) {
  json::array buckets;
  std::uint64_t replies = 0;
  for (std::size_t i = 0; i < counts.latency.size(); ++i) {
    if (counts.latency[i] == 0) continue;
    replies += counts.latency[i];
    json::object bucket;
    const bool last = i + 1 == counts.latency.size();
    bucket["below_us"] = last ? json::value(nullptr) : json::value(latency_bound_us(i));
    bucket["replies"] = counts.latency[i];
    buckets.push_back(std::move(bucket));
  }
  json::object out;
  const double mean_us =
      static_cast<double>(counts.latency_sum_ns) / 1e3 / static_cast<double>(replies);
  out["mean_us"] = replies == 0 ? json::value(nullptr) : json::value(mean_us);
  out["buckets"] = std::move(buckets);
  return out;
}

json::object rates_report(const RequestRates& rates) {
  json::object out;
  out["newest"] = rates.newest;
  out["minute"] = rates.minute;
  out["highest"] = rates.highest;
  return out;
}

json::object server_counters(const TimeServer& server) {
  const net::UdpTotals totals = server.totals();
  const ServerCounts counts = server.counts();
  json::object reasons;
  for (std::size_t i = 0; i < counts.reasons.size(); ++i) {
    reasons[name_of(static_cast<ntp::Reason>(i))] = counts.reasons[i];
  }
  json::object out;
  out["received"] = totals.received;
  out["sent"] = totals.sent;
  out["refused"] = totals.refused;
  out["receive_errors"] = totals.errors;
  out["batches"] = totals.batches;
  out["reasons"] = std::move(reasons);
  out["versions"] = numbered([&](unsigned i) { return counts.of_version(i); });
  out["modes"] = numbered([&](unsigned i) { return counts.of_mode(i); });
  out["latency"] = latency_report(counts);
  out["cookies"] = cookies_report(server.cookie_counts());
  out["requests_per_second"] = rates_report(server.rates());
  return out;
}

json::object client_counters(const TimeClient& client) {
  json::object reasons;
  for (std::size_t i = 0; i < ntp::kReplyReasonCount; ++i) {
    const auto reason = static_cast<ntp::ReplyReason>(i);
    reasons[name_of(reason)] = client.sources().count(reason);
  }
  json::object out;
  out["requests"] = client.requests_sent();
  out["send_failures"] = client.send_failures();
  out["reasons"] = std::move(reasons);
  return out;
}

json::array broadcast_counters(const Broadcaster& broadcaster) {
  json::array out;
  for (const auto& network : broadcaster.networks()) {
    json::object it;
    it["address"] = format(Endpoint{network->config.address, network->config.port, 0});
    it["interface"] = network->config.interface;
    it["sent"] = network->sent;
    it["unsent"] = network->unsent;
    out.push_back(std::move(it));
  }
  return out;
}

}  // namespace

json::object counters_report(const Halves& halves) {
  json::object out;
  out["broadcasts"] = json::array();
  if (halves.broadcaster != nullptr) out["broadcasts"] = broadcast_counters(*halves.broadcaster);
  out["server"] = nullptr;
  out["client"] = nullptr;
  out["key_server"] = key_counters_report(halves.key_server);
  if (halves.server != nullptr) out["server"] = server_counters(*halves.server);
  if (halves.client != nullptr) out["client"] = client_counters(*halves.client);
  return out;
}

json::value server_report(const Halves& halves) {
  if (halves.server == nullptr) return nullptr;
  const ntp::ServerState& state = halves.server->state();
  json::array listen;
  for (const Endpoint& address : halves.server->addresses()) {
    listen.push_back(json::value(format(address)));
  }
  json::object out;
  out["listen"] = std::move(listen);
  out["threads"] = halves.server->threads();
  out["synchronised"] = state.synchronised();
  out["stratum"] = state.stratum;
  out["reference_id"] = format(state.reference_id, state.stratum);
  out["smear_offset_s"] = halves.server->smeared().to_seconds();
  out["test_offset_s"] = state.test_offset.to_seconds();
  out["cookie_keys"] = cookie_keys_report(halves.cookies);
  return out;
}

}  // namespace timepool::ntpd
