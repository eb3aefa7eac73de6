// TSIG (RFC 8945): who a request is from, and the proof on its answer. Digests come by base/mac.h;
// what computes them is in src/crypto.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "base/mac.h"
#include "base/result.h"
#include "wire/dns/name.h"
#include "wire/dns/tsig.h"

namespace timepool::dns {

struct TsigKey {
  std::string title;  // as the settings name it
  wire::dns::DnsName name;
  wire::dns::DnsName algorithm;  // "hmac-sha256."
  std::shared_ptr<const Mac> mac;
};

// A message's digest, with what it is of; the next one of the same stream begins with it.
using TsigMac = std::vector<std::byte>;

// A request with TSIG.
struct TsigRequest {
  const TsigKey* key = nullptr;  // that it is proved with; null where there is an error
  wire::dns::TsigError error = wire::dns::TsigError::kNone;
  wire::dns::DnsName key_name;
  wire::dns::DnsName algorithm;
  TsigMac mac;
  std::uint64_t time = 0;
  std::uint16_t original_id = 0;
  std::uint16_t fudge = 0;
};

// Judges the TSIG record at `offset` of the message (RFC 8945 5.2). `now` is in Unix seconds.
// Errors: what is wrong with the record's form (FORMERR).
Result<TsigRequest, wire::dns::Malformed> check_tsig(Bytes message, std::size_t offset,
                                                     std::span<const TsigKey> keys,
                                                     std::uint64_t now);

// Signs the messages of one answer, in their order.
class TsigSigner {
 public:
  // Of the answer to `request`; its key outlives this. With an error other than BADTIME the answer
  // has a TSIG record without a digest (5.3.2).
  explicit TsigSigner(TsigRequest request) : request_(std::move(request)) {}
  // Of a request of our own.
  TsigSigner(const TsigKey& key, std::uint64_t now);

  // What sign() adds to a message, at the most.
  std::size_t size() const;
  // Signs the first `size` octets of `message` and adds the record behind them: returns the new
  // size. CHECKs the room.
  std::size_t sign(MutableBytes message, std::size_t size, std::uint64_t now);
  // The digest of the last message signed.
  const TsigMac& last() const { return request_.mac; }

 private:
  wire::dns::Tsig record(std::uint64_t now) const;

  TsigRequest request_;
  bool first_ = true;
};

// Whether `message` is the answer, proved with `key`, to the request that had the digest `request`.
bool verify_answer(Bytes message, std::size_t tsig_offset, const TsigKey& key,
                   const TsigMac& request, std::uint64_t now);

}  // namespace timepool::dns
