#include "ntpd/report_refclocks.h"

#include <boost/json.hpp>
#include <string>

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

json::object refclock_object(const ntp::Refclock& clock, const std::string& failure) {
  json::object reasons;
  for (std::size_t i = 0; i < ntp::kRefclockReasonCount; ++i) {
    const auto reason = static_cast<ntp::RefclockReason>(i);
    reasons[name_of(reason)] = clock.count(reason);
  }
  json::object out;
  out["name"] = clock.config().name;
  out["lock"] = clock.config().lock;
  out["reference_id"] = format(clock.config().reference_id, 1);
  out["polls"] = clock.polls();
  out["last_reason"] = name_of(clock.last_reason());
  out["failure"] = failure.empty() ? json::value(nullptr) : json::value(failure);
  out["reasons"] = std::move(reasons);
  return out;
}

}  // namespace

json::object refclocks_report(const Halves& halves) {
  json::array list;
  if (halves.client != nullptr) {
    for (const auto& [id, clock] : halves.client->sources().refclocks()) {
      list.push_back(refclock_object(*clock, halves.client->refclocks().failure(id)));
    }
  }
  json::object out;
  out["refclocks"] = std::move(list);
  return out;
}

}  // namespace timepool::ntpd
