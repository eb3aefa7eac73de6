#include "base/aead.h"

#include <gtest/gtest.h>

namespace timepool {
namespace {

TEST(AeadId, is_known_by_its_number_in_the_registry) {
  EXPECT_EQ(aead_of(15), AeadId::kAesSivCmac256);
  EXPECT_EQ(aead_of(30), AeadId::kAes128GcmSiv);
  EXPECT_EQ(aead_of(0), std::nullopt);
  EXPECT_EQ(aead_of(17), std::nullopt);
  EXPECT_EQ(aead_of(0x801e), std::nullopt);
}

TEST(AeadId, says_how_long_its_keys_and_nonces_are) {
  EXPECT_EQ(key_size(AeadId::kAesSivCmac256), 32U);
  EXPECT_EQ(key_size(AeadId::kAes128GcmSiv), 16U);
  EXPECT_LE(key_size(AeadId::kAesSivCmac256), kMaxAeadKey);
  EXPECT_EQ(nonce_size(AeadId::kAesSivCmac256), 16U);
  EXPECT_EQ(nonce_size(AeadId::kAes128GcmSiv), 12U);
}

TEST(AeadId, takes_any_nonce_for_siv_and_one_size_for_gcm_siv) {
  EXPECT_FALSE(is_nonce_size(AeadId::kAesSivCmac256, 0));
  EXPECT_TRUE(is_nonce_size(AeadId::kAesSivCmac256, 1));
  EXPECT_TRUE(is_nonce_size(AeadId::kAesSivCmac256, 64));
  EXPECT_TRUE(is_nonce_size(AeadId::kAes128GcmSiv, 12));
  EXPECT_FALSE(is_nonce_size(AeadId::kAes128GcmSiv, 16));
}

}  // namespace
}  // namespace timepool
