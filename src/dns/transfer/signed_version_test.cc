#include "dns/transfer/signed_version.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "dns/zone/master_file.h"
#include "dnssec/testing.h"
#include "wire/dns/rdata.h"
#include "wire/dns/rdata_text.h"

namespace timepool::dns {
namespace {

using dnssec::testing::hash_key;
using dnssec::testing::hash_keys;
using dnssec::testing::HashSigner;
using ::testing::ElementsAre;
using wire::dns::RrType;
using Lines = std::vector<std::string>;

constexpr std::uint32_t kNow = 1'750'000'000;
constexpr std::uint32_t kDay = 86'400;

const std::string kText =
    "$TTL 60\n@ 600 SOA ns h 1 1 1 1 300\n NS ns\nns A 192.0.2.1\na.b.c TXT ent\n*.w A 192.0.2.2\n"
    "sub NS ns.sub\n NS ns\n DS 1 13 2 "
    "0000000000000000000000000000000000000000000000000000000000000000\n"
    "ns.sub A 192.0.2.3\nbare NS ns.elsewhere.\n";

std::shared_ptr<const ZoneVersion> version(const std::string& text = kText) {
  return version_of(load_master(text, "example.net").value());
}

SignedVersion sign(const ZoneVersion& data, const dnssec::ZoneKeys& keys, std::uint32_t now = kNow,
                   const ZoneVersion* before = nullptr) {
  return sign_version(data, keys, {}, now, before).value();
}

std::string text_of(const TransferRecord& record) {
  ByteReader reader(record.rdata);
  const auto rdata = wire::dns::parse_rdata(reader, record.type, record.rdata.size());
  return format(wire::dns::NameView::from_valid_wire(record.owner)) + ' ' +
         std::to_string(record.ttl) + ' ' + format(record.type) + ' ' +
         (rdata.ok() ? wire::dns::format_rdata(*rdata) : "?");
}

Lines of_type(const ZoneVersion& in, RrType type) {
  Lines out;
  for (const TransferRecord& record : in.records) {
    if (record.type == type) out.push_back(text_of(record));
  }
  return out;
}

// "OWNER TYPE TAG" of each RRSIG.
Lines signatures(const ZoneVersion& in) {
  Lines out;
  for (const TransferRecord& record : in.records) {
    if (record.type != RrType::kRrsig) continue;
    ByteReader reader(record.rdata);
    const auto covered = static_cast<RrType>(reader.u16());
    reader.skip(14);
    out.push_back(format(wire::dns::NameView::from_valid_wire(record.owner)) + ' ' +
                  format(covered) + ' ' + std::to_string(reader.u16()));
  }
  return out;
}

std::uint32_t expiration(const TransferRecord& record) {
  ByteReader reader(record.rdata);
  reader.skip(8);
  return reader.u32();
}

TEST(SignedVersion, the_chain_leads_over_every_name_of_the_zone_and_none_below_a_cut) {
  const auto made = sign(*version(), hash_keys());
  EXPECT_THAT(of_type(*made.version, RrType::kNsec),
              ::testing::UnorderedElementsAre(
                  "example.net. 300 NSEC bare.example.net. NS SOA RRSIG NSEC DNSKEY CDS",
                  "bare.example.net. 300 NSEC a.b.c.example.net. NS RRSIG NSEC",
                  // No name of its own: b.c and c.
                  "a.b.c.example.net. 300 NSEC ns.example.net. TXT RRSIG NSEC",
                  "ns.example.net. 300 NSEC sub.example.net. A RRSIG NSEC",
                  "sub.example.net. 300 NSEC *.w.example.net. NS DS RRSIG NSEC",
                  "*.w.example.net. 300 NSEC example.net. A RRSIG NSEC"));
}

TEST(SignedVersion, what_is_the_zones_own_is_signed_once_by_each_key_that_must) {
  const auto keys = hash_keys();
  const std::string ksk = ' ' + std::to_string(keys.keys[0].tag);
  const std::string zsk = ' ' + std::to_string(keys.keys[1].tag);
  const auto made = sign(*version(), keys);
  Lines expected;
  for (const char* it :
       {"example.net. NS", "example.net. SOA", "example.net. NSEC", "ns.example.net. A",
        "ns.example.net. NSEC", "a.b.c.example.net. TXT", "a.b.c.example.net. NSEC",
        "*.w.example.net. A", "*.w.example.net. NSEC", "sub.example.net. DS",
        "sub.example.net. NSEC", "bare.example.net. NSEC"}) {
    expected.push_back(it + zsk);
  }
  expected.push_back("example.net. DNSKEY" + ksk);
  expected.push_back("example.net. CDS" + ksk);
  EXPECT_THAT(signatures(*made.version), ::testing::UnorderedElementsAreArray(expected));
  EXPECT_EQ(made.made, expected.size());
  EXPECT_EQ(made.kept, 0U);
  // A wildcard's label does not count (RFC 4034 3.1.3).
  for (const TransferRecord& record : made.version->records) {
    if (record.type != RrType::kRrsig || record.owner[1] != std::byte{'*'}) continue;
    EXPECT_EQ(record.rdata[3], std::byte{3});
  }
  EXPECT_EQ(of_type(*made.version, RrType::kDnskey).size(), 2U);
  EXPECT_EQ(of_type(*made.version, RrType::kA).size(), 3U);
}

TEST(SignedVersion, a_key_that_signs_before_it_is_published_is_in_no_set) {
  auto keys = hash_keys();
  keys.keys.push_back(hash_key(3, false, true));
  keys.keys.back().published = false;
  const auto made = sign(*version(), keys);
  EXPECT_EQ(of_type(*made.version, RrType::kDnskey).size(), 2U);
  EXPECT_EQ(signatures(*made.version).size(), 12U * 2U + 2U);
  EXPECT_TRUE(is_signed_by(signature_state(*made.version), made.version->origin, keys));
}

TEST(SignedVersion, what_did_not_change_keeps_its_signatures) {
  const auto keys = hash_keys();
  const auto first = sign(*version(), keys);
  const auto same = sign(*version(), keys, kNow + 3600, first.version.get());
  EXPECT_EQ(same.made, 0U);
  EXPECT_EQ(same.version->records, first.version->records);
  // One name more: the SOA with its serial, the name, its NSEC, and the NSEC before it.
  std::string text = kText + "o TXT new\n";
  text.replace(text.find("h 1 "), 4, "h 2 ");
  const auto next = sign(*version(text), keys, kNow + 3600, first.version.get());
  EXPECT_EQ(next.made, 4U);
  EXPECT_EQ(next.kept, first.made - 2);
  const auto history = ZoneHistory(first.version).next(next.version);
  const auto difference = history->since(1);
  ASSERT_EQ(difference.size(), 1U);
  // RRSIG of the SOA; NSEC of ns.example.net with its RRSIG.
  EXPECT_EQ(difference[0]->removed.size(), 3U);
  EXPECT_EQ(difference[0]->added.size(), 3U + 4U);
}

TEST(SignedVersion, another_key_signs_anew_what_it_signs_and_nothing_else) {
  const auto first = sign(*version(), hash_keys());
  const auto next = sign(*version(), hash_keys(9), kNow, first.version.get());
  // The set of keys too, since there is another one in it; CDS stays.
  EXPECT_EQ(next.made, 12U + 1U);
  EXPECT_EQ(next.kept, 1U);
  EXPECT_TRUE(is_signed_by(signature_state(*first.version), first.version->origin, hash_keys()));
  EXPECT_FALSE(is_signed_by(signature_state(*first.version), first.version->origin, hash_keys(9)));
}

TEST(SignedVersion, signatures_of_another_key_with_the_same_tag_are_not_kept) {
  auto keys = hash_keys();
  const auto first = sign(*version(), keys);
  keys.keys[1].public_key[0] = std::byte{77};  // the tag is said to be the same
  EXPECT_EQ(sign(*version(), keys, kNow, first.version.get()).kept, 1U);
}

TEST(SignedVersion, signatures_end_at_different_times_and_are_made_anew_before) {
  const auto keys = hash_keys();
  auto now = version(kText);
  auto last = sign(*now, keys).version;
  std::set<std::uint32_t> ends;
  for (const TransferRecord& record : last->records) {
    if (record.type == RrType::kRrsig) ends.insert(expiration(record));
  }
  // A quarter of a week's spread.
  EXPECT_GT(ends.size(), 10U);
  EXPECT_LE(*ends.rbegin(), kNow + 7 * kDay);
  EXPECT_GE(*ends.begin(), kNow + 7 * kDay - 7 * kDay / 4);
  std::size_t made = 0;
  int rounds = 0;
  for (std::uint32_t time = kNow; time < kNow + 30 * kDay; time += 3600) {
    const SignatureState state = signature_state(*last);
    EXPECT_GT(static_cast<std::int32_t>(state.first_expiration - time), 3 * 86'400);
    if (is_fresh(state, {}, time)) continue;
    const auto next = sign(*now, keys, time, last.get());
    EXPECT_GT(next.made, 0U);
    made += next.made;
    ++rounds;
    last = next.version;
    EXPECT_TRUE(is_fresh(signature_state(*last), {}, time));
  }
  // Each some eight to twelve times in a month, some of them together.
  EXPECT_GT(made, 14U * 8U);
  EXPECT_LT(made, 14U * 18U);
  EXPECT_LT(rounds, 100);
}

TEST(SignedVersion, a_clock_that_went_back_makes_all_anew) {
  const auto keys = hash_keys();
  const auto first = sign(*version(), keys);
  const SignatureState state = signature_state(*first.version);
  EXPECT_TRUE(is_fresh(state, {}, kNow - 30));
  EXPECT_FALSE(is_fresh(state, {}, kNow - kDay));
  EXPECT_EQ(sign(*version(), keys, kNow - kDay, first.version.get()).kept, 0U);
}

TEST(SignedVersion, shares_of_time_at_either_end_never_make_what_is_due_at_once) {
  for (const std::uint32_t percent : {10U, 50U, 90U}) {
    for (const std::uint32_t life : {600U, 60U * kDay}) {
      dnssec::SignatureTimes times;
      times.static_lifetime = life;
      times.renew_percent = percent;
      const auto made = sign_version(*version(), hash_keys(), times, kNow, nullptr).value();
      EXPECT_TRUE(is_fresh(signature_state(*made.version), times, kNow + 10)) << percent << life;
      const auto again =
          sign_version(*version(), hash_keys(), times, kNow + 10, made.version.get()).value();
      EXPECT_EQ(again.made, 0U) << percent << ' ' << life;
    }
  }
}

TEST(SignedVersion, without_signatures_it_is_what_it_was) {
  const auto data = version();
  const auto made = sign(*data, hash_keys());
  EXPECT_TRUE(same_data(*without_signatures(*made.version), *data));
  EXPECT_FALSE(signature_state(*data).is_signed);
  EXPECT_FALSE(is_fresh(signature_state(*data), {}, kNow));
}

TEST(SignedVersion, keys_that_cannot_sign_are_a_fault) {
  auto keys = hash_keys();
  const auto fault = [&] { return sign_version(*version(), keys, {}, kNow, nullptr).error(); };
  for (int i = 3; i < 7; ++i)
    keys.keys.push_back(hash_key(static_cast<std::uint64_t>(i), false, true));
  EXPECT_EQ(fault(), ExportFault::kTooManyKeys);
  keys = hash_keys();
  auto broken = std::make_shared<HashSigner>(1);
  broken->broken = true;
  keys.keys[1].signer = broken;
  EXPECT_EQ(fault(), ExportFault::kSigner);
  keys.keys[1].signer = nullptr;
  EXPECT_EQ(fault(), ExportFault::kNoKeys);
  keys = hash_keys();
  ZoneVersion data = *version();
  data.records.push_back({data.soa.owner, RrType::kMx, 1, {std::byte{1}}});
  settle(data);
  EXPECT_EQ(sign_version(data, keys, {}, kNow, nullptr).error(), ExportFault::kBadRecord);
}

TEST(SignedVersion, a_zone_of_its_apex_alone_leads_to_itself) {
  const auto made = sign(*version("@ 60 SOA ns h 1 1 1 1 1\n NS ns.elsewhere.\n"), hash_keys());
  EXPECT_THAT(of_type(*made.version, RrType::kNsec),
              ElementsAre("example.net. 1 NSEC example.net. NS SOA RRSIG NSEC DNSKEY CDS"));
}

}  // namespace
}  // namespace timepool::dns
