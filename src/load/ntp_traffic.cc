#include <algorithm>

#include "base/byte_writer.h"
#include "load/traffic.h"

namespace timepool::load {
namespace {

// RFC 5905 7.3: the plain header, and where the fields that matter here stand in it.
constexpr std::size_t kHeader = 48;
constexpr std::size_t kStratumAt = 1;
constexpr std::size_t kOriginAt = 24;
constexpr std::size_t kTransmitAt = 40;
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

std::size_t NtpTraffic::write(std::uint64_t token, MutableBytes buffer) const {
  return write_request(token, buffer);
}

std::optional<std::uint64_t> NtpTraffic::read_token(Bytes reply) const {
  if (reply.size() < kHeader) return std::nullopt;
  return u64_at(reply, kOriginAt);
}

Judgement NtpTraffic::judge(std::uint64_t token, Bytes reply) const {
  if (reply.size() != kHeader || u64_at(reply, kOriginAt) != token) return Judgement::kInvalid;
  const auto first = std::to_integer<unsigned>(reply[0]);
  const bool server_v4 = (first >> 3 & 7) == 4 && (first & 7) == 4;
  if (!server_v4 || u64_at(reply, kTransmitAt) == 0) return Judgement::kInvalid;
  return reply[kStratumAt] == std::byte{0} ? Judgement::kRefused : Judgement::kAnswer;
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
