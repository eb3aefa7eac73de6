// RFC 7830 and RFC 8467: answers that hide their size.
#include <gtest/gtest.h>

#include "dns/reply_options.h"
#include "dns/testing.h"
#include "wire/dns/edns.h"

namespace timepool::dns {
namespace {

const char* const kZone = R"({"serial": 1, "ttl": 60, "max_hosts": 4, "data": {
  "": {"ns": ["ns1.pool.test."]}, "www": {"a": [["10.1.0.1", 1], ["10.1.0.2", 1]]},
  "long": {"txt": "0123456789012345678901234567890123456789012345678901234567890123456789"}}})";

// A query with OPT, and padding where that is wanted.
std::vector<std::byte> query(const std::string& name, wire::dns::RrType type, bool padding) {
  std::vector<std::byte> buffer(512);
  ByteWriter out(buffer);
  for (const int word : {0x1234, 0x0100, 1, 0, 0, 1}) out.u16(static_cast<std::uint16_t>(word));
  out.bytes(wire::dns::DnsName::from_text(name).value().wire());
  out.u16(static_cast<std::uint16_t>(type));
  out.u16(1);
  std::array<std::byte, 64> option_buffer;
  ByteWriter options(option_buffer);
  if (padding) wire::dns::write_padding(options, 20);
  write_opt(out, wire::dns::EdnsHeader(), options.written());
  buffer.resize(out.size());
  return buffer;
}

std::size_t size_of_answer(const std::vector<std::byte>& query, bool encrypted,
                           std::size_t room = 65535) {
  static const auto zones = testing::compile({{"pool.test", kZone}});
  const ResponderSettings settings = testing::settings();
  Worker worker(1);
  std::vector<std::byte> out(room);
  Rx rx;
  rx.source = parse_ip("192.0.2.1").value();
  rx.tcp = true;
  rx.encrypted = encrypted;
  const Outcome outcome = respond(rx, query, {*zones, settings}, worker, out);
  const auto message = wire::dns::parse_message(Bytes(out).first(outcome.length));
  EXPECT_TRUE(message.ok());
  EXPECT_EQ(message->edns()->padding, outcome.length != 0 && encrypted && query.size() > 60);
  return outcome.length;
}

TEST(Padding, answers_by_tls_become_a_multiple_of_468_when_the_query_asks) {
  constexpr auto kBlock = ReplyOptions::kPaddedBlock;
  for (const char* name : {"www.pool.test", "long.pool.test", "nosuch.pool.test", "pool.test"}) {
    for (const auto type : {wire::dns::RrType::kA, wire::dns::RrType::kTxt}) {
      EXPECT_EQ(size_of_answer(query(name, type, true), true), kBlock) << name;
    }
  }
}

TEST(Padding, is_left_out_where_anybody_reads_along_and_where_nobody_asks) {
  const auto asks = query("www.pool.test", wire::dns::RrType::kA, true);
  const auto does_not = query("www.pool.test", wire::dns::RrType::kA, false);
  const std::size_t plain = size_of_answer(does_not, true);
  EXPECT_LT(plain, 200U);
  EXPECT_EQ(size_of_answer(asks, false), plain);
}

TEST(Padding, never_makes_an_answer_longer_than_its_room) {
  const auto asks = query("www.pool.test", wire::dns::RrType::kA, true);
  EXPECT_EQ(size_of_answer(asks, true, 512), ReplyOptions::kPaddedBlock);
}

}  // namespace
}  // namespace timepool::dns
