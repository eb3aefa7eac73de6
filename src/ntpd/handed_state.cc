#include "ntpd/handed_state.h"

#include <limits>
#include <string_view>

#include "base/time.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

// A whole number of `object` between `least` and `most`; otherwise `ok` is false.
std::int64_t number(const json::object& object, std::string_view key, std::int64_t least,
                    std::int64_t most, bool& ok) {
  const json::value* value = object.if_contains(key);
  const bool usable = value != nullptr && value->is_int64() && value->get_int64() >= least &&
                      value->get_int64() <= most;
  ok = ok && usable;
  return usable ? value->get_int64() : least;
}

// More than a server that counts as synchronised ever claims (RFC 5905 7.3).
constexpr std::int64_t kMostRoot = 16'000'000'000;

}  // namespace

json::object handed_state(const ntp::ServerState& state) {
  json::object out;
  out["leap"] = static_cast<int>(state.leap);
  out["stratum"] = state.stratum;
  out["reference_id"] = state.reference_id.bits();
  out["root_delay_ns"] = state.root_delay.ns();
  out["root_dispersion_ns"] = state.root_dispersion.ns();
  out["dispersion_ppb"] = state.dispersion_ppb;
  out["reference_time_ns"] = (state.reference_time - UnixTime()).ns();
  out["made_ns"] = (state.made.value_or(state.reference_time) - UnixTime()).ns();
  return out;
}

std::optional<ntp::ServerState> parse_handed_state(const json::object& object) {
  bool ok = true;
  ntp::ServerState out;
  out.leap = static_cast<wire::ntp::Leap>(number(object, "leap", 0, 2, ok));
  out.stratum =
      static_cast<std::uint8_t>(number(object, "stratum", 1, wire::ntp::kMaxStratum - 1, ok));
  out.reference_id = wire::ntp::ReferenceId::from_bits(static_cast<std::uint32_t>(
      number(object, "reference_id", 0, std::numeric_limits<std::uint32_t>::max(), ok)));
  out.root_delay = Duration::nanoseconds(number(object, "root_delay_ns", 0, kMostRoot, ok));
  out.root_dispersion =
      Duration::nanoseconds(number(object, "root_dispersion_ns", 0, kMostRoot, ok));
  out.dispersion_ppb = number(object, "dispersion_ppb", 0, 1'000'000'000, ok);
  out.reference_time = UnixTime::from_ns(
      number(object, "reference_time_ns", 1, std::numeric_limits<std::int64_t>::max(), ok));
  out.made =
      UnixTime::from_ns(number(object, "made_ns", 1, std::numeric_limits<std::int64_t>::max(), ok));
  if (!ok) return std::nullopt;
  return out;
}

}  // namespace timepool::ntpd
