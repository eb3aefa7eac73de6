#include "dns/transfer/tsig.h"

#include <array>

#include "base/check.h"
#include "wire/dns/constants.h"

namespace timepool::dns {
namespace {

using wire::dns::Tsig;
using wire::dns::TsigError;

// Time in 48 bits.
constexpr std::size_t kTimeSize = 6;
std::array<std::byte, kTimeSize> time_octets(std::uint64_t time) {
  std::array<std::byte, kTimeSize> out;
  for (std::size_t i = 0; i < kTimeSize; ++i) {
    out[i] = static_cast<std::byte>(time >> (8 * (kTimeSize - 1 - i)) & 0xff);
  }
  return out;
}

// RFC 8945 4.3: the request's digest with its length where there is one, the message as it was
// before TSIG was added, and the record's variables or timers.
std::vector<std::byte> digested(const TsigMac& prior, Bytes message, const Tsig& tsig,
                                bool timers_only) {
  std::vector<std::byte> out(2 + prior.size() + message.size() + 2 * wire::dns::kMaxName + 32 +
                             tsig.other.size());
  ByteWriter writer(out);
  if (!prior.empty()) {
    writer.u16(static_cast<std::uint16_t>(prior.size()));
    writer.bytes(prior);
  }
  writer.bytes(message);
  if (timers_only) {
    write_tsig_timers(writer, tsig);
  } else {
    write_tsig_variables(writer, tsig);
  }
  CHECK(writer.ok());
  out.resize(writer.size());
  return out;
}

// `message` up to its TSIG record, as it was before that was added.
std::vector<std::byte> without_tsig(Bytes message, std::size_t offset, std::uint16_t id) {
  std::vector<std::byte> out(message.begin(),
                             message.begin() + static_cast<std::ptrdiff_t>(offset));
  ByteReader header(message);
  header.seek(10);
  const auto additional = static_cast<std::uint16_t>(header.u16() - 1);
  out[0] = static_cast<std::byte>(id >> 8);
  out[1] = static_cast<std::byte>(id & 0xff);
  out[10] = static_cast<std::byte>(additional >> 8);
  out[11] = static_cast<std::byte>(additional & 0xff);
  return out;
}

bool in_time(std::uint64_t signed_at, std::uint16_t fudge, std::uint64_t now) {
  return (now > signed_at ? now - signed_at : signed_at - now) <= fudge;
}

const TsigKey* find_key(std::span<const TsigKey> keys, const Tsig& tsig) {
  for (const TsigKey& key : keys) {
    if (key.name == tsig.key && key.algorithm == tsig.algorithm) return &key;
  }
  return nullptr;
}

}  // namespace

Result<TsigRequest, wire::dns::Malformed> check_tsig(Bytes message, std::size_t offset,
                                                     std::span<const TsigKey> keys,
                                                     std::uint64_t now) {
  const Tsig tsig = TRY(wire::dns::parse_tsig(message, offset));
  TsigRequest out;
  out.key_name = tsig.key;
  out.algorithm = tsig.algorithm;
  out.time = tsig.time;
  out.original_id = tsig.original_id;
  out.fudge = tsig.fudge;
  // 5.2.1, 5.2.2, 5.2.3, in this order.
  const TsigKey* key = find_key(keys, tsig);
  if (key == nullptr) {
    out.error = TsigError::kBadKey;
    return out;
  }
  // Digests cut short are not taken (5.2.2.1 lets us): their lengths are a form error.
  if (tsig.mac.size() > key->mac->size()) return fail(wire::dns::Malformed::kRdataLong);
  const auto data = digested({}, without_tsig(message, offset, tsig.original_id), tsig, false);
  if (tsig.mac.size() != key->mac->size() || !key->mac->verify(data, tsig.mac)) {
    out.error = TsigError::kBadSig;
    return out;
  }
  out.mac.assign(tsig.mac.begin(), tsig.mac.end());
  out.key = key;
  if (!in_time(tsig.time, tsig.fudge, now)) out.error = TsigError::kBadTime;
  return out;
}

TsigSigner::TsigSigner(const TsigKey& key, std::uint64_t now) {
  request_.key = &key;
  request_.key_name = key.name;
  request_.algorithm = key.algorithm;
  request_.time = now;
}

wire::dns::Tsig TsigSigner::record(std::uint64_t now) const {
  Tsig out;
  out.key = request_.key_name;
  out.algorithm = request_.algorithm;
  out.time = now;
  out.error = request_.error;
  return out;
}

std::size_t TsigSigner::size() const {
  return wire::dns::tsig_size(record(0)) + kMaxMacDigest + kTimeSize;
}

std::size_t TsigSigner::sign(MutableBytes message, std::size_t size, std::uint64_t now) {
  CHECK(size >= wire::dns::kHeaderSize && message.size() - size >= this->size());
  Tsig tsig = record(now);
  tsig.original_id = static_cast<std::uint16_t>(std::to_integer<unsigned>(message[0]) << 8 |
                                                std::to_integer<unsigned>(message[1]));
  const auto server_time = time_octets(now);
  if (request_.error == TsigError::kBadTime) {
    // 5.2.3: the client's time signed, the server's beside it.
    tsig.time = request_.time;
    tsig.other = server_time;
  }
  std::array<std::byte, kMaxMacDigest> digest;
  if (request_.key != nullptr) {
    const auto data = digested(request_.mac, message.first(size), tsig, !first_);
    const auto mac = MutableBytes(digest).first(request_.key->mac->size());
    request_.key->mac->sign(data, mac);
    tsig.mac = mac;
    request_.mac.assign(mac.begin(), mac.end());
  }
  first_ = false;
  ByteWriter writer(message.subspan(size));
  write_tsig(writer, tsig);
  CHECK(writer.ok());
  const unsigned additional =
      (std::to_integer<unsigned>(message[10]) << 8 | std::to_integer<unsigned>(message[11])) + 1;
  message[10] = static_cast<std::byte>(additional >> 8 & 0xff);
  message[11] = static_cast<std::byte>(additional & 0xff);
  return size + writer.size();
}

bool verify_answer(Bytes message, std::size_t tsig_offset, const TsigKey& key,
                   const TsigMac& request, std::uint64_t now) {
  const auto tsig = wire::dns::parse_tsig(message, tsig_offset);
  if (!tsig.ok() || !(tsig->key == key.name) || !(tsig->algorithm == key.algorithm)) return false;
  if (tsig->mac.size() != key.mac->size() || !in_time(tsig->time, tsig->fudge, now)) return false;
  const auto data =
      digested(request, without_tsig(message, tsig_offset, tsig->original_id), *tsig, false);
  return key.mac->verify(data, tsig->mac);
}

}  // namespace timepool::dns
