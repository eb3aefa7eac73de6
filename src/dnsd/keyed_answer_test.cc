#include "dnsd/keyed_answer.h"

#include <gtest/gtest.h>

#include "base/check.h"
#include "dns/zone/master_file.h"
#include "wire/dns/message.h"
#include "wire/dns/message_writer.h"
#include "wire/dns/query.h"

namespace timepool::dnsd {
namespace {

using dns::Reason;
using wire::dns::Rcode;
using wire::dns::RrType;

constexpr std::uint64_t kNow = 1'750'000'000;
constexpr const char* kZone = "@ 60 SOA ns h 1 1 1 1 1\n NS ns\nns A 192.0.2.1\n";

std::shared_ptr<const Transfers> transfers(const std::string& key) {
  config::DnsdTransferConfig config;
  config.keys.push_back(
      {"k", config::TsigAlgorithm::kHmacSha256, "c2VjcmV0IG9mIHNpeHRlZW4gb2N0ZXRzIGFuZCBtb3Jl"});
  config.allow.push_back({{parse_prefix("192.0.2.0/24").value()}, key, {}});
  auto out = std::make_shared<Transfers>();
  out->rules = TransferRules::make(config);
  const auto zone = dns::load_master(kZone, "example.net").value();
  out->zones[zone_key(zone.origin)] =
      std::make_shared<const dns::ZoneHistory>(dns::version_of(zone));
  return out;
}

struct Ask {
  RrType type = RrType::kAxfr;
  const char* client = "192.0.2.7";
  bool tcp = true;
  const dns::TsigKey* key = nullptr;
  std::uint64_t signed_at = kNow;
  const char* name = "example.net.";
  bool edns = false;
};

struct Got {
  KeyedAnswer answer;
  std::vector<std::byte> bytes;
  const wire::dns::Message message() const { return wire::dns::parse_message(bytes).value(); }
};

Got ask(const std::shared_ptr<const Transfers>& with, const Ask& it) {
  std::vector<std::byte> request(2048);
  wire::dns::MessageWriter writer(request);
  wire::dns::Header header;
  header.id = 99;
  writer.header(header);
  const auto name = wire::dns::DnsName::from_text(it.name).value();
  CHECK(writer.question(name, it.type));
  if (it.edns) CHECK(writer.opt({.udp_size = 1232}));
  std::size_t size = writer.finish().size();
  if (it.key != nullptr)
    size = dns::TsigSigner(*it.key, it.signed_at).sign(request, size, it.signed_at);
  Got out;
  out.bytes.resize(it.tcp ? 65535 : 1232);
  const dns::Rx rx{parse_ip(it.client).value(), it.tcp, 0};
  const PlainAnswer plain = [](Bytes bare, MutableBytes room) {
    // As respond() would, an answer of 480 octets.
    EXPECT_EQ(wire::dns::parse_query(bare)->tsig_offset, 0);
    wire::dns::MessageWriter answer(room);
    wire::dns::Header head;
    head.id = 99;
    head.set(wire::dns::Header::kQr);
    answer.header(head);
    const auto question = wire::dns::parse_query(bare).value();
    CHECK(answer.question(question.name, question.type));
    const std::vector<std::byte> rdata(480 - answer.size() - 12);
    CHECK(answer.raw(wire::dns::Section::kAnswer, question.name, static_cast<RrType>(65280),
                     wire::dns::RrClass::kIn, 0, rdata));
    dns::Outcome outcome;
    outcome.verdict = dns::Verdict::kReply;
    outcome.reason = Reason::kAnswered;
    outcome.question_end = question.question_end;
    outcome.length = static_cast<std::uint16_t>(answer.finish().size());
    return outcome;
  };
  out.answer = answer_keyed(rx, Bytes(request).first(size), with, kNow, plain, out.bytes);
  out.bytes.resize(out.answer.size);
  return out;
}

TEST(KeyedAnswer, who_may_not_have_the_zone_is_refused) {
  const auto open = transfers("");
  const auto closed = transfers("k");
  const dns::TsigKey* key = closed->rules->find_key("k");
  EXPECT_EQ(ask(open, {}).answer.reason, Reason::kTransfer);
  EXPECT_EQ(ask(open, {.client = "198.51.100.1"}).answer.rcode, Rcode::kRefused);
  EXPECT_EQ(ask(closed, {}).answer.rcode, Rcode::kRefused);
  EXPECT_EQ(ask(closed, {.key = key}).answer.reason, Reason::kTransfer);
  EXPECT_EQ(ask(closed, {.client = "198.51.100.1", .key = key}).answer.rcode, Rcode::kRefused);
  EXPECT_EQ(ask(nullptr, {}).answer.rcode, Rcode::kRefused);
  EXPECT_EQ(ask(open, {.name = "example.org."}).answer.rcode, Rcode::kNotAuth);
}

TEST(KeyedAnswer, each_request_for_a_transfer_is_counted_once) {
  const auto with = transfers("");
  const auto count = [&](TransferEnd end) {
    return with->counters->ends[static_cast<std::size_t>(end)].load();
  };
  const Got whole = ask(with, {});
  EXPECT_EQ(count(TransferEnd::kAxfr), 1U);
  EXPECT_EQ(with->counters->messages, 1U);
  EXPECT_EQ(with->counters->octets, whole.answer.size);
  ask(with, {.client = "198.51.100.1"});
  ask(with, {.tcp = false});
  ask(with, {.name = "example.org."});
  ask(with, {.type = RrType::kIxfr});
  EXPECT_EQ(count(TransferEnd::kRefused), 4U);
  EXPECT_EQ(with->counters->unproved, 0U);
  dns::TsigKey stranger = *with->rules->find_key("k");
  stranger.name = wire::dns::DnsName::from_text("x.").value();
  ask(with, {.key = &stranger});
  EXPECT_EQ(with->counters->unproved, 1U);
  std::uint64_t all = 0;
  for (const auto& it : with->counters->ends) all += it;
  EXPECT_EQ(all, 5U);
}

TEST(KeyedAnswer, no_axfr_by_udp) {
  EXPECT_EQ(ask(transfers(""), {.tcp = false}).answer.rcode, Rcode::kRefused);
}

TEST(KeyedAnswer, an_ixfr_without_the_clients_soa_is_malformed) {
  EXPECT_EQ(ask(transfers(""), {.type = RrType::kIxfr}).answer.rcode, Rcode::kFormErr);
}

TEST(KeyedAnswer, errors_of_keys_are_notauth_with_a_tsig_record) {
  const auto with = transfers("k");
  const dns::TsigKey* key = with->rules->find_key("k");
  dns::TsigKey stranger = *key;
  stranger.name = wire::dns::DnsName::from_text("x.").value();
  for (const Ask& it : {Ask{.type = RrType::kSoa, .key = &stranger},
                        Ask{.type = RrType::kSoa, .key = key, .signed_at = kNow - 1000}}) {
    const Got got = ask(with, it);
    EXPECT_EQ(got.answer.rcode, Rcode::kNotAuth);
    EXPECT_EQ(got.answer.reason, Reason::kTsig);
    EXPECT_FALSE(got.answer.proved);
    EXPECT_EQ(got.message().rcode(), Rcode::kNotAuth);
    EXPECT_EQ(got.message().header().additional_count, 1);
  }
}

TEST(KeyedAnswer, a_strangers_long_names_do_not_lengthen_an_answer_by_udp) {
  const auto with = transfers("k");
  dns::TsigKey stranger = *with->rules->find_key("k");
  std::string longest;
  for (int i = 0; i < 4; ++i) longest += std::string(i == 3 ? 61 : 63, 'x') + '.';
  stranger.name = wire::dns::DnsName::from_text(longest).value();
  stranger.algorithm = stranger.name;
  for (const bool tcp : {false, true}) {
    const Got got =
        ask(with, {.type = RrType::kSoa, .tcp = tcp, .key = &stranger, .name = longest.c_str()});
    EXPECT_EQ(got.message().rcode(), Rcode::kNotAuth);
    EXPECT_LE(got.answer.size, tcp ? 65535U : 512U);
    EXPECT_EQ(got.message().header().additional_count, tcp ? 1 : 0);
  }
}

TEST(KeyedAnswer, an_ordinary_answer_is_proved_and_fits) {
  const auto with = transfers("k");
  const dns::TsigKey* key = with->rules->find_key("k");
  const Got whole = ask(with, {.type = RrType::kA, .key = key});
  EXPECT_TRUE(whole.answer.proved);
  EXPECT_EQ(whole.message().header().answer_count, 1);
  EXPECT_EQ(whole.message().header().additional_count, 1);
  // 480 octets and the proof are more than 512.
  const Got cut = ask(with, {.type = RrType::kA, .tcp = false, .key = key});
  EXPECT_LE(cut.answer.size, 512U);
  EXPECT_TRUE(cut.message().header().has(wire::dns::Header::kTc));
  EXPECT_EQ(cut.message().header().answer_count, 0);
  const Got large = ask(with, {.type = RrType::kA, .tcp = false, .key = key, .edns = true});
  EXPECT_EQ(large.message().header().answer_count, 1);
}

TEST(KeyedAnswer, a_transfer_answers_edns_once) {
  const auto got = ask(transfers(""), {.edns = true});
  EXPECT_TRUE(got.message().edns().has_value());
  EXPECT_EQ(got.message().header().answer_count, 4);
  std::vector<std::byte> more(65535);
  ASSERT_NE(got.answer.stream, nullptr);
  EXPECT_EQ(got.answer.stream->next(more), 0U);
}

}  // namespace
}  // namespace timepool::dnsd
