// What signing a pool of the world costs, and what signed answers cost beside unsigned ones, of
// this thread alone: one JSON object on standard output. Keys are P-256.
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "crypto/dns_key.h"
#include "dns/compiled/large_pool.h"
#include "dns/responder.h"
#include "dns/testing.h"
#include "dnsd/signing_round.h"

namespace timepool::dnsd {
namespace {

using wire::dns::RrType;

constexpr std::size_t kAsked = 1 << 15;
constexpr std::uint32_t kNow = 1'750'000'000;

double seconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double resident_mb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1e3;
}

void print(const char* name, double value, int digits = 1) {
  static bool first = true;
  std::printf("%s\"%s\": %.*f", first ? "{" : ",\n ", name, digits, value);
  first = false;
}

// Signs in no time: for what all else costs.
class QuickSigner final : public dnssec::Signer {
 public:
  bool sign(Bytes data, std::span<std::byte, dnssec::kSignatureSize> out) const override {
    std::fill(out.begin(), out.end(), data.back());
    return true;
  }
};

dnssec::KeysByZone keys_of_pool(bool quick) {
  const auto made = crypto::DnsKey::generate(dnssec::Algorithm::kEcdsaP256Sha256);
  CHECK(made.ok());
  dnssec::ZoneKey key;
  key.public_key = (*made)->public_key();
  key.flags |= dnssec::kEntryPointFlag;
  key.tag = dnssec::key_tag(key);
  key.signs_keys = key.signs_data = true;
  key.signer = *made;
  if (quick) key.signer = std::make_shared<QuickSigner>();
  auto keys = std::make_shared<dnssec::ZoneKeys>();
  keys->keys = {key};
  const auto name = wire::dns::DnsName::from_text("pool.test").value();
  return {{{reinterpret_cast<const char*>(name.wire().data()), name.size()}, keys}};
}

using Queries = std::vector<std::vector<std::byte>>;
Queries queries(std::span<const std::string> names, bool dnssec, bool subnet) {
  Prng prng(3);
  Queries out;
  for (std::size_t i = 0; i < kAsked; ++i) {
    dns::testing::Ask ask;
    const std::string& name = names[prng.below(names.size())];
    ask.name = name.empty() ? "pool.test" : name + ".pool.test";
    ask.edns = true;
    ask.dnssec_ok = dnssec;
    const auto net = static_cast<std::uint32_t>((1U << 16) + prng.below(223U << 16));
    if (subnet) ask.subnet = format(Prefix(IpAddress::v4(net << 8), 24));
    out.push_back(dns::testing::query_bytes(ask));
  }
  return out;
}

// The median of nine rounds, in ns for each.
double measure(const dns::Served& served, const Queries& asked) {
  dns::Worker worker(7);
  std::vector<std::byte> out(1232);
  dns::Rx rx;
  rx.source = parse_ip("100.64.0.1").value();
  rx.now = kNow;
  std::array<double, 9> rounds;
  for (double& round : rounds) {
    const double start = seconds_now();
    std::size_t answered = 0;
    for (const auto& query : asked) {
      answered += respond(rx, query, served, worker, out).reason != dns::Reason::kTruncated;
    }
    round = (seconds_now() - start) * 1e9 / static_cast<double>(asked.size());
    CHECK(answered == asked.size());
  }
  std::sort(rounds.begin(), rounds.end());
  return rounds[rounds.size() / 2];
}

std::shared_ptr<const dns::CompiledZones> compile(const std::string& json,
                                                  const dns::GeoTable& geo) {
  const auto zone = dns::load_zone(json, "pool.test", 1);
  CHECK(zone.ok());
  const dns::Zone* zones[] = {&zone.value()};
  dns::ClassCache cache;
  auto out = dns::CompiledZones::compile(zones, geo, cache);
  CHECK(out.ok());
  return std::move(out).value();
}

std::shared_ptr<const dns::SignedZones> sign(SigningRound& round,
                                             std::shared_ptr<const dns::CompiledZones> zones,
                                             const dnssec::KeysByZone& keys) {
  const SigningRound::Clocks now{MonoTime::from_ns(1'000'000'000), kNow};
  round.turn_to(std::move(zones), keys, {}, now);
  while (round.missing() > 0) round.step(now, 1000);
  return round.result();
}

// As if every answer of every name had been asked for often.
void ask_all(const dns::SignedZones& made) {
  const dns::CompiledZones& zones = made.zones();
  for (const auto& node : zones.nodes()) {
    for (const auto& entry : zones.entries(node)) {
      for (const std::uint32_t set : zones.sets_of(node, entry)) {
        const dns::SignedSet* found = made.find(zones.index_of(node), set);
        for (int i = 0; found != nullptr && i < 64; ++i) found->note_asked();
      }
    }
  }
}

void print_answers(const char* when, const dns::CompiledZones& zones, const dns::SignedZones& made,
                   const std::vector<std::string>& names) {
  const dns::ResponderSettings settings;
  const dns::Served served{zones, settings, &made};
  const std::string prefix = std::string("answer_world_") + when;
  print((prefix + "_unsigned_ns").c_str(), measure(served, queries(names, false, true)));
  print((prefix + "_signed_ns").c_str(), measure(served, queries(names, true, true)));
}

// Every set with all its variants, which takes what signatures cost and no time.
void bench_all_variants(std::shared_ptr<const dns::CompiledZones> zones,
                        const std::vector<std::string>& names) {
  dns::SigningOptions options;
  options.redraw_signatures = 1'000'000'000;
  SigningRound round(2);
  SigningRound::Clocks now{MonoTime::from_ns(1'000'000'000), kNow};
  round.turn_to(zones, keys_of_pool(true), options, now);
  while (round.missing() > 0) round.step(now, 1000);
  ask_all(*round.result());
  const std::uint64_t before = round.totals(now).signatures;
  now.mono = now.mono + Duration::seconds(2);
  while (round.step(now, 1000)) {
  }
  const auto made = round.result();
  print("world_all_signatures", static_cast<double>(round.totals(now).signatures - before), 0);
  print("world_all_drawn_sets", static_cast<double>(round.totals(now).drawn), 0);
  print("world_all_signed_memory_mb", static_cast<double>(made->memory()) / 1e6);
  print("world_all_rss_mb", resident_mb());
  print_answers("all_mixed", *zones, *made, names);
}

std::string large_label() {
  std::string json = R"({"max_hosts":4,"data":{"":{"a":[)";
  Prng prng(5);
  for (int i = 0; i < 4000; ++i) {
    json += (i > 0 ? "," : "") + std::string("[\"10.0.") + std::to_string(i >> 8) + "." +
            std::to_string(i & 255) + "\"," + std::to_string(1 + prng.below(1'000'000)) + "]";
  }
  return json + "]}}}";
}

int run() {
  const dns::testing::LargePool pool = dns::testing::make_large_pool(1);
  const dnssec::KeysByZone keys = keys_of_pool(false);
  const dns::ResponderSettings settings;
  const std::array<std::string, 1> apex{""};
  {
    const auto zones = compile(large_label(), pool.geo);
    SigningRound round(1);
    const auto made = sign(round, zones, keys);
    const dns::Served served{*zones, settings, made.get()};
    print("answer_4_of_4000_unsigned_ns", measure(served, queries(apex, false, true)));
    print("answer_4_of_4000_signed_ns", measure(served, queries(apex, true, true)));
  }
  const auto zones = compile(pool.json, pool.geo);
  print("world_rss_before_mb", resident_mb());
  SigningRound round(1);
  const SigningRound::Clocks now{MonoTime::from_ns(1'000'000'000), kNow};
  double start = seconds_now();
  round.turn_to(zones, keys, {}, now);
  print("world_plan_s", seconds_now() - start, 3);
  start = seconds_now();
  while (round.missing() > 0) round.step(now, 1000);
  print("world_first_pass_s", seconds_now() - start, 2);
  print("world_first_pass_signatures", static_cast<double>(round.totals(now).signatures), 0);
  start = seconds_now();
  const auto made = round.result();
  print("world_version_s", seconds_now() - start, 4);
  print("world_sets", static_cast<double>(round.totals(now).sets), 0);
  print("world_drawn_sets", static_cast<double>(round.totals(now).drawn), 0);
  print("world_signed_memory_mb", static_cast<double>(made->memory()) / 1e6);
  print("world_rss_mb", resident_mb());
  print_answers("mixed", *zones, *made, pool.names);
  bench_all_variants(zones, pool.names);
  std::puts("}");
  return 0;
}

}  // namespace
}  // namespace timepool::dnsd

int main() {
  return timepool::dnsd::run();
}
