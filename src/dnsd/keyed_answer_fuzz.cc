// Any request that respond() leaves to answer_keyed(), with all that follows it: a reply that
// parses, keeps to the limit and answers the question, and of a transfer every message. The first
// octet picks UDP or TCP, whether there are keys and zones to copy, and who asks.
#include <cstdint>
#include <memory>
#include <vector>

#include "base/check.h"
#include "base/mac_fuzzing.h"
#include "dns/zone/master_file.h"
#include "dnsd/keyed_answer.h"
#include "wire/dns/message.h"
#include "wire/dns/query.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file

constexpr std::uint64_t kNow = 1'750'000'000;
constexpr std::size_t kUdpRoom = 1232;
constexpr std::size_t kTcpRoom = 65'535;
// The whole zone, and each difference, has a few messages.
constexpr int kMaxMessages = 64;
// The first octet.
constexpr unsigned kTcp = 1;
constexpr unsigned kNoTransfers = 2;
constexpr unsigned kStranger = 4;

using fuzzing::FuzzMac;

dns::Zone zone_at(const std::string& serial, int addresses) {
  std::string text = "@ 60 SOA ns h " + serial + " 1 1 1 1\n NS ns\nns A 192.0.2.1\n";
  for (int i = 0; i < addresses; ++i) {
    text += "a" + std::to_string(i) + " TXT \"" + std::string(200, 'x') + "\"\n";
  }
  auto zone = dns::load_master(text, "pool.test");
  CHECK(zone.ok());
  return std::move(zone).value();
}

struct Server {
  std::shared_ptr<dnsd::Transfers> transfers = std::make_shared<dnsd::Transfers>();
  std::shared_ptr<const dns::CompiledZones> zones;

  Server() {
    auto rules = std::make_shared<dnsd::TransferRules>();
    rules->keys.push_back({"k", wire::dns::DnsName::from_text("k.").value(),
                           wire::dns::DnsName::from_text("hmac-sha256.").value(),
                           std::make_shared<FuzzMac>()});
    rules->allow.push_back({{parse_prefix("192.0.2.0/24").value()}, nullptr, {}});
    rules->allow.push_back({{parse_prefix("0.0.0.0/0").value()}, &rules->keys[0], {}});
    transfers->rules = rules;
    // More than one message of TCP, and a difference that is none of UDP.
    const dns::Zone before = zone_at("1", 400);
    const dns::Zone now = zone_at("2", 401);
    const dns::ZoneHistory first(dns::version_of(before));
    transfers->zones[dnsd::zone_key(now.origin)] = first.next(dns::version_of(now));
    const dns::Zone* served[] = {&now};
    dns::ClassCache cache;
    auto compiled = dns::CompiledZones::compile(served, dns::GeoTable(), cache);
    CHECK(compiled.ok());
    zones = std::move(compiled).value();
  }
};

void check_reply(Bytes reply, const wire::dns::Query& query) {
  const auto message = wire::dns::parse_message(reply);
  CHECK(message.ok() && message->header().has(wire::dns::Header::kQr));
  CHECK(message->header().id == query.header.id);
  if (query.has_question && !message->questions().empty()) {
    CHECK(message->questions()[0].name.view() == query.name);
    CHECK(message->questions()[0].type == query.type);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Server server;
  if (size == 0) return 0;
  const bool tcp = (data[0] & kTcp) != 0;
  const auto transfers = (data[0] & kNoTransfers) != 0 ? nullptr : server.transfers;
  const dns::Rx rx{IpAddress::v4((data[0] & kStranger) != 0 ? 0xc6336401 : 0xc0000201), tcp, 0};
  const Bytes request = std::as_bytes(std::span(data + 1, size - 1));
  const dns::ResponderSettings settings;
  dns::Worker worker(data[0]);
  const auto plain = [&](Bytes bare, MutableBytes room) {
    return dns::respond(rx, bare, {*server.zones, settings}, worker, room);
  };
  std::vector<std::byte> reply(tcp ? kTcpRoom : kUdpRoom);
  if (!dnsd::is_keyed(plain(request, reply))) return 0;
  const auto query = wire::dns::parse_query(request);
  CHECK(query.ok());
  auto answer = dnsd::answer_keyed(rx, request, transfers, kNow, plain, reply);
  CHECK(answer.size >= wire::dns::kHeaderSize && answer.size <= reply.size());
  CHECK(tcp || answer.size <= query->udp_limit());
  CHECK(tcp || answer.stream == nullptr);
  CHECK(!answer.proved || query->tsig_offset != 0);
  check_reply(Bytes(reply).first(answer.size), *query);
  // Who may not have the zone gets no record of it.
  CHECK(answer.stream == nullptr || transfers != nullptr);
  CHECK(answer.stream == nullptr || answer.proved || (data[0] & kStranger) == 0);
  int messages = 0;
  while (answer.stream != nullptr) {
    const std::size_t count = answer.stream->next(reply);
    if (count == 0) break;
    CHECK(++messages < kMaxMessages);
    check_reply(Bytes(reply).first(count), *query);
  }
  return 0;
}
