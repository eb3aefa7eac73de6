// Signed answers against ldns: every record set of every answer, to random clients, names and
// types, is verified by ldns with our public keys, and the examples of RFC 6605 and RFC 8080 hold
// for what we say signatures are over.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/hex.h"
#include "crypto/dns_key.h"
#include "dns/signed/signing_plan.h"
#include "dns/testing.h"
#include "dnssec/rrset.h"
#include "dnssec/rrsig.h"
#include "ldns_pointers.h"
#include "wire/dns/rdata.h"

namespace timepool::dns {
namespace {

using wire::dns::DnsName;
using wire::dns::RrType;

using ldns::Deleter;
using ldns::Packet;
using ldns::Record;
using Records = std::unique_ptr<ldns_rr_list, Deleter<ldns_rr_list_deep_free>>;
using Shallow = std::unique_ptr<ldns_rr_list, Deleter<ldns_rr_list_free>>;

constexpr std::uint32_t kNow = 1'750'000'000;

DnsName name(const std::string& text) {
  return DnsName::from_text(text).value();
}

dnssec::ZoneKey made_key(dnssec::Algorithm algorithm, bool signs_keys, bool signs_data) {
  const auto made = crypto::DnsKey::generate(algorithm);
  EXPECT_TRUE(made.ok());
  dnssec::ZoneKey out;
  out.algorithm = algorithm;
  out.public_key = (*made)->public_key();
  if (signs_keys) out.flags |= dnssec::kEntryPointFlag;
  out.tag = dnssec::key_tag(out);
  out.signs_keys = signs_keys;
  out.signs_data = signs_data;
  out.signer = *made;
  return out;
}

std::string addresses(const char* net, int count) {
  std::string out;
  for (int i = 1; i <= count; ++i) {
    out += (i > 1 ? ",[\"" : "[\"") + std::string(net) + std::to_string(i) + "\"," +
           std::to_string(i * 7) + "]";
  }
  return out;
}

std::shared_ptr<const CompiledZones> zones() {
  static const auto out =
      dns::testing::compile({{"pool.test",
                              R"({"ttl": 60, "max_hosts": 4, "targeting": "@ continent country ip",
         "data": {
         "": {"ns": ["ns1.Pool.test.", "ns2.example."], "a": [["10.0.0.1", 10], ["10.0.0.2", 1]],
              "txt": ["time", "of day"], "mx": [{"mx": "Mail", "preference": 1}]},
         "us": {"a": [)" + addresses("10.1.0.", 6) +
                                  R"(]},
         "europe": {"a": [)" + addresses("10.2.0.", 90) +
                                  R"(], "aaaa": [["2001:db8::1", 1], ["2001:db8::2", 1]]},
         "[198.51.100.0]": {"aaaa": [)" +
                                  addresses("2001:db8:1::", 70) +
                                  R"(]},
         "ns1": {"a": [["10.0.0.53", 1]]},
         "x.y.z": {"a": [["10.0.8.1", 1]], "ttl": 7},
         "Www": {"cname": "X.y.z"}, "lost": {"cname": "no.such"}, "www.us": {"cname": "ns1"},
         "away": {"cname": "elsewhere.example."},
         "*.wild": {"a": [)" + addresses("10.3.0.", 30) +
                                  R"(], "txt": "any"}, "a.wild": {"txt": "one"},
         "*.alias": {"cname": "X.y.z"},
         "_ntp._udp": {"srv": [{"target": "X.y.z", "port": 123, "priority": 1, "srv_weight": 2},
                               {"target": "ns1", "port": 123, "priority": 1, "srv_weight": 2}]}
         }})"}});
  return out;
}

std::string random_name(Prng& prng) {
  constexpr const char* kNames[] = {"",      "us.",   "europe.", "x.y.z.",     "y.z.",
                                    "www.",  "lost.", "away.",   "_ntp._udp.", "ns1.",
                                    "wild.", "*.",    "b.wild.", "a.wild.",    "q.alias."};
  std::string out = std::string(kNames[prng.below(std::size(kNames))]) + "pool.test.";
  for (std::uint64_t left = prng.below(3); left > 0; --left) {
    std::string label(1 + prng.below(12), 'a');
    for (char& c : label) c = "abAB01-_xyz"[prng.below(11)];
    out = label + "." + out;
  }
  for (char& c : out) {
    if (prng.below(2) == 0 && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return out;
}

// What ldns finds wrong with the signatures of a reply, by all of `keys`; empty: nothing.
std::string wrong_with(const dns::testing::Got& got, ldns_rr_list* keys, std::size_t& verified) {
  ldns_pkt* raw = nullptr;
  if (ldns_wire2pkt(&raw, reinterpret_cast<const std::uint8_t*>(got.bytes.data()),
                    got.bytes.size()) != LDNS_STATUS_OK) {
    return "ldns cannot read it";
  }
  const Packet packet(raw);
  for (const ldns_pkt_section section : {LDNS_SECTION_ANSWER, LDNS_SECTION_AUTHORITY}) {
    const Records all(ldns_pkt_get_section_clone(packet.get(), section));
    std::vector<ldns_rr*> plain;
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(all.get()); ++i) {
      ldns_rr* rr = ldns_rr_list_rr(all.get(), i);
      if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_RRSIG) plain.push_back(rr);
    }
    std::map<std::pair<std::string, int>, Shallow> sets;
    for (ldns_rr* rr : plain) {
      const ldns::CPointer<char> owner(ldns_rdf2str(ldns_rr_owner(rr)));
      std::string lower = owner.get();
      for (char& c : lower) c = static_cast<char>(std::tolower(c));
      Shallow& set = sets[{lower, ldns_rr_get_type(rr)}];
      if (set == nullptr) set.reset(ldns_rr_list_new());
      ldns_rr_list_push_rr(set.get(), rr);
    }
    for (const auto& [key, set] : sets) {
      // Delegations are not the zone's to sign.
      const Shallow signatures(ldns_rr_list_new());
      for (std::size_t i = 0; i < ldns_rr_list_rr_count(all.get()); ++i) {
        ldns_rr* rr = ldns_rr_list_rr(all.get(), i);
        if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG &&
            ldns_dname_compare(ldns_rr_owner(rr), ldns_rr_owner(ldns_rr_list_rr(set.get(), 0))) ==
                0 &&
            ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rr)) == key.second) {
          ldns_rr_list_push_rr(signatures.get(), rr);
        }
      }
      const Shallow good(ldns_rr_list_new());
      const ldns_status status =
          ldns_verify_time(set.get(), signatures.get(), keys, kNow, good.get());
      if (status != LDNS_STATUS_OK) {
        return key.first + " " + std::to_string(key.second) + ": " +
               ldns_get_errorstr_by_id(status);
      }
      ++verified;
    }
  }
  return "";
}

Records ldns_keys(const dnssec::ZoneKeys& keys) {
  Records out(ldns_rr_list_new());
  for (const dnssec::ZoneKey& key : keys.keys) {
    const std::vector<std::byte> data = dnssec::dnskey_data(key);
    std::vector<std::byte> wire(300);
    ByteWriter writer(wire);
    writer.bytes(name("pool.test.").wire());
    writer.u16(48);
    writer.u16(1);
    writer.u32(3600);
    writer.u16(static_cast<std::uint16_t>(data.size()));
    writer.bytes(data);
    ldns_rr* rr = nullptr;
    std::size_t at = 0;
    EXPECT_EQ(ldns_wire2rr(&rr, reinterpret_cast<const std::uint8_t*>(wire.data()), writer.size(),
                           &at, LDNS_SECTION_ANSWER),
              LDNS_STATUS_OK);
    ldns_rr_list_push_rr(out.get(), rr);
  }
  return out;
}

void verify_pool(std::vector<dnssec::ZoneKey> made, std::uint64_t seed, int rounds) {
  ASSERT_NE(zones(), nullptr);
  auto keys = std::make_shared<dnssec::ZoneKeys>();
  keys->keys = std::move(made);
  keys->cds = {from_hex("d960"
                        "0d"
                        "02" +
                        std::string(64, 'a'))
                   .value()};
  const DnsName origin = name("pool.test.");
  dnssec::KeysByZone by_zone;
  by_zone[{reinterpret_cast<const char*>(origin.wire().data()), origin.size()}] = keys;
  SigningPlan plan(zones(), by_zone, {});
  ASSERT_TRUE(plan.problems().empty());
  Prng prng(seed);
  std::vector<std::shared_ptr<const SignedSet>> sets;
  for (const SigningTask& task : plan.tasks()) sets.push_back(plan.sign(task, 64, kNow, prng));
  const auto signed_zones = plan.assemble(sets);
  const Records dnskeys = ldns_keys(*keys);
  ResponderSettings settings = dns::testing::settings();
  settings.online_signatures = 1'000'000;
  Worker worker(seed);
  constexpr RrType kTypes[] = {RrType::kA,      RrType::kA,    RrType::kAaaa,   RrType::kNs,
                               RrType::kSoa,    RrType::kTxt,  RrType::kMx,     RrType::kSrv,
                               RrType::kCname,  RrType::kNsec, RrType::kAny,    RrType::kDs,
                               RrType::kDnskey, RrType::kCds,  RrType::kCdnskey};
  constexpr const char* kClients[] = {"100.64.0.1",   "198.18.0.1",   "198.19.3.1",
                                      "198.51.100.7", "203.0.113.90", "2001:db8:1::9"};
  std::size_t verified = 0;
  for (int round = 0; round < rounds; ++round) {
    dns::testing::Ask ask;
    ask.name = random_name(prng);
    ask.type = kTypes[prng.below(std::size(kTypes))];
    ask.dnssec_ok = ask.edns = true;
    dns::testing::Got got;
    got.bytes.resize(4096);
    const Rx rx{parse_ip(kClients[prng.below(std::size(kClients))]).value(), false, kNow};
    const auto query = dns::testing::query_bytes(ask);
    const Outcome outcome =
        respond(rx, query, {*zones(), settings, signed_zones.get()}, worker, got.bytes);
    got.bytes.resize(outcome.length);
    ASSERT_TRUE(outcome.reason == Reason::kAnswered || outcome.reason == Reason::kNoData ||
                outcome.reason == Reason::kNxDomain || outcome.reason == Reason::kAnyMinimal)
        << ask.name << " " << name_of(outcome.reason);
    const std::string wrong = wrong_with(got, dnskeys.get(), verified);
    ASSERT_EQ(wrong, "") << ask.name << " " << format(ask.type) << " seed " << seed;
  }
  EXPECT_GT(verified, static_cast<std::size_t>(rounds));
}

TEST(SignedZone, ldns_verifies_every_answer_to_random_clients_and_names_by_two_keys) {
  verify_pool({made_key(dnssec::Algorithm::kEcdsaP256Sha256, true, false),
               made_key(dnssec::Algorithm::kEcdsaP256Sha256, false, true)},
              41, 4000);
}

TEST(SignedZone, ldns_verifies_every_answer_by_one_key_of_ed25519) {
  verify_pool({made_key(dnssec::Algorithm::kEd25519, true, true)}, 42, 1500);
}

TEST(SignedZone, in_a_roll_of_algorithms_each_set_has_a_signature_of_each) {
  verify_pool({made_key(dnssec::Algorithm::kEcdsaP256Sha256, true, true),
               made_key(dnssec::Algorithm::kEd25519, true, true)},
              43, 500);
}

// The published signature holds over what we say that it is over.
void check_example(const char* dnskey_text, const char* record_text, const char* rrsig_text) {
  const auto record_of = [](const char* text) {
    ldns_rr* rr = nullptr;
    EXPECT_EQ(ldns_rr_new_frm_str(&rr, text, 0, nullptr, nullptr), LDNS_STATUS_OK) << text;
    return Record(rr);
  };
  const auto data_of = [](const ldns_rr* rr) {
    const ldns::Buffer buffer(ldns_buffer_new(65535));
    EXPECT_EQ(ldns_rr_rdata2buffer_wire(buffer.get(), rr), LDNS_STATUS_OK);
    const auto bytes = std::as_bytes(
        std::span(ldns_buffer_begin(buffer.get()), ldns_buffer_position(buffer.get())));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  };
  const auto owner_of = [](const ldns_rr* rr) {
    const ldns::CPointer<char> text(ldns_rdf2str(ldns_rr_owner(rr)));
    return name(text.get());
  };
  const Record key = record_of(dnskey_text);
  const Record record = record_of(record_text);
  const Record rrsig = record_of(rrsig_text);
  const std::vector<std::byte> key_data = data_of(key.get());
  const std::vector<std::byte> record_data = data_of(record.get());
  const std::vector<std::byte> rrsig_data = data_of(rrsig.get());
  const auto type = static_cast<RrType>(ldns_rr_get_type(record.get()));
  const Bytes view(record_data);
  const auto set = dnssec::CanonicalRrset::create(type, ldns_rr_ttl(record.get()), {&view, 1});
  ASSERT_TRUE(set.ok());
  ByteReader reader(rrsig_data);
  const auto parsed = wire::dns::parse_rdata(reader, RrType::kRrsig, rrsig_data.size());
  ASSERT_TRUE(parsed.ok());
  const auto& fields = std::get<wire::dns::Rrsig>(*parsed);
  dnssec::ZoneKey zone_key;
  zone_key.algorithm = static_cast<dnssec::Algorithm>(fields.algorithm);
  zone_key.tag = fields.key_tag;
  std::vector<std::byte> data(2000);
  ByteWriter writer(data);
  dnssec::write_rrsig_head(writer,
                           {type,
                            dnssec::signed_labels(owner_of(record.get())),
                            ldns_rr_ttl(record.get()),
                            {fields.inception, fields.expiration}},
                           zone_key, owner_of(key.get()));
  std::vector<std::uint32_t> order;
  const std::uint32_t first[] = {0};
  set->write(owner_of(record.get()), first, writer, order);
  ASSERT_TRUE(writer.ok());
  ASSERT_EQ(fields.signature.size(), dnssec::kSignatureSize);
  EXPECT_TRUE(crypto::verify_dns_signature(
      zone_key.algorithm, Bytes(key_data).subspan(4), writer.written(),
      std::span<const std::byte, dnssec::kSignatureSize>(fields.signature)));
}

TEST(SignedZone, RFC6605_6_1_example_holds) {
  check_example(
      "example.net. 3600 IN DNSKEY 257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edb"
      "krSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==",
      "www.example.net. 3600 IN A 192.0.2.1",
      "www.example.net. 3600 IN RRSIG A 13 3 3600 20100909100439 20100812100439 55648 "
      "example.net. qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7Zwm"
      "wWep666VCw==");
}

TEST(SignedZone, RFC8080_6_1_example_holds) {
  check_example(
      "example.com. 3600 IN DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=",
      "example.com. 3600 IN MX 10 mail.example.com.",
      "example.com. 3600 IN RRSIG MX 15 2 3600 1440021600 1438207200 3613 example.com. "
      "oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg==");
}

}  // namespace
}  // namespace timepool::dns
