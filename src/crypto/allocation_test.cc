// No allocation per packet: malloc itself is counted while digests are made and checked.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "base/counted_malloc.h"
#include "crypto/aead.h"
#include "crypto/mac.h"

namespace timepool::crypto {
namespace {

TEST(NtpMacAllocation, none_in_ten_thousand_packets_of_each_type) {
#ifndef TIMEPOOL_COUNTS_MALLOC
  GTEST_SKIP() << "a sanitizer counts allocations itself";
#else
  for (std::size_t i = 0; i < kMacTypeCount; ++i) {
    const auto type = static_cast<MacType>(i);
    const std::vector<std::byte> secret(key_size(type) > 0 ? key_size(type) : 20, std::byte{3});
    const auto mac = make_mac(type, secret);
    ASSERT_TRUE(mac.ok());
    std::array<std::byte, 48> packet{};
    std::array<std::byte, 16> digest{};
    int right = 0;
    const std::uint64_t before = allocations.load();
    for (int n = 0; n < 10'000; ++n) {
      packet[0] = static_cast<std::byte>(n);
      (*mac)->sign(packet, digest);
      right += (*mac)->verify(packet, digest) ? 1 : 0;
    }
    EXPECT_EQ(allocations.load() - before, 0U) << name_of(type);
    EXPECT_EQ(right, 10'000);
  }
  // The counter counts.
  const std::uint64_t before = allocations.load();
  const std::vector<std::byte> seen(10'000);
  EXPECT_GT(allocations.load(), before) << seen.size();
#endif
}

TEST(AeadAllocation, none_for_a_new_key_a_packet_sealed_opened_or_refused) {
#ifndef TIMEPOOL_COUNTS_MALLOC
  GTEST_SKIP() << "a sanitizer counts allocations itself";
#else
  const GcryptAeads maker;
  for (const AeadId id : {AeadId::kAesSivCmac256, AeadId::kAes128GcmSiv}) {
    const auto aead = maker.make(id);
    std::array<std::byte, kMaxAeadKey> key{};
    std::array<std::byte, 188> head{};
    std::array<std::byte, 104> plain{};
    std::array<std::byte, 104 + kAeadOverhead> sealed{};
    const Bytes nonce = Bytes(head).first(nonce_size(id));
    int opened = 0;
    const std::uint64_t before = allocations.load();
    for (int n = 0; n < 1000; ++n) {
      key[0] = static_cast<std::byte>(n);
      aead->set_key(Bytes(key).first(key_size(id)));
      aead->seal(nonce, head, plain, sealed);
      opened += aead->open(nonce, head, sealed, plain) ? 1 : 0;
      sealed[20] ^= std::byte{1};
      opened += aead->open(nonce, head, sealed, plain) ? 1 : 0;
    }
    EXPECT_EQ(allocations.load() - before, 0U) << name_of(id);
    EXPECT_EQ(opened, 1000);
  }
#endif
}

}  // namespace
}  // namespace timepool::crypto
