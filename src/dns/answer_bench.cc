// What an answer costs from the octets of the query to those of the reply, in nanoseconds of this
// thread, and what compiling a pool of the world costs: one JSON object on standard output. "warm"
// asks one name again and again from clients of random networks; "mixed" asks random names of
// 1,500, each time with other queries, so that what one answer needs is seldom in the nearest
// caches.
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include "base/check.h"
#include "dns/compiled/large_pool.h"
#include "dns/responder.h"
#include "dns/testing.h"

namespace timepool::dns {
namespace {

using wire::dns::RrType;

constexpr std::size_t kAsked = 1 << 15;

// Of this thread alone: others on the machine don't count.
double seconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void print(const char* name, double value, int digits = 1) {
  static bool first = true;
  std::printf("%s\"%s\": %.*f", first ? "{" : ",\n ", name, digits, value);
  first = false;
}

std::shared_ptr<const CompiledZones> compile(const std::string& json, const GeoTable& geo) {
  const auto zone = load_zone(json, "pool.test", 1);
  CHECK(zone.ok());
  const Zone* zones[] = {&zone.value()};
  ClassCache cache;
  auto out = CompiledZones::compile(zones, geo, cache);
  CHECK(out.ok());
  return std::move(out).value();
}

using Queries = std::vector<std::vector<std::byte>>;

Queries queries(std::span<const std::string> names, RrType type, bool subnet, std::uint64_t seed) {
  Prng prng(seed);
  Queries out;
  for (std::size_t i = 0; i < kAsked; ++i) {
    testing::Ask ask;
    const std::string& name = names[prng.below(names.size())];
    ask.name = name.empty() ? "pool.test" : name + ".pool.test";
    ask.type = type;
    ask.edns = true;
    const auto net = static_cast<std::uint32_t>((1U << 16) + prng.below(223U << 16));
    if (subnet) ask.subnet = format(Prefix(IpAddress::v4(net << 8), 24));
    out.push_back(testing::query_bytes(ask));
  }
  return out;
}

// The median of nine rounds over `asked`, in ns for each. CHECKs that all end with `reason`.
double measure(const CompiledZones& zones, const Queries& asked, std::optional<Reason> reason) {
  const ResponderSettings settings;
  Worker worker(7);
  std::vector<std::byte> out(1232);
  Rx rx;
  rx.source = parse_ip("100.64.0.1").value();
  std::array<double, 9> rounds;
  for (double& round : rounds) {
    const double start = seconds_now();
    std::size_t as_wanted = 0;
    for (const auto& query : asked) {
      const Outcome outcome = respond(rx, query, {zones, settings}, worker, out);
      as_wanted += !reason || outcome.reason == *reason ? 1U : 0U;
    }
    round = (seconds_now() - start) * 1e9 / static_cast<double>(asked.size());
    CHECK(as_wanted == asked.size());
  }
  std::sort(rounds.begin(), rounds.end());
  return rounds[rounds.size() / 2];
}

// 4 of 4,000 by weight, for the clients of all countries but those that have servers of their own.
std::string one_large_label() {
  std::string json = R"({"max_hosts":4,"targeting":"@ country","data":{"":{"a":[)";
  Prng prng(5);
  for (int i = 0; i < 4000; ++i) {
    json += (i > 0 ? "," : "") + std::string("[\"10.0.") + std::to_string(i >> 8) + "." +
            std::to_string(i & 255) + "\"," + std::to_string(1 + prng.below(1'000'000)) + "]";
  }
  json += "]}";
  // Every other country has the same, so that every class is looked up and every draw is large.
  json += R"(,"zz":{"a":[["10.9.9.9"]]}}})";
  return json;
}

void bench_answers(const testing::LargePool& pool) {
  const std::array<std::string, 1> apex{""};
  const std::array<std::string, 1> lost{"no.such"};
  std::string json = one_large_label();
  // Its one target is a country that the geography has for a few networks only.
  GeoTable geo = pool.geo;
  const auto large = compile(json.replace(json.find("\"zz\""), 4, "\"ad\""), geo);
  const Queries subnets = queries(apex, RrType::kA, true, 1);
  // Clients of Andorra get its one server: they are answered as well.
  print("answer_4_of_4000_subnet_warm_ns", measure(*large, subnets, Reason::kAnswered));
  print("answer_4_of_4000_warm_ns",
        measure(*large, queries(apex, RrType::kA, false, 2), Reason::kAnswered));
  print("answer_nodata_ns", measure(*large, queries(apex, RrType::kTxt, true, 3), Reason::kNoData));
  print("answer_nxdomain_ns",
        measure(*large, queries(lost, RrType::kA, true, 4), Reason::kNxDomain));
}

void bench_world(const testing::LargePool& pool) {
  const double start = seconds_now();
  const auto zone = load_zone(pool.json, "pool.test", 1);
  CHECK(zone.ok());
  print("world_load_ms", (seconds_now() - start) * 1e3);
  const Zone* zones[] = {&zone.value()};
  ClassCache cache;
  const double loaded = seconds_now();
  const auto compiled = CompiledZones::compile(zones, pool.geo, cache);
  CHECK(compiled.ok());
  print("world_compile_ms", (seconds_now() - loaded) * 1e3);
  const double again = seconds_now();
  CHECK(CompiledZones::compile(zones, pool.geo, cache).ok());
  print("world_compile_same_classes_ms", (seconds_now() - again) * 1e3);
  print("world_memory_mb", static_cast<double>((*compiled)->memory()) / 1e6);
  print("world_names", static_cast<double>((*compiled)->node_count()), 0);
  print("world_runs", static_cast<double>((*compiled)->zones()[0].classes->runs()), 0);
  // Small countries have servers of one kind only, or none.
  print("answer_world_subnet_mixed_ns",
        measure(**compiled, queries(pool.names, RrType::kA, true, 6), std::nullopt));
  print("answer_world_aaaa_mixed_ns",
        measure(**compiled, queries(pool.names, RrType::kAaaa, false, 7), std::nullopt));
}

int run() {
  const testing::LargePool pool = testing::make_large_pool(1);
  bench_answers(pool);
  bench_world(pool);
  std::puts("}");
  return 0;
}

}  // namespace
}  // namespace timepool::dns

int main() {
  return timepool::dns::run();
}
