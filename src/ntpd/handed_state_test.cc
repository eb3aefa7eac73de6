#include "ntpd/handed_state.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace timepool::ntpd {
namespace {
namespace json = boost::json;

ntp::ServerState state() {
  ntp::ServerState out;
  out.leap = wire::ntp::Leap::kInsert;
  out.stratum = 3;
  out.reference_id = wire::ntp::ReferenceId::from_bits(0xfffefdfc);
  out.root_delay = Duration::microseconds(1234);
  out.root_dispersion = Duration::milliseconds(5);
  out.reference_time = UnixTime::from_seconds(1'795'000'000);
  out.made = UnixTime::from_seconds(1'795'000'010);
  return out;
}

// As it comes through a socket.
json::object through_text(const json::object& object) {
  return json::parse(json::serialize(object)).as_object();
}

TEST(HandedState, comes_back_as_it_was) {
  EXPECT_EQ(parse_handed_state(through_text(handed_state(state()))), state());
}

TEST(HandedState, what_is_not_known_or_out_of_range_is_nothing) {
  EXPECT_FALSE(parse_handed_state({}));
  EXPECT_FALSE(parse_handed_state(through_text(handed_state(ntp::ServerState{}))));
  for (const auto& [key, value] : handed_state(state())) {
    json::object changed = through_text(handed_state(state()));
    changed.erase(key);
    EXPECT_FALSE(parse_handed_state(changed)) << key;
    changed[key] = -1;
    EXPECT_FALSE(parse_handed_state(changed)) << key;
    changed[key] = "1";
    EXPECT_FALSE(parse_handed_state(changed)) << key;
  }
  json::object changed = through_text(handed_state(state()));
  changed["stratum"] = 16;
  EXPECT_FALSE(parse_handed_state(changed));
  changed["stratum"] = 15;
  changed["leap"] = 3;
  EXPECT_FALSE(parse_handed_state(changed));
}

}  // namespace
}  // namespace timepool::ntpd
