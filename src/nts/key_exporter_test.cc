#include "nts/key_exporter.h"

#include <gtest/gtest.h>

#include "base/hex.h"
#include "nts/ke_testing.h"

namespace timepool::nts {
namespace {

TEST(KeyExporter, T6_golden_octets_of_the_contexts) {
  EXPECT_EQ(to_hex(exporter_context(15, KeyDirection::kClientToServer)), "0000000f00");
  EXPECT_EQ(to_hex(exporter_context(15, KeyDirection::kServerToClient)), "0000000f01");
  EXPECT_EQ(to_hex(exporter_context(30, KeyDirection::kServerToClient)), "0000001e01");
  EXPECT_EQ(kExporterLabel, "EXPORTER-network-time-security");
}

TEST(KeyExporter, T6_keys_are_as_long_as_the_algorithms_and_differ_by_direction) {
  fake::TestExporter exporter;
  for (const AeadId aead : {AeadId::kAesSivCmac256, AeadId::kAes128GcmSiv}) {
    const auto keys = export_session_keys(exporter, aead, GcmSivContext::kCompliant);
    ASSERT_TRUE(keys);
    EXPECT_EQ(keys->aead, aead);
    EXPECT_EQ(keys->c2s().size(), key_size(aead));
    EXPECT_NE(to_hex(keys->c2s()), to_hex(keys->s2c()));
    std::array<std::byte, kMaxAeadKey> expected{};
    const auto context =
        exporter_context(static_cast<std::uint16_t>(aead), KeyDirection::kClientToServer);
    ASSERT_TRUE(
        exporter.export_key(kExporterLabel, context, MutableBytes(expected).first(key_size(aead))));
    EXPECT_EQ(to_hex(keys->client_to_server), to_hex(expected));
  }
}

TEST(KeyExporter, chrony_4_4_names_AES_SIV_CMAC_256_for_the_other_algorithm) {
  fake::TestExporter exporter;
  const auto keys =
      export_session_keys(exporter, AeadId::kAes128GcmSiv, GcmSivContext::kOfChrony44);
  ASSERT_TRUE(keys);
  std::array<std::byte, 16> expected{};
  const auto context = exporter_context(15, KeyDirection::kServerToClient);
  ASSERT_TRUE(exporter.export_key(kExporterLabel, context, expected));
  EXPECT_EQ(to_hex(keys->s2c()), to_hex(expected));
}

TEST(KeyExporter, AES_SIV_CMAC_256_has_the_same_keys_either_way) {
  fake::TestExporter exporter;
  EXPECT_EQ(export_session_keys(exporter, AeadId::kAesSivCmac256, GcmSivContext::kCompliant),
            export_session_keys(exporter, AeadId::kAesSivCmac256, GcmSivContext::kOfChrony44));
}

TEST(KeyExporter, a_session_that_gives_no_keys_is_told) {
  fake::TestExporter exporter;
  exporter.broken = true;
  EXPECT_FALSE(export_session_keys(exporter, AeadId::kAesSivCmac256, GcmSivContext::kCompliant));
}

}  // namespace
}  // namespace timepool::nts
