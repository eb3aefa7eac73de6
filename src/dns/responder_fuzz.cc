// Any datagram against a small pool: a reply that parses and keeps to the limit, or a reason why
// there is none. The first byte picks UDP or TCP.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/check.h"
#include "dns/responder.h"
#include "wire/dns/message.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file

std::shared_ptr<const dns::CompiledZones> small_pool() {
  const auto zone = dns::load_zone(
      R"({"targeting": "@ country continent ip asn", "data": {
          "": {"a": [["192.0.2.1", 1], ["192.0.2.2", 2]], "ns": ["ns.pool.test."]},
          "europe": {"aaaa": [["2001:db8::1"]]}, "as5": {"a": [["192.0.2.3"]]},
          "[192.0.2.0]": {"txt": "x"}, "other": {"alias": ""}, "www": {"cname": "other"},
          "_ntp._udp": {"srv": [{"target": "other", "port": 123}]}}})",
      "pool.test", 1);
  CHECK(zone.ok());
  const dns::Zone* zones[] = {&zone.value()};
  dns::ClassCache cache;
  auto compiled = dns::CompiledZones::compile(zones, dns::GeoTable(), cache);
  CHECK(compiled.ok());
  return std::move(compiled).value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto zones = small_pool();
  if (size == 0) return 0;
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
  // Whatever is limited can be cut: it parses, and is no longer than it was.
  if (outcome.kind == dns::AnswerKind::kError) return 0;
  const bool cookie = outcome.cookie != dns::CookieUse::kNone;
  const std::uint16_t cut = cookie ? dns::shorten_to_bad_cookie(out, outcome.parts())
                                   : dns::shorten_to_truncated(out, outcome.parts());
  CHECK(cut <= outcome.length && wire::dns::parse_message(Bytes(out).first(cut)).ok());
  return 0;
}
