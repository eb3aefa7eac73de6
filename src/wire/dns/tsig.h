// The TSIG record (RFC 8945 4.2) and what a message's digest covers of it. Only the form: keys and
// digests are dns/transfer/tsig.h's.
#pragma once

#include <cstdint>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/result.h"
#include "wire/dns/name.h"

namespace timepool::wire::dns {

// RFC 8945 3, as they stand in the record; 0: none.
enum class TsigError : std::uint16_t { kNone = 0, kBadSig = 16, kBadKey = 17, kBadTime = 18 };

struct Tsig {
  DnsName key;
  DnsName algorithm;
  std::uint64_t time = 0;     // Unix seconds, 48 bits
  std::uint16_t fudge = 300;  // seconds
  Bytes mac;
  std::uint16_t original_id = 0;
  TsigError error = TsigError::kNone;
  Bytes other;  // with BADTIME the server's time, 48 bits
};

// The record at `offset` of `message`, which must be its end. Its views lead into the message.
// Errors: the name's, kShortRecord, kRdata*.
Result<Tsig, Malformed> parse_tsig(Bytes message, std::size_t offset);
// The whole record.
void write_tsig(ByteWriter& writer, const Tsig& tsig);
std::size_t tsig_size(const Tsig& tsig);

// RFC 8945 4.3.3: all the variables; 5.3.1: the timers only, in messages behind the first.
void write_tsig_variables(ByteWriter& writer, const Tsig& tsig);
void write_tsig_timers(ByteWriter& writer, const Tsig& tsig);

}  // namespace timepool::wire::dns
