#include "nts/saved_sessions.h"

#include <algorithm>
#include <array>

#include "base/byte_writer.h"
#include "base/siphash.h"

namespace timepool::nts {
namespace {

constexpr std::array<std::byte, 4> kMagic = {std::byte{'T'}, std::byte{'P'}, std::byte{'N'},
                                             std::byte{'C'}};
constexpr std::uint16_t kVersion = 2;
constexpr std::size_t kSumSize = 8;

void write_address(const IpAddress& address, ByteWriter& out) {
  out.u8(address.is_v4() ? 4 : 6);
  out.bytes(address.bytes());
}

IpAddress read_address(ByteReader& in) {
  const std::uint8_t family = in.u8();
  if (family != 4 && family != 6) in.fail();
  const Bytes octets = in.bytes(family == 4 ? 4 : 16);
  return in.ok() ? IpAddress::from_bytes(octets) : IpAddress();
}

void write_time(UnixTime time, ByteWriter& out) {
  out.u64(static_cast<std::uint64_t>(time.ns()));
}

UnixTime read_time(ByteReader& in) {
  return UnixTime::from_ns(static_cast<std::int64_t>(in.u64()));
}

void write_key_server(const KeyServer& server, ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(server.name.size()));
  out.text(server.name);
  out.u16(server.port);
  write_address(server.address, out);
}

KeyServer read_key_server(ByteReader& in) {
  KeyServer out;
  const Bytes name = in.bytes(in.u8());
  out.name.reserve(name.size());
  for (const std::byte octet : name) out.name.push_back(std::to_integer<char>(octet));
  out.port = in.u16();
  out.address = read_address(in);
  return out;
}

void write_keys(const SessionKeys& keys, ByteWriter& out) {
  out.bytes(keys.c2s());
  out.bytes(keys.s2c());
}

SessionKeys read_keys(AeadId aead, ByteReader& in) {
  SessionKeys out;
  out.aead = aead;
  in.copy(MutableBytes(out.client_to_server).first(key_size(aead)));
  in.copy(MutableBytes(out.server_to_client).first(key_size(aead)));
  return out;
}

bool is_saveable(const KeyServer& server) {
  return !server.name.empty() && server.name.size() <= kMaxKeyServerName && server.port != 0;
}

bool is_saveable(const SavedSession& session) {
  const auto fits = [](const Cookie& it) { return !it.empty() && it.size() <= kMaxCookieSize; };
  const std::vector<Cookie>& cookies = session.keys.cookies;
  return is_saveable(session.from) && session.server.port != 0 && !cookies.empty() &&
         cookies.size() <= kMaxCookies && std::all_of(cookies.begin(), cookies.end(), fits);
}

void write_session(const SavedSession& session, ByteWriter& out) {
  write_key_server(session.from, out);
  write_address(session.server.address, out);
  out.u16(session.server.port);
  write_time(session.established, out);
  write_time(session.certificate.not_before, out);
  write_time(session.certificate.not_after, out);
  out.u8(static_cast<std::uint8_t>(session.certificate.judged));
  out.u16(static_cast<std::uint16_t>(session.keys.keys.aead));
  write_keys(session.keys.keys, out);
  out.u8(session.keys.other_keys ? 1 : 0);
  if (session.keys.other_keys) write_keys(*session.keys.other_keys, out);
  out.u8(static_cast<std::uint8_t>(session.keys.cookies.size()));
  for (const Cookie& cookie : session.keys.cookies) {
    out.u16(static_cast<std::uint16_t>(cookie.size()));
    out.bytes(cookie);
  }
}

SavedSession read_session(ByteReader& in) {
  SavedSession out;
  out.from = read_key_server(in);
  out.server.address = read_address(in);
  out.server.port = in.u16();
  out.established = read_time(in);
  out.certificate.not_before = read_time(in);
  out.certificate.not_after = read_time(in);
  const std::uint8_t judged = in.u8();
  if (judged > static_cast<std::uint8_t>(DatesJudged::kByAgreed)) in.fail();
  out.certificate.judged = in.ok() ? static_cast<DatesJudged>(judged) : DatesJudged::kNot;
  const auto aead = aead_of(in.u16());
  if (!aead) in.fail();
  out.keys.keys = read_keys(aead.value_or(AeadId::kAesSivCmac256), in);
  if (in.u8() == 1) out.keys.other_keys = read_keys(out.keys.keys.aead, in);
  const std::size_t cookies = in.u8();
  if (cookies > kMaxCookies) in.fail();
  for (std::size_t i = 0; i < cookies && in.ok(); ++i) {
    const Bytes cookie = in.bytes(in.u16());
    out.keys.cookies.emplace_back(cookie.begin(), cookie.end());
  }
  return out;
}

SavedRetry read_retry(ByteReader& in) {
  SavedRetry out;
  out.with = read_key_server(in);
  out.attempts = in.u32();
  out.next = read_time(in);
  return out;
}

Result<SavedSessions, SavedSessionsFault> read_entries(ByteReader& in) {
  SavedSessions out;
  const std::size_t sessions = in.u16();
  if (sessions > kMaxSavedSessions) return fail(SavedSessionsFault::kTooMany);
  for (std::size_t i = 0; i < sessions; ++i) {
    SavedSession session = read_session(in);
    if (!in.ok()) return fail(SavedSessionsFault::kEntry);
    if (!is_saveable(session)) return fail(SavedSessionsFault::kEntry);
    out.sessions.push_back(std::move(session));
  }
  const std::size_t retries = in.u16();
  if (retries > kMaxSavedRetries) return fail(SavedSessionsFault::kTooMany);
  for (std::size_t i = 0; i < retries; ++i) {
    SavedRetry retry = read_retry(in);
    if (!in.ok() || !is_saveable(retry.with)) return fail(SavedSessionsFault::kEntry);
    out.retries.push_back(std::move(retry));
  }
  if (!in.ok() || in.remaining() > 0) return fail(SavedSessionsFault::kCut);
  return out;
}

}  // namespace

std::vector<std::byte> format_sessions(const SavedSessions& saved) {
  std::vector<const SavedSession*> sessions;
  for (const SavedSession& session : saved.sessions) {
    if (sessions.size() < kMaxSavedSessions && is_saveable(session)) sessions.push_back(&session);
  }
  std::vector<const SavedRetry*> retries;
  for (const SavedRetry& retry : saved.retries) {
    if (retries.size() < kMaxSavedRetries && is_saveable(retry.with)) retries.push_back(&retry);
  }
  std::vector<std::byte> out(kFrameSize + sessions.size() * kMaxSessionSize +
                             retries.size() * kMaxRetrySize);
  ByteWriter writer(out);
  writer.bytes(kMagic);
  writer.u16(kVersion);
  writer.u16(static_cast<std::uint16_t>(sessions.size()));
  for (const SavedSession* session : sessions) write_session(*session, writer);
  writer.u16(static_cast<std::uint16_t>(retries.size()));
  for (const SavedRetry* retry : retries) {
    write_key_server(retry->with, writer);
    writer.u32(retry->attempts);
    write_time(retry->next, writer);
  }
  writer.u64(siphash24({0, 0}, writer.written()));
  CHECK(writer.ok());
  out.resize(writer.size());
  return out;
}

std::string_view name_of(SavedSessionsFault fault) {
  constexpr std::string_view kNames[] = {"foreign", "version",  "damaged",
                                         "cut",     "too_many", "entry"};
  return kNames[static_cast<std::size_t>(fault)];
}

Result<SavedSessions, SavedSessionsFault> parse_sessions(Bytes bytes) {
  if (bytes.size() < kMagic.size() || !std::ranges::equal(bytes.first(kMagic.size()), kMagic)) {
    return fail(SavedSessionsFault::kForeign);
  }
  if (bytes.size() < kMagic.size() + 2 + kSumSize) return fail(SavedSessionsFault::kCut);
  const Bytes body = bytes.first(bytes.size() - kSumSize);
  if (ByteReader(bytes.last(kSumSize)).u64() != siphash24({0, 0}, body)) {
    return fail(SavedSessionsFault::kDamaged);
  }
  ByteReader reader(body);
  reader.skip(kMagic.size());
  if (reader.u16() != kVersion) return fail(SavedSessionsFault::kVersion);
  return read_entries(reader);
}

}  // namespace timepool::nts
