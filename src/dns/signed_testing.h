// For tests alone: zones signed by keys whose signatures are a hash that anyone can repeat, and a
// check of every signature in a reply.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/siphash.h"
#include "dns/signed/signing_plan.h"
#include "dns/testing.h"
#include "dnssec/rrset.h"
#include "dnssec/testing.h"
#include "wire/dns/message.h"

namespace timepool::dns::testing {

inline constexpr std::uint32_t kNow = 1'750'000'000;

using dnssec::testing::hash_key;
using dnssec::testing::HashSigner;

// A key that signs the keys and one for all else.
inline dnssec::KeysByZone keys_for(const std::vector<std::string>& zones) {
  dnssec::KeysByZone out;
  for (const std::string& zone : zones) {
    const auto keys = std::make_shared<dnssec::ZoneKeys>(dnssec::testing::hash_keys());
    const auto name = wire::dns::DnsName::from_text(zone).value();
    out[{reinterpret_cast<const char*>(name.wire().data()), name.size()}] = keys;
  }
  return out;
}

inline std::shared_ptr<const SignedZones> sign_all(SigningPlan& plan, std::uint64_t seed = 1,
                                                   std::uint32_t variants = 64,
                                                   std::uint32_t now = kNow) {
  Prng prng(seed);
  std::vector<std::shared_ptr<const SignedSet>> sets;
  for (const SigningTask& task : plan.tasks()) {
    sets.push_back(plan.sign(task, variants, now, prng));
  }
  return plan.assemble(sets);
}

// Zones with signatures, and a worker that answers from them.
struct SignedPool {
  SignedPool(std::shared_ptr<const CompiledZones> compiled, const dnssec::KeysByZone& keys,
             SigningOptions options = {})
      : zones(std::move(compiled)), plan(zones, keys, options), signed_zones(sign_all(plan)) {
    with = settings();
  }

  Got ask_bytes(std::vector<std::byte> query, std::string_view source = "100.64.0.1",
                bool tcp = false) {
    Got out;
    out.bytes.resize(65535);
    const Rx rx{parse_ip(source).value(), tcp, now};
    out.outcome = respond(rx, query, {*zones, with, signed_zones.get()}, worker, out.bytes);
    out.bytes.resize(out.outcome.length);
    if (out.outcome.verdict == Verdict::kReply) {
      auto message = wire::dns::parse_message(out.bytes);
      if (message.ok()) out.message = std::move(message).value();
    }
    return out;
  }
  Got ask(Ask question, std::string_view source = "100.64.0.1", bool tcp = false) {
    question.edns = true;
    question.dnssec_ok = true;
    return ask_bytes(query_bytes(question), source, tcp);
  }

  std::shared_ptr<const CompiledZones> zones;
  SigningPlan plan;
  std::shared_ptr<const SignedZones> signed_zones;
  ResponderSettings with;
  Worker worker{7};
  std::uint32_t now = kNow;
};

// Every record set of answer and authority has one good signature by `key` that holds at `now`.
// Returns what is wrong; empty: nothing.
inline std::string check_signatures(const Got& got, std::uint64_t key, std::uint32_t now = kNow) {
  struct Found {
    std::vector<std::vector<std::byte>> data;
    std::uint32_t ttl = 0;
    wire::dns::DnsName owner;
    std::vector<wire::dns::Rrsig> rrsigs;
  };
  if (!got.message) return "no message";
  std::map<std::pair<std::string, wire::dns::RrType>, Found> sets;
  auto cursor = got.message->records();
  while (const auto record = cursor.next()) {
    if (record->section == wire::dns::Section::kAdditional) continue;
    const std::string owner = format(wire::dns::lowered(record->owner));
    const wire::dns::Rdata data = got.message->rdata(*record);
    if (const auto* rrsig = std::get_if<wire::dns::Rrsig>(&data)) {
      sets[{owner, rrsig->covered}].rrsigs.push_back(*rrsig);
      continue;
    }
    Found& found = sets[{owner, record->type}];
    found.owner = record->owner;
    found.ttl = record->ttl;
    std::vector<std::byte> plain(4096);
    ByteWriter writer(plain);
    write_rdata(writer, data);
    plain.resize(writer.size());
    found.data.push_back(std::move(plain));
  }
  for (const auto& [name, found] : sets) {
    const std::string where = name.first + " " + format(name.second);
    if (found.rrsigs.size() != 1) return where + " has not one signature";
    if (found.data.empty()) continue;  // asked for RRSIG itself
    const wire::dns::Rrsig& rrsig = found.rrsigs[0];
    if (rrsig.original_ttl != found.ttl) return where + " has another TTL";
    if (rrsig.labels != dnssec::signed_labels(found.owner)) return where + " has other labels";
    if (static_cast<std::int32_t>(now - rrsig.inception) < 3600 ||
        static_cast<std::int32_t>(rrsig.expiration - now) < 3600) {
      return where + " is not valid now";
    }
    const std::vector<Bytes> views(found.data.begin(), found.data.end());
    const auto set = dnssec::CanonicalRrset::create(name.second, found.ttl, views);
    if (!set.ok()) return where + " is malformed";
    dnssec::ZoneKey by;
    by.algorithm = static_cast<dnssec::Algorithm>(rrsig.algorithm);
    by.tag = rrsig.key_tag;
    std::vector<std::byte> data(65535);
    ByteWriter writer(data);
    dnssec::write_rrsig_head(
        writer,
        {rrsig.covered, rrsig.labels, rrsig.original_ttl, {rrsig.inception, rrsig.expiration}}, by,
        rrsig.signer);
    std::vector<std::uint32_t> all(views.size());
    for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
    std::vector<std::uint32_t> order;
    set->write(found.owner, all, writer, order);
    std::array<std::byte, dnssec::kSignatureSize> expected;
    static_cast<void>(HashSigner(key).sign(writer.written(), expected));
    if (!std::equal(expected.begin(), expected.end(), rrsig.signature.begin(),
                    rrsig.signature.end())) {
      return where + " has a wrong signature";
    }
  }
  return sets.empty() ? "no records" : "";
}

}  // namespace timepool::dns::testing
