#include "load/nts_traffic.h"

#include <gtest/gtest.h>

#include <set>

#include "base/byte_writer.h"
#include "load/generator.h"
#include "nts/testing_server.h"
#include "wire/ntp/packet.h"

namespace timepool::load {
namespace {

using nts::fake::TestServer;

constexpr std::size_t kSlots = 8;
// The serial number of the first request of a run, whose reply is opened, and of the second.
constexpr std::uint64_t kOpened = std::uint64_t{1} << 16;
constexpr std::uint64_t kNotOpened = std::uint64_t{2} << 16;

struct Rig {
  TestServer server{7};
  std::vector<nts::Establishment> keys{server.establish(), server.establish(AeadId::kAes128GcmSiv)};
  Result<NtsTraffic> traffic = NtsTraffic::create(keys, nts::fake::TestAeadMaker(), kSlots);

  std::vector<std::byte> request(std::uint64_t token) const {
    std::vector<std::byte> out(kMaxRequest);
    out.resize(traffic->write(token, out));
    return out;
  }
  static std::vector<std::byte> header_for(Bytes request, std::uint8_t stratum = 2) {
    ByteReader reader(request);
    wire::ntp::Header header = wire::ntp::read_header(reader);
    header.mode = wire::ntp::Mode::kServer;
    header.stratum = stratum;
    header.origin = header.transmit;
    std::vector<std::byte> out(wire::ntp::kHeaderSize);
    ByteWriter writer(out);
    wire::ntp::write_header(header, writer);
    return out;
  }
  std::vector<std::byte> reply(std::uint64_t token) {
    const auto asked = request(token);
    return server.answer(asked, header_for(asked));
  }
};

TEST(NtsTraffic, each_prepared_request_is_proven_and_has_its_own_identifier_and_token) {
  Rig rig;
  ASSERT_TRUE(rig.traffic.ok()) << rig.traffic.error().text();
  std::set<std::vector<std::byte>> ids;
  std::size_t count = 0;
  for (std::uint64_t generation = 0; generation < 64; ++generation) {
    for (std::uint64_t slot = 0; slot < kSlots; ++slot, ++count) {
      const std::uint64_t token = kOpened | generation << kSlotBits | slot;
      const auto asked = rig.request(token);
      const auto packet = wire::ntp::parse_packet(asked);
      ASSERT_TRUE(packet.ok());
      const auto* id = packet->field(wire::ntp::field_type::kUniqueIdentifier);
      ASSERT_NE(id, nullptr);
      ids.insert({id->body.begin(), id->body.end()});
      const auto reply = rig.reply(token);
      const auto read = rig.traffic->read_token(reply);
      ASSERT_TRUE(read.has_value());
      EXPECT_TRUE(rig.traffic->same_token(token, *read));
      EXPECT_FALSE(rig.traffic->same_token(token + 1, *read));
      EXPECT_EQ(*read & (kMaxSlots - 1), slot);
      EXPECT_EQ(rig.traffic->judge(token, reply), Judgement::kProven);
    }
  }
  EXPECT_EQ(ids.size(), count);
  EXPECT_EQ(rig.server.seen(), 2 * nts::kMaxCookies) << "every cookie is used";
}

TEST(NtsTraffic, opens_a_sample_and_finds_a_forged_proof_in_it) {
  Rig rig;
  auto reply = rig.reply(kNotOpened);
  EXPECT_EQ(rig.traffic->judge(kNotOpened, reply), Judgement::kAnswer);
  EXPECT_EQ(rig.traffic->judge(kOpened, reply), Judgement::kProven);
  reply.back() ^= std::byte{1};
  EXPECT_EQ(rig.traffic->judge(kNotOpened, reply), Judgement::kAnswer) << "not opened";
  EXPECT_EQ(rig.traffic->judge(kOpened, reply), Judgement::kInvalid);
  rig.server.set_generous(false);
  EXPECT_EQ(rig.traffic->judge(kOpened, rig.reply(kOpened)), Judgement::kInvalid) << "no cookie";
}

TEST(NtsTraffic, takes_no_other_reply_for_an_answer) {
  Rig rig;
  const auto asked = rig.request(kNotOpened);
  const auto header = Rig::header_for(asked);
  EXPECT_EQ(rig.traffic->judge(kNotOpened, header), Judgement::kInvalid) << "a basic reply";
  EXPECT_EQ(rig.traffic->judge(kNotOpened, asked), Judgement::kInvalid) << "an echo";
  const auto other = rig.reply(kNotOpened + 1);
  EXPECT_EQ(rig.traffic->judge(kNotOpened, other), Judgement::kInvalid) << "to another request";
  auto wrong_id = rig.reply(kNotOpened);
  wrong_id[wire::ntp::kHeaderSize + wire::ntp::kFieldHeaderSize] ^= std::byte{1};
  EXPECT_EQ(rig.traffic->judge(kNotOpened, wrong_id), Judgement::kInvalid);
  auto longer = rig.reply(kNotOpened);
  longer.insert(longer.end(), {std::byte{0xf3}, std::byte{0x23}, std::byte{0}, std::byte{28}});
  longer.resize(longer.size() + 24);
  EXPECT_EQ(rig.traffic->judge(kNotOpened, longer), Judgement::kInvalid);
  EXPECT_EQ(rig.traffic->read_token(Bytes(header).first(47)), std::nullopt);
}

TEST(NtsTraffic, counts_ntsn_as_refused) {
  Rig rig;
  const auto asked = rig.request(kOpened);
  rig.server.lose_keys();
  const auto nak = rig.server.answer(asked, Rig::header_for(asked));
  EXPECT_EQ(rig.traffic->judge(kOpened, nak), Judgement::kRefused);
}

TEST(NtsTraffic, needs_cookies_that_fit_into_a_request) {
  const nts::fake::TestAeadMaker aeads;
  EXPECT_EQ(NtsTraffic::create({}, aeads, kSlots).error().code, ErrorCode::kInvalid);
  Rig rig;
  rig.keys[1].cookies[3].resize(kMaxRequest);
  EXPECT_EQ(NtsTraffic::create(rig.keys, aeads, kSlots).error().code, ErrorCode::kInvalid);
}

TEST(NtsTraffic, a_key_server_elsewhere_is_not_asked) {
  const KeyPeer peer{{parse_ip("192.0.2.1").value(), 4460}, "time.example", "", false};
  EXPECT_EQ(NtsTraffic::establish(peer, false).error().code, ErrorCode::kDenied);
}

}  // namespace
}  // namespace timepool::load
