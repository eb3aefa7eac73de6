#include <boost/json.hpp>

#include "ntpd/advice.h"
#include "ntpd/report.h"
#include "ntpd/report_authentication.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

// How often something happened, and when and by whom last.
struct Seen {
  std::uint64_t count = 0;
  std::optional<LastSeen::Value> last;
};

void add_seen(const Seen& seen, json::object& out) {
  out["count"] = seen.count;
  out["last"] = seen.last ? json::value(format_utc(seen.last->at)) : json::value(nullptr);
  out["address"] = seen.last ? json::value(format(seen.last->from)) : json::value(nullptr);
}

void add_concern(const char* half, std::string_view reason, const Seen& seen, const Advice& advice,
                 json::array& out) {
  if (!advice.concern || seen.count == 0) return;
  json::object concern;
  concern["half"] = half;
  concern["reason"] = reason;
  add_seen(seen, concern);
  concern["meaning"] = advice.meaning;
  concern["action"] = advice.action;
  out.push_back(std::move(concern));
}

json::object add_client(const TimeClient& client, json::array& concerns) {
  json::object out;
  for (std::size_t i = 0; i < ntp::kReplyReasonCount; ++i) {
    const auto reason = static_cast<ntp::ReplyReason>(i);
    if (reason == ntp::ReplyReason::kAccepted) continue;
    const Rejections::Entry& entry = client.rejections().entry(reason);
    Seen seen{entry.count, std::nullopt};
    if (entry.count > 0) seen.last = LastSeen::Value{entry.last, entry.from};
    json::object item;
    add_seen(seen, item);
    out[name_of(reason)] = std::move(item);
    add_concern("client", name_of(reason), seen, advice_on(reason), concerns);
  }
  return out;
}

json::object add_server(const TimeServer& server, json::array& concerns) {
  const ReasonCounts counts = server.counts().reasons;
  json::object out;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto reason = static_cast<ntp::Reason>(i);
    if (ntp::is_answered(reason)) continue;
    const Seen seen{counts[i], server.last_dropped(reason)};
    json::object item;
    add_seen(seen, item);
    out[name_of(reason)] = std::move(item);
    add_concern("server", name_of(reason), seen, advice_on(reason), concerns);
  }
  return out;
}

// Others who move the clock, and an offset that the rules leave alone (RFC 8633 5.2).
json::object add_clock(const ntp::Timekeeper& keeper, json::array& concerns) {
  const ntp::CorrectionVerdict verdict = keeper.discipline().verdict();
  json::object out;
  out["interferences"] = keeper.interferences();
  out["correction"] = name_of(verdict);
  const auto concern = [&](std::string_view reason, std::uint64_t count, const char* meaning,
                           const char* action) {
    if (count == 0) return;
    json::object it;
    it["half"] = "clock";
    it["reason"] = reason;
    add_seen({count, std::nullopt}, it);
    it["meaning"] = meaning;
    it["action"] = action;
    concerns.push_back(std::move(it));
  };
  concern("interference", keeper.interferences(),
          "another program stepped the clock or changed its rate",
          "Find it and stop it: only one program can steer a clock.");
  concern(name_of(verdict), is_correction(verdict) ? 0 : 1,
          "the sources say that the clock is further off than the rules let it be corrected",
          "Compare with another clock; if they are right: timepool ntp accept-step.");
  return out;
}

}  // namespace

json::object security_report(const Halves& halves) {
  json::array concerns;
  json::object out;
  out["client"] = nullptr;
  out["server"] = nullptr;
  out["clock"] = nullptr;
  if (halves.client != nullptr && halves.client->keeper().steers()) {
    out["clock"] = add_clock(halves.client->keeper(), concerns);
  }
  if (halves.client != nullptr) out["client"] = add_client(*halves.client, concerns);
  if (halves.server != nullptr) out["server"] = add_server(*halves.server, concerns);
  out["key_establishments"] = establishments_object(halves.client);
  out["concerns"] = std::move(concerns);
  return out;
}

}  // namespace timepool::ntpd
