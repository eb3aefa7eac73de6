#include "dns/transfer/tsig.h"

#include <gtest/gtest.h>

#include <array>

#include "base/check.h"
#include "base/siphash.h"
#include "wire/dns/constants.h"
#include "wire/dns/query.h"

namespace timepool::dns {
namespace {

using wire::dns::DnsName;
using wire::dns::TsigError;

constexpr std::uint64_t kNow = 1'750'000'000;

// A digest that tells every octet's change; the real ones are crypto's.
class TestMac : public Mac {
 public:
  explicit TestMac(std::uint64_t key) : key_(key) {}
  std::size_t size() const override { return 8; }
  void sign(Bytes message, MutableBytes digest) const override {
    const std::uint64_t hash = siphash24({key_, 1}, message);
    for (std::size_t i = 0; i < digest.size(); ++i) {
      digest[i] = static_cast<std::byte>(hash >> (8 * i));
    }
  }
  bool verify(Bytes message, Bytes digest) const override {
    std::array<std::byte, 8> own;
    sign(message, own);
    return std::equal(digest.begin(), digest.end(), own.begin(), own.end());
  }

 private:
  std::uint64_t key_;
};

TsigKey key(std::string_view name, std::uint64_t secret) {
  return {std::string(name), DnsName::from_text(name).value(),
          DnsName::from_text("hmac-sha256.").value(), std::make_shared<TestMac>(secret)};
}

struct Message {
  std::vector<std::byte> bytes = std::vector<std::byte>(2048);
  std::size_t size = 0;
  Bytes view() const { return Bytes(bytes).first(size); }
};

Message query() {
  Message out;
  ByteWriter writer(out.bytes);
  for (const int field : {0x1234, 0, 1, 0, 0, 0}) writer.u16(static_cast<std::uint16_t>(field));
  writer.bytes(DnsName::from_text("example.net.").value().wire());
  writer.u16(static_cast<std::uint16_t>(wire::dns::RrType::kSoa));
  writer.u16(1);
  out.size = writer.size();
  return out;
}
std::size_t tsig_offset(const Message& message) {
  const auto parsed = wire::dns::parse_query(message.view());
  CHECK(parsed.ok());
  return parsed->tsig_offset;
}

TEST(Tsig, proves_a_request_and_its_answers_in_their_order) {
  const std::array keys{key("one.", 1), key("two.", 2)};
  Message request = query();
  TsigSigner client(keys[1], kNow);
  request.size = client.sign(request.bytes, request.size, kNow);
  auto checked = check_tsig(request.view(), tsig_offset(request), keys, kNow + 300);
  ASSERT_TRUE(checked.ok());
  EXPECT_EQ(checked->error, TsigError::kNone);
  ASSERT_EQ(checked->key, &keys[1]);
  TsigSigner server(checked.value());
  Message first = query();
  const std::size_t plain = first.size;
  first.size = server.sign(first.bytes, first.size, kNow);
  EXPECT_LE(first.size - plain, server.size());
  EXPECT_TRUE(verify_answer(first.view(), plain, keys[1], client.last(), kNow));
  EXPECT_FALSE(verify_answer(first.view(), plain, keys[1], client.last(), kNow + 301));
  EXPECT_FALSE(verify_answer(first.view(), plain, keys[0], client.last(), kNow));
  // The second one is proved by the first one's digest, not by the request's.
  Message second = query();
  second.size = server.sign(second.bytes, second.size, kNow);
  EXPECT_FALSE(verify_answer(second.view(), plain, keys[1], client.last(), kNow));
}

TEST(Tsig, every_changed_octet_is_told) {
  const std::array keys{key("one.", 1)};
  Message request = query();
  TsigSigner client(keys[0], kNow);
  const std::size_t plain = request.size;
  request.size = client.sign(request.bytes, request.size, kNow);
  for (std::size_t i = 0; i < request.size; ++i) {
    Message changed = request;
    changed.bytes[i] ^= std::byte{1};
    const auto checked = check_tsig(changed.view(), plain, keys, kNow);
    // The id is that of the record (RFC 8945 5.3), which is proved instead; names ignore case.
    if (i < 2) continue;
    EXPECT_TRUE(!checked.ok() || checked->error != TsigError::kNone) << i;
  }
}

TEST(Tsig, an_unknown_key_or_a_wrong_clock_is_named) {
  const std::array keys{key("one.", 1)};
  const TsigKey stranger = key("one.", 7);
  const TsigKey unknown = key("three.", 1);
  const auto error = [&](const TsigKey& by, std::uint64_t now, bool with_digest) {
    Message request = query();
    const std::size_t plain = request.size;
    TsigSigner client(by, kNow);
    request.size = client.sign(request.bytes, request.size, kNow);
    const auto checked = check_tsig(request.view(), plain, keys, now);
    CHECK(checked.ok());
    TsigSigner server(checked.value());
    Message answer = query();
    answer.size = server.sign(answer.bytes, answer.size, now);
    const auto told = wire::dns::parse_tsig(answer.view(), plain);
    EXPECT_EQ(told->error, checked->error);
    EXPECT_EQ(told->mac.empty(), !with_digest);
    if (checked->error == TsigError::kBadTime) {
      EXPECT_EQ(told->time, kNow);
      EXPECT_EQ(told->other.size(), 6U);
    }
    return checked->error;
  };
  EXPECT_EQ(error(stranger, kNow, false), TsigError::kBadSig);
  EXPECT_EQ(error(unknown, kNow, false), TsigError::kBadKey);
  EXPECT_EQ(error(keys[0], kNow + 301, true), TsigError::kBadTime);
  EXPECT_EQ(error(keys[0], kNow - 301, true), TsigError::kBadTime);
  EXPECT_EQ(error(keys[0], kNow - 300, true), TsigError::kNone);
}

TEST(Tsig, a_record_that_is_none_is_refused) {
  const std::array keys{key("one.", 1)};
  Message request = query();
  const std::size_t plain = request.size;
  TsigSigner client(keys[0], kNow);
  request.size = client.sign(request.bytes, request.size, kNow);
  for (std::size_t size = plain; size < request.size; ++size) {
    EXPECT_FALSE(wire::dns::parse_tsig(Bytes(request.bytes).first(size), plain).ok()) << size;
  }
  EXPECT_FALSE(wire::dns::parse_tsig(Bytes(request.bytes).first(request.size + 1), plain).ok());
}

}  // namespace
}  // namespace timepool::dns
