#include "wire/ntp/reference_id.h"

#include <gtest/gtest.h>

namespace timepool::wire::ntp {
namespace {

TEST(ReferenceId, text_is_left_justified) {
  EXPECT_EQ(ReferenceId::from_text("GPS").bits(), 0x47505300u);
  EXPECT_EQ(ReferenceId::from_text("RATES").bits(), ReferenceId::from_text("RATE").bits());
  EXPECT_EQ(text_of(ReferenceId::from_text("PPS")), "PPS");
}

TEST(ReferenceId, bits_that_are_not_text_have_none) {
  EXPECT_EQ(text_of(ReferenceId::from_bits(0x00475053)), "");
  EXPECT_EQ(text_of(ReferenceId::from_bits(0xc0000201)), "");
  EXPECT_EQ(text_of(ReferenceId()), "");
}

TEST(ReferenceId, people_read_an_address_above_stratum_1) {
  EXPECT_EQ(format(ReferenceId::from_bits(0xc0000201), 2), "192.0.2.1");
  EXPECT_EQ(format(ReferenceId::from_text("GPS"), 1), "GPS");
  EXPECT_EQ(format(ReferenceId(), 0), "00000000");
}

TEST(ReferenceId, of_an_IPv4_address_is_the_address) {
  EXPECT_EQ(ReferenceId::of_address(parse_ip("192.0.2.1").value()).bits(), 0xc0000201);
}

// MD5 of the sixteen octets, as chronyd and ntpd show it for a server of this address.
TEST(ReferenceId, of_an_IPv6_address_is_the_beginning_of_its_MD5) {
  EXPECT_EQ(ReferenceId::of_address(parse_ip("2001:db8::1").value()).bits(), 0x39ab9b37);
}

TEST(KissCode, is_known_at_stratum_0_only) {
  EXPECT_EQ(kiss_code(0, kKissRate), KissCode::kRate);
  EXPECT_EQ(kiss_code(0, kKissDeny), KissCode::kDeny);
  EXPECT_EQ(kiss_code(0, kKissRstr), KissCode::kRstr);
  EXPECT_EQ(kiss_code(0, kKissNtsn), KissCode::kNtsn);
  EXPECT_EQ(kiss_code(1, kKissRate), KissCode::kNone);
  EXPECT_EQ(kiss_code(0, ReferenceId::from_text("STEP")), KissCode::kOther);
}

TEST(KissCode, an_unsynchronised_server_is_not_a_kiss) {
  EXPECT_EQ(kiss_code(0, ReferenceId()), KissCode::kNone);
  EXPECT_EQ(kiss_code(0, ReferenceId::from_bits(0xc0000201)), KissCode::kNone);
}

}  // namespace
}  // namespace timepool::wire::ntp
