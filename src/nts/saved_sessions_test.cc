#include "nts/saved_sessions.h"

#include <gtest/gtest.h>

#include "base/siphash.h"
#include "nts/testing_server.h"

namespace timepool::nts {
namespace {

SavedSessions two_sessions() {
  fake::TestServer server(3);
  SavedSessions out;
  for (const AeadId aead : {AeadId::kAesSivCmac256, AeadId::kAes128GcmSiv}) {
    SavedSession session;
    session.from = {"time.example", 4460, parse_ip("2001:db8::5").value()};
    session.server = {parse_ip("192.0.2.9").value(), 11123, 0};
    session.established = UnixTime::from_seconds(1'790'000'000);
    session.certificate = {UnixTime::from_seconds(1'780'000'000),
                           UnixTime::from_seconds(1'799'000'000), DatesJudged::kNot};
    session.keys = server.establish(aead);
    if (aead == AeadId::kAes128GcmSiv) session.keys.other_keys = session.keys.keys;
    out.sessions.push_back(session);
  }
  out.retries.push_back({{"time.example", 4460, parse_ip("192.0.2.9").value()},
                         7,
                         UnixTime::from_seconds(1'790'000'100)});
  return out;
}

SavedSessionsFault fault_of(Bytes bytes) {
  const auto parsed = parse_sessions(bytes);
  EXPECT_FALSE(parsed.ok());
  return parsed.ok() ? SavedSessionsFault::kForeign : parsed.error();
}

// With a check sum that is right.
std::vector<std::byte> sealed(std::vector<std::byte> body) {
  std::array<std::byte, 8> sum{};
  ByteWriter writer(sum);
  writer.u64(siphash24({0, 0}, body));
  body.insert(body.end(), sum.begin(), sum.end());
  return body;
}

TEST(SavedSessions, NC10_come_back_as_they_were) {
  const SavedSessions saved = two_sessions();
  const auto parsed = parse_sessions(format_sessions(saved));
  ASSERT_TRUE(parsed.ok());
  ASSERT_EQ(parsed->sessions.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const SavedSession& before = saved.sessions[i];
    const SavedSession& after = parsed->sessions[i];
    EXPECT_EQ(after.from, before.from);
    EXPECT_EQ(after.server, before.server);
    EXPECT_EQ(after.established, before.established);
    EXPECT_EQ(after.certificate, before.certificate);
    EXPECT_EQ(after.keys.keys, before.keys.keys);
    EXPECT_EQ(after.keys.other_keys, before.keys.other_keys);
    EXPECT_EQ(after.keys.cookies, before.keys.cookies);
  }
  ASSERT_EQ(parsed->retries.size(), 1U);
  EXPECT_EQ(parsed->retries[0].attempts, 7U);
  EXPECT_EQ(parsed->retries[0].next, UnixTime::from_seconds(1'790'000'100));
}

TEST(SavedSessions, every_cut_and_every_changed_octet_is_seen) {
  const std::vector<std::byte> good = format_sessions(two_sessions());
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(parse_sessions(Bytes(good).first(length)).ok()) << length;
  }
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::vector<std::byte> bad = good;
    bad[i] ^= std::byte{0x10};
    EXPECT_FALSE(parse_sessions(bad).ok()) << i;
  }
}

TEST(SavedSessions, says_what_is_wrong) {
  std::vector<std::byte> good = format_sessions(two_sessions());
  EXPECT_EQ(fault_of({}), SavedSessionsFault::kForeign);
  EXPECT_EQ(fault_of(Bytes(good).first(good.size() - 1)), SavedSessionsFault::kDamaged);
  good.resize(good.size() - 8);
  EXPECT_TRUE(parse_sessions(sealed(good)).ok());
  std::vector<std::byte> other = good;
  other[5] = std::byte{1};
  EXPECT_EQ(fault_of(sealed(other)), SavedSessionsFault::kVersion);
  other = good;
  other[7] = std::byte{200};
  EXPECT_EQ(fault_of(sealed(other)), SavedSessionsFault::kTooMany);
  other = good;
  other.push_back(std::byte{0});
  EXPECT_EQ(fault_of(sealed(other)), SavedSessionsFault::kCut);
  other = good;
  other[8] = std::byte{0};  // the name's length
  EXPECT_EQ(fault_of(sealed(other)), SavedSessionsFault::kEntry);
  other = good;
  // Magic, version, count; name, port, address; server; established, from, until.
  other[4 + 2 + 2 + 13 + 2 + 17 + 5 + 2 + 8 + 16] = std::byte{3};
  EXPECT_EQ(fault_of(sealed(other)), SavedSessionsFault::kEntry) << "judged in no known way";
}

TEST(SavedSessions, leaves_out_what_is_beyond_the_limits) {
  SavedSessions saved = two_sessions();
  saved.sessions[0].keys.cookies.clear();
  saved.retries[0].with.name = std::string(256, 'x');
  while (saved.sessions.size() < 200) saved.sessions.push_back(saved.sessions[1]);
  const auto parsed = parse_sessions(format_sessions(saved));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->sessions.size(), kMaxSavedSessions);
  EXPECT_TRUE(parsed->retries.empty());
}

TEST(SavedSessions, the_largest_fits_its_bound) {
  SavedSessions saved;
  SavedSession session = two_sessions().sessions[1];
  session.from.name = std::string(255, 'n');
  for (Cookie& cookie : session.keys.cookies) cookie.resize(kMaxCookieSize);
  saved.sessions.assign(kMaxSavedSessions, session);
  saved.retries.assign(kMaxSavedRetries, {session.from, 1, {}});
  EXPECT_LE(format_sessions(saved).size(), kMaxSavedSessionsBytes);
}

}  // namespace
}  // namespace timepool::nts
