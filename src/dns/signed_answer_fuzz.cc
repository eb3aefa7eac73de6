// Any question to a signed pool: the reply parses, keeps to the limit, and every record set in it
// has a signature that holds. The first byte picks UDP or TCP, the client and the kind of question;
// the second one of the pool's names, the next two the type; the rest is put in front of the name,
// or stands for the whole query.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "dns/signed_testing.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file

std::string addresses(int count) {
  std::string out;
  for (int i = 1; i <= count; ++i) {
    out += (i > 1 ? ",[\"10.0.0." : "[\"10.0.0.") + std::to_string(i) + "\"," + std::to_string(i) +
           "]";
  }
  return out;
}

dns::testing::SignedPool make_pool() {
  const auto zones =
      dns::testing::compile({{"p.test",
                              R"({"max_hosts": 4, "targeting": "@ country continent", "data": {
          "": {"a": [["192.0.2.1", 1], ["192.0.2.2", 2]], "ns": ["ns.p.test."]},
          "de": {"a": [)" + addresses(30) +
                                  R"(]}, "europe": {"aaaa": [["2001:db8::1"]]},
          "ns": {"a": [["192.0.2.9"]]}, "other": {"alias": ""}, "www": {"cname": "other"},
          "www.de": {"cname": "no"}, "*.w": {"a": [)" +
                                  addresses(9) + R"(]}, "*.c": {"cname": "other"},
          "cut": {"ns": ["ns.cut.p.test."]}, "ns.cut": {"a": [["192.0.2.8"]]},
          "_ntp._udp": {"srv": [{"target": "ns", "port": 123}]}}})"}});
  CHECK(zones != nullptr);
  return {zones, dns::testing::keys_for({"p.test"})};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static auto pool = make_pool();
  if (size < 4) return 0;
  const bool tcp = (data[0] & 1) != 0;
  const char* const client = (data[0] & 2) != 0 ? "198.18.0.1" : "100.64.0.1";
  const Bytes rest = std::as_bytes(std::span(data + 4, size - 4));
  std::vector<std::byte> query(rest.begin(), rest.end());
  if ((data[0] & 4) == 0) {
    constexpr const char* kNames[] = {"p.test",   "de.p.test", "www.p.test", "www.de.p.test",
                                      "w.p.test", "c.p.test",  "cut.p.test", "_ntp._udp.p.test"};
    dns::testing::Ask ask;
    auto name = wire::dns::DnsName::from_text(kNames[data[1] % std::size(kNames)]).value();
    for (std::size_t at = 0; at < rest.size(); at += 8) {
      const Bytes label = rest.subspan(at, std::min<std::size_t>(8, rest.size() - at));
      const auto longer = wire::dns::DnsName::prepend(
          {reinterpret_cast<const char*>(label.data()), label.size()}, name);
      if (longer.ok()) name = *longer;
    }
    ask.type = static_cast<wire::dns::RrType>(data[2] << 8 | data[3]);
    ask.edns = ask.dnssec_ok = true;
    ask.name = format(name);
    query = dns::testing::query_bytes(ask);
  }
  pool.with.online_signatures = 1'000'000;
  const dns::testing::Got got = pool.ask_bytes(query, client, tcp);
  CHECK(got.outcome.reason < dns::Reason::kCount);
  if (got.outcome.verdict == dns::Verdict::kDrop) return 0;
  CHECK(tcp || got.outcome.length <= pool.with.max_udp);
  CHECK(got.message);
  const bool signs = got.message->edns() && got.message->edns()->header.has(0x8000);
  switch (got.outcome.reason) {
    case dns::Reason::kAnswered:
    case dns::Reason::kNoData:
    case dns::Reason::kNxDomain:
      if (!signs || got.message->rcode() == wire::dns::Rcode::kRefused) break;
      if (got.message->questions()[0].type == wire::dns::RrType::kRrsig) break;
      // A reply that ends in a referral behind a CNAME has NS that is not the zone's to sign.
      CHECK(dns::testing::check_signatures(got, 2).empty() ||
            dns::testing::check_signatures(got, 1).empty());
      break;
    default:
      break;
  }
  return 0;
}
