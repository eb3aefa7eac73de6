#include <algorithm>
#include <charconv>

#include "base/byte_writer.h"
#include "base/hex.h"
#include "crypto/mac.h"
#include "load/traffic.h"

namespace timepool::load {
namespace {

// RFC 5905 7.3: the plain header, and where the fields that matter here stand in it.
constexpr std::size_t kHeader = 48;
constexpr std::size_t kStratumAt = 1;
constexpr std::size_t kOriginAt = 24;
constexpr std::size_t kReceiveAt = 32;
constexpr std::size_t kTransmitAt = 40;
// A serial number never has it, so that the timestamp by which an interleaved answer comes back
// differs from that of a basic one.
constexpr std::uint64_t kInterleavedBit = std::uint64_t{1} << 63;
constexpr std::byte kClientV4{0x23};  // leap 0, version 4, mode 3

std::uint64_t u64_at(Bytes bytes, std::size_t position) {
  ByteReader reader(bytes.subspan(position));
  return reader.u64();
}

std::size_t write_request(std::uint64_t token, MutableBytes buffer) {
  ByteWriter writer(buffer);
  writer.u8(std::to_integer<std::uint8_t>(kClientV4));
  writer.zeros(kTransmitAt - 1);
  writer.u64(token);
  return writer.size();
}

}  // namespace

std::size_t NtpTraffic::write(std::uint64_t token, std::uint64_t memory,
                              MutableBytes buffer) const {
  const std::size_t size = write_request(token, buffer);
  if (options_.interleaved && memory != 0) {
    ByteWriter writer(buffer.subspan(kOriginAt));
    writer.u64(memory);
    writer.u64(token | kInterleavedBit);
  }
  if (options_.mac == nullptr) return size;
  ByteWriter key_id(buffer.subspan(size, 4));
  key_id.u32(options_.key_id);
  options_.mac->sign(buffer.first(size), buffer.subspan(size + 4, digest_size()));
  return size + 4 + digest_size();
}

// RFC 7822 7.5: a MAC of version 4 has 24 octets at the most, 4 of them the key's number.
std::size_t NtpTraffic::digest_size() const {
  return std::min<std::size_t>(options_.mac->size(), 20);
}

bool NtpTraffic::authentic(Bytes reply) const {
  if (options_.mac == nullptr) return reply.size() == kHeader;
  if (reply.size() != kHeader + 4 + digest_size()) return false;
  ByteReader reader(reply.subspan(kHeader));
  return reader.u32() == options_.key_id &&
         options_.mac->verify(reply.first(kHeader), reader.rest());
}

Result<NtpTraffic::Options> NtpTraffic::with_key(std::string_view text, Options options) {
  const auto bad = [&](std::string why) {
    return fail(Error{ErrorCode::kInvalid, "key \"" + std::string(text) + "\"", std::move(why)});
  };
  const std::size_t first = text.find(':');
  const std::size_t second = text.find(':', first == text.npos ? first : first + 1);
  if (second == text.npos) return bad("a key is ID:TYPE:HEX");
  const std::string_view id = text.substr(0, first);
  const auto read = std::from_chars(id.data(), id.data() + id.size(), options.key_id);
  if (read.ec != std::errc() || read.ptr != id.data() + id.size() || options.key_id == 0) {
    return bad("the number of a key is 1 to 4294967295");
  }
  const auto type = parse_mac_type(text.substr(first + 1, second - first - 1));
  if (!type) return bad("no such type");
  const auto secret = from_hex(text.substr(second + 1));
  if (!secret.ok()) return bad("the secret is not in hex");
  options.mac = TRY(crypto::make_mac(*type, *secret));
  return options;
}

std::optional<std::uint64_t> NtpTraffic::read_token(Bytes reply) const {
  if (reply.size() < kHeader) return std::nullopt;
  return u64_at(reply, kOriginAt) & ~kInterleavedBit;
}

Judgement NtpTraffic::judge(std::uint64_t token, Bytes reply, std::uint64_t& memory) const {
  memory = 0;
  if (!authentic(reply)) return Judgement::kInvalid;
  const std::uint64_t origin = u64_at(reply, kOriginAt);
  const bool interleaved = options_.interleaved && origin == (token | kInterleavedBit);
  if (origin != token && !interleaved) return Judgement::kInvalid;
  const auto first = std::to_integer<unsigned>(reply[0]);
  const bool server_v4 = (first >> 3 & 7) == 4 && (first & 7) == 4;
  if (!server_v4 || u64_at(reply, kTransmitAt) == 0) return Judgement::kInvalid;
  if (reply[kStratumAt] == std::byte{0}) return Judgement::kRefused;
  memory = u64_at(reply, kReceiveAt);
  return interleaved ? Judgement::kInterleaved : Judgement::kAnswer;
}

std::size_t EchoTraffic::write(std::uint64_t token, MutableBytes buffer) const {
  return write_request(token, buffer);
}

std::optional<std::uint64_t> EchoTraffic::read_token(Bytes reply) const {
  if (reply.size() != kHeader) return std::nullopt;
  return u64_at(reply, kTransmitAt);
}

Judgement EchoTraffic::judge(std::uint64_t token, Bytes reply) const {
  std::byte expected[kMaxRequest];
  const std::size_t size = write_request(token, expected);
  return std::ranges::equal(Bytes(expected, size), reply) ? Judgement::kAnswer
                                                          : Judgement::kInvalid;
}

}  // namespace timepool::load
