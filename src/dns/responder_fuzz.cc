// Any datagram against zones of every kind: a reply that parses and keeps to the limit, or a reason
// why there is none. The first byte picks UDP or TCP, and one of some random zones, which are
// served beside a small pool with a zone of its own below it.
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/check.h"
#include "dns/responder.h"
#include "dns/zone/random_zone.h"
#include "wire/dns/message.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file

constexpr unsigned kRandomZones = 16;

dns::Zone small_pool() {
  auto zone = dns::load_zone(
      R"({"targeting": "@ country continent ip asn", "data": {
          "": {"a": [["192.0.2.1", 1], ["192.0.2.2", 2]], "ns": ["ns.pool.test."]},
          "europe": {"aaaa": [["2001:db8::1"]]}, "as5": {"a": [["192.0.2.3"]]},
          "[192.0.2.0]": {"txt": "x"}, "other": {"alias": ""}, "www": {"cname": "other"},
          "_ntp._udp": {"srv": [{"target": "other", "port": 123}]},
          "cut": {"ns": ["ns.cut.pool.test."]}, "ns.cut": {"a": [["192.0.2.4"]]},
          "*.w": {"mx": [{"mx": "other.pool.test.", "preference": 1}]},
          "down": {"ns": ["ns.pool.test."]}}})",
      "pool.test", 1);
  CHECK(zone.ok());
  return std::move(zone).value();
}

std::shared_ptr<const dns::CompiledZones> zones_of(unsigned seed) {
  Prng prng(seed);
  const dns::Zone pool = small_pool();
  const dns::Zone below = dns::testing::random_zone(prng, "down.pool.test");
  const dns::Zone beside = dns::testing::random_zone(prng, "r.test");
  const dns::Zone* zones[] = {&pool, &below, &beside};
  dns::ClassCache cache;
  auto compiled = dns::CompiledZones::compile(zones, dns::GeoTable(), cache);
  CHECK(compiled.ok());
  return std::move(compiled).value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::map<unsigned, std::shared_ptr<const dns::CompiledZones>> made;
  if (size == 0) return 0;
  const unsigned seed = data[0] / 2U % kRandomZones;
  auto& zones = made[seed];
  if (zones == nullptr) zones = zones_of(seed);
  const dns::Rx rx{IpAddress::v4(0xc0000201), (data[0] & 1) != 0, 7};
  dns::ResponderSettings settings;
  settings.identity = "n";
  settings.version = "v";
  settings.tcp_keepalive = 1;
  dns::Worker worker(data[0]);
  std::vector<std::byte> out(65535);
  const auto query = std::as_bytes(std::span(data + 1, size - 1));
  const dns::Outcome outcome = dns::respond(rx, query, {*zones, settings}, worker, out);
  CHECK(outcome.reason < dns::Reason::kCount);
  if (outcome.verdict == dns::Verdict::kDrop) {
    CHECK(outcome.length == 0);
    return 0;
  }
  CHECK(rx.tcp || outcome.length <= settings.max_udp);
  const auto message = wire::dns::parse_message(Bytes(out).first(outcome.length));
  CHECK(message.ok());
  CHECK(message->header().has(wire::dns::Header::kQr));
  CHECK(outcome.set == dns::Outcome::kNone || outcome.set < zones->sets().size());
  return 0;
}
