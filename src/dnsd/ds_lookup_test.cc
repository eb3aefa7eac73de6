#include "dnsd/ds_lookup.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <thread>

#include "sys/fd.h"
#include "sys/udp_socket.h"
#include "wire/dns/message.h"
#include "wire/dns/message_writer.h"

namespace timepool::dnsd {
namespace {

using namespace wire::dns;

const DnsName kZone = DnsName::from_text("pool.example.").value();

struct Reply {
  std::uint16_t id = 7;
  std::uint16_t flags = Header::kAd;
  Rcode code = Rcode::kNoError;
  DnsName name = kZone;
  RrType type = RrType::kDs;
  std::vector<std::vector<std::byte>> ds = {};
};

std::vector<std::byte> made(const Reply& reply) {
  std::vector<std::byte> out(4096);
  MessageWriter writer(out);
  Header header;
  header.id = reply.id;
  header.flags = reply.flags;
  header.set(Header::kQr);
  header.set_rcode(reply.code);
  writer.header(header);
  EXPECT_TRUE(writer.question(reply.name, reply.type));
  for (const auto& data : reply.ds) {
    EXPECT_TRUE(
        writer.raw(Section::kAnswer, reply.name, RrType::kDs, RrClass::kIn, 3600, Bytes(data)));
  }
  // A record of another name is none of the set.
  EXPECT_TRUE(writer.raw(Section::kAnswer, DnsName::from_text("x.").value(), RrType::kDs,
                         RrClass::kIn, 3600, std::vector<std::byte>(36)));
  out.resize(writer.finish().size());
  return out;
}

TEST(DsLookup, asks_for_the_DS_with_recursion) {
  const std::vector<std::byte> question = ds_question(kZone, 99);
  const auto message = parse_message(question);
  ASSERT_TRUE(message.ok());
  EXPECT_EQ(message->header().id, 99);
  EXPECT_TRUE(message->header().has(Header::kRd));
  ASSERT_EQ(message->questions().size(), 1U);
  EXPECT_EQ(message->questions()[0].type, RrType::kDs);
  EXPECT_EQ(message->questions()[0].name, kZone);
}

TEST(DsLookup, reads_the_set_that_is_there_and_none) {
  Reply reply;
  const auto none = parse_ds_answer(made(reply), kZone, 7);
  ASSERT_TRUE(none.ok()) << none.error().text();
  EXPECT_TRUE(none->empty());
  reply.ds = {std::vector<std::byte>(36, std::byte{2}), std::vector<std::byte>(52, std::byte{4})};
  EXPECT_EQ(parse_ds_answer(made(reply), kZone, 7).value(), reply.ds);
}

TEST(DsLookup, what_answers_another_question_or_fails_is_no_observation) {
  const auto code = [](const Reply& reply) {
    const auto out = parse_ds_answer(made(reply), kZone, 7);
    EXPECT_FALSE(out.ok());
    return out.ok() ? ErrorCode::kSystem : out.error().code;
  };
  EXPECT_EQ(code({.id = 8}), ErrorCode::kInvalid);
  EXPECT_EQ(code({.name = DnsName::from_text("other.").value()}), ErrorCode::kInvalid);
  EXPECT_EQ(code({.type = RrType::kDnskey}), ErrorCode::kInvalid);
  EXPECT_EQ(code({.code = Rcode::kServFail}), ErrorCode::kUnavailable);
  EXPECT_EQ(code({.code = Rcode::kNxDomain}), ErrorCode::kUnavailable);
  EXPECT_EQ(code({.flags = Header::kTc | Header::kAd}), ErrorCode::kUnavailable);
  const std::vector<std::byte> reply = made({});
  for (std::size_t size = 0; size < reply.size(); ++size) {
    EXPECT_FALSE(parse_ds_answer(Bytes(reply).first(size), kZone, 7).ok()) << size;
  }
  // Our own question is no answer.
  EXPECT_FALSE(parse_ds_answer(ds_question(kZone, 7), kZone, 7).ok());
}

TEST(DsLookup, believes_what_is_validated_or_comes_from_the_zone_above) {
  const std::vector<std::vector<std::byte>> set{std::vector<std::byte>(36, std::byte{2})};
  for (const std::uint16_t flags : {Header::kAd, Header::kAa}) {
    EXPECT_EQ(parse_ds_answer(made({.flags = flags, .ds = set}), kZone, 7).value(), set);
    EXPECT_TRUE(parse_ds_answer(made({.flags = flags}), kZone, 7).value().empty());
  }
  for (const std::uint16_t flags : {std::uint16_t{0}, Header::kRa, Header::kCd}) {
    const auto with = parse_ds_answer(made({.flags = flags, .ds = set}), kZone, 7);
    ASSERT_FALSE(with.ok());
    EXPECT_NE(with.error().text().find("not proved"), std::string::npos);
    // That there is none is not believed either: a key would stay too long, or go too early.
    EXPECT_FALSE(parse_ds_answer(made({.flags = flags}), kZone, 7).ok());
  }
}

TEST(DsLookup, gives_up_in_time) {
  // Bound, and silent.
  const sys::Fd silent(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage address{};
  socklen_t size = sys::to_sockaddr({IpAddress::v4(0x7f00'0001), 0}, address);
  ASSERT_EQ(::bind(silent.number(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::getsockname(silent.number(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const auto out = look_up_ds(*sys::from_sockaddr(address), kZone, Duration::milliseconds(50));
  ASSERT_FALSE(out.ok());
  EXPECT_EQ(out.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace timepool::dnsd
