#include <boost/json.hpp>

#include "ntpd/report.h"
#include "wire/ntp/reference_id.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

json::object server_counters(const TimeServer& server) {
  const net::UdpTotals totals = server.totals();
  const ReasonCounts counts = server.reasons();
  json::object reasons;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    reasons[name_of(static_cast<ntp::Reason>(i))] = counts[i];
  }
  json::object out;
  out["received"] = totals.received;
  out["sent"] = totals.sent;
  out["refused"] = totals.refused;
  out["receive_errors"] = totals.errors;
  out["batches"] = totals.batches;
  out["reasons"] = std::move(reasons);
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

}  // namespace

json::object counters_report(const Halves& halves) {
  json::object out;
  out["server"] = nullptr;
  out["client"] = nullptr;
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
  out["test_offset_s"] = state.test_offset.to_seconds();
  return out;
}

}  // namespace timepool::ntpd
