#include "ntp/server/broadcast.h"

#include <gtest/gtest.h>

#include <array>

#include "base/hex.h"
#include "ntp/server/key_test_support.h"
#include "wire/ntp/packet.h"

namespace timepool::ntp {
namespace {

const UnixTime kNow = parse_utc("2026-11-21T12:00:00Z").value();

ServerState synchronised() {
  ServerState out;
  out.leap = wire::ntp::Leap::kNone;
  out.stratum = 2;
  out.reference_id = wire::ntp::ReferenceId::from_bits(0xc0000201);
  out.root_delay = Duration::milliseconds(250);
  out.root_dispersion = Duration::milliseconds(125);
  out.reference_time = kNow;
  return out;
}

class Broadcast : public testing::Test {
 protected:
  Bytes written(const ServerState& state) {
    ByteWriter writer(buffer_);
    const bool wrote = write_broadcast(state, kNow, 6, *key_, writer);
    EXPECT_EQ(wrote, writer.size() > 0);
    EXPECT_TRUE(writer.ok());
    return writer.written();
  }
  std::shared_ptr<const SymmetricKey> key_ = test_key(7, 1);
  std::array<std::byte, 128> buffer_{};
};

TEST_F(Broadcast, golden_octets_of_the_header) {
  EXPECT_EQ(to_hex(written(synchronised()).first(48)),
            "250206ec"
            "00004000"
            "00002000"
            "c0000201"
            "eeac064000000000"
            "0000000000000000"
            "0000000000000000"
            "eeac064000000000");
}

TEST_F(Broadcast, B33_ends_with_the_number_of_the_key_and_its_digest_of_all_before) {
  const Bytes bytes = written(synchronised());
  const auto packet = wire::ntp::parse_packet(bytes);
  ASSERT_TRUE(packet.ok());
  EXPECT_EQ(packet->mac.key_id, 7u);
  EXPECT_TRUE(key_->verify(bytes.first(48), packet->mac.digest));
  EXPECT_LE(bytes.size(), kMaxBroadcastSize);
}

TEST_F(Broadcast, long_digests_are_cut_off_as_in_version_4) {
  key_ = test_key(7, 1, MacType::kSha512);
  EXPECT_EQ(written(synchronised()).size(), kMaxBroadcastSize);
}

TEST_F(Broadcast, who_has_no_time_tells_none) {
  EXPECT_TRUE(written(ServerState()).empty());
  ServerState old = synchronised();
  old.made = kNow - kMaxStateAge - Duration::seconds(1);
  EXPECT_TRUE(written(old).empty());
}

TEST_F(Broadcast, B16_a_smeared_leap_second_is_not_broadcast) {
  ServerState state = synchronised();
  state.shift.offset = Duration::milliseconds(100);
  EXPECT_TRUE(written(state).empty());
}

}  // namespace
}  // namespace timepool::ntp
