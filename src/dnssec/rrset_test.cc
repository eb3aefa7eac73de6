#include "dnssec/rrset.h"

#include <gtest/gtest.h>

#include "base/hex.h"
#include "dnssec/rrsig.h"
#include "wire/dns/rdata.h"
#include "wire/dns/record_generator.h"

namespace timepool::dnssec {
namespace {

using wire::dns::DnsName;
using wire::dns::RrType;

DnsName name(const char* text) {
  return DnsName::from_text(text).value();
}

std::vector<std::byte> octets(std::string_view hex) {
  return from_hex(hex).value();
}

std::string covered(const CanonicalRrset& set, const char* owner,
                    std::span<const std::uint32_t> records) {
  std::vector<std::byte> out(set.written_at_most(name(owner), records.size()));
  ByteWriter writer(out);
  std::vector<std::uint32_t> order;
  set.write(name(owner), records, writer, order);
  EXPECT_TRUE(writer.ok());
  return to_hex(writer.written());
}

TEST(CanonicalRrset, records_are_sorted_as_octets_and_equal_ones_are_one) {
  const std::vector<std::vector<std::byte>> data{octets("c0000202"), octets("0a000001"),
                                                 octets("c0000201"), octets("0a000001")};
  const std::vector<Bytes> views(data.begin(), data.end());
  const auto set = CanonicalRrset::create(RrType::kA, 60, views);
  ASSERT_TRUE(set.ok());
  const std::string lower =
      "016101620000010001"
      "0000003c"
      "0004";
  const std::uint32_t all[] = {0, 1, 2, 3};
  EXPECT_EQ(covered(*set, "A.B.", all),
            lower + "0a000001" + lower + "c0000201" + lower + "c0000202");
  const std::uint32_t some[] = {2, 1};
  EXPECT_EQ(covered(*set, "a.b.", some), lower + "0a000001" + lower + "c0000201");
}

TEST(CanonicalRrset, shorter_data_is_first_and_names_in_it_are_lowered) {
  const std::vector<std::vector<std::byte>> data{octets("024142016300"), octets("024142"
                                                                                "00")};
  const std::vector<Bytes> views(data.begin(), data.end());
  const auto ns = CanonicalRrset::create(RrType::kNs, 1, views);
  ASSERT_TRUE(ns.ok());
  const std::uint32_t all[] = {0, 1};
  EXPECT_EQ(covered(*ns, ".", all),
            "00"
            "0002"
            "0001"
            "00000001"
            "0004"
            "02616200"
            "00"
            "0002"
            "0001"
            "00000001"
            "0006"
            "026162016300");
  // RFC 6840 5.1, RFC 9460: the names of HTTPS stay as they are.
  const std::vector<std::vector<std::byte>> https{
      octets("0001"
             "0141"
             "00")};
  const std::vector<Bytes> https_views(https.begin(), https.end());
  const auto kept = CanonicalRrset::create(RrType::kHttps, 1, https_views);
  ASSERT_TRUE(kept.ok());
  const std::uint32_t one[] = {0};
  EXPECT_EQ(covered(*kept, ".", one),
            "00"
            "0041"
            "0001"
            "00000001"
            "0005"
            "0001"
            "0141"
            "00");
}

TEST(CanonicalRrset, refuses_data_that_is_none_of_its_type) {
  const std::vector<std::byte> broken = octets("05616200");
  const Bytes view(broken);
  EXPECT_FALSE(CanonicalRrset::create(RrType::kNs, 1, {&view, 1}).ok());
}

TEST(CanonicalRrset, any_generated_set_is_written_in_strictly_rising_order) {
  wire::dns::RecordGenerator generator(20);
  for (int round = 0; round < 300; ++round) {
    const RrType type = generator.type();
    std::vector<std::vector<std::byte>> data;
    for (std::uint64_t left = 1 + generator.prng().below(6); left > 0; --left) {
      std::vector<std::byte> one(2000);
      ByteWriter writer(one);
      wire::dns::write_rdata(writer, generator.rdata(type));
      one.resize(writer.size());
      data.push_back(one);
    }
    const std::vector<Bytes> views(data.begin(), data.end());
    const auto set = CanonicalRrset::create(type, 7, views);
    ASSERT_TRUE(set.ok()) << round;
    std::vector<std::uint32_t> all(data.size());
    for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
    std::vector<std::byte> out(set->written_at_most(name("x."), all.size()));
    ByteWriter writer(out);
    std::vector<std::uint32_t> order;
    set->write(name("x."), all, writer, order);
    ASSERT_TRUE(writer.ok());
    ByteReader reader(writer.written());
    std::vector<std::byte> last;
    bool first = true;
    while (reader.remaining() > 0) {
      reader.skip(3 + 8);
      const Bytes got = reader.bytes(reader.u16());
      const std::vector<std::byte> now(got.begin(), got.end());
      EXPECT_TRUE(first || last < now);
      last = now;
      first = false;
    }
    EXPECT_TRUE(reader.ok());
  }
}

TEST(Rrsig, head_is_that_of_rfc_4034_3_1_and_wildcards_count_one_label_less) {
  EXPECT_EQ(signed_labels(name("*.example.net.")), 2);
  EXPECT_EQ(signed_labels(name("www.example.net.")), 3);
  EXPECT_EQ(signed_labels(name(".")), 0);
  ZoneKey key;
  key.algorithm = Algorithm::kEcdsaP256Sha256;
  key.tag = 55648;
  std::vector<std::byte> out(100);
  ByteWriter writer(out);
  write_rrsig_head(writer, {RrType::kA, 3, 3600, {1281607479, 1284026679}}, key,
                   name("Example.NET."));
  EXPECT_EQ(to_hex(writer.written()),
            "0001"
            "0d"
            "03"
            "00000e10"
            "4c88b137"
            "4c63c737"
            "d960"
            "076578616d706c65036e657400");
  EXPECT_EQ(rrsig_size(name("example.net.")), writer.size() + kSignatureSize);
}

TEST(Rrsig, begins_in_the_past_and_is_made_anew_at_half_of_its_life_or_when_the_clock_went_back) {
  SignatureTimes times;
  times.inception_before = 100;
  times.pool_lifetime = 1000;
  times.static_lifetime = 5000;
  EXPECT_EQ(validity_from(50, Lifetime::kPool, times), (Validity{50U - 100U, 1050}));
  EXPECT_EQ(validity_from(500, Lifetime::kStatic, times), (Validity{400, 5500}));
  EXPECT_TRUE(still_good(500, 500, Lifetime::kPool, times));
  EXPECT_TRUE(still_good(500, 1000, Lifetime::kPool, times));
  EXPECT_FALSE(still_good(500, 1001, Lifetime::kPool, times));
  EXPECT_TRUE(still_good(500, 1001, Lifetime::kStatic, times));
  EXPECT_TRUE(still_good(500, 460, Lifetime::kPool, times)) << "a clock that is steered";
  EXPECT_FALSE(still_good(500, 430, Lifetime::kPool, times)) << "a clock that was set back";
  EXPECT_TRUE(still_good(0xffff'fff0U, 16, Lifetime::kPool, times)) << "past 2106";
  EXPECT_FALSE(still_good(500, 100'000'000, Lifetime::kStatic, times));
}

}  // namespace
}  // namespace timepool::dnssec
