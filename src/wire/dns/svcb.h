// Service parameters of SVCB and HTTPS records (RFC 9460 2.2, 7, 8; dohpath of RFC 9461, ohttp of
// RFC 9540).
#pragma once

#include <cstdint>
#include <string>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "wire/dns/rdata.h"

namespace timepool::wire::dns {

// Any 16-bit value is a key.
enum class SvcbKey : std::uint16_t {
  kMandatory = 0,
  kAlpn = 1,
  kNoDefaultAlpn = 2,
  kPort = 3,
  kIpv4Hint = 4,
  kEch = 5,
  kIpv6Hint = 6,
  kDohPath = 7,
  kOhttp = 8,
};

struct SvcbParam {
  SvcbKey key = SvcbKey::kMandatory;
  Bytes value;
};

// The next parameter; kSvcbValue when it ends behind the data.
Result<SvcbParam, Malformed> next_param(ByteReader& params);
// Order and each known value's format. Errors: kSvcbOrder, kSvcbValue.
Result<void, Malformed> check_params(Bytes params);
// RFC 9460 2.4.3: every mandatory key is there, and alpn where no-default-alpn is: what a zone must
// hold to before it publishes the record. Errors: kSvcbInconsistent.
Result<void, Malformed> check_consistent(Bytes params);
// The value of `key`; data() is null when there is none.
Bytes param_value(Bytes params, SvcbKey key);
void write_param(ByteWriter& writer, SvcbKey key, Bytes value);

// "port", "key667".
std::string format(SvcbKey key);
// "alpn=\"h2,h3\" port=8443", as dig has it.
std::string format_params(Bytes params);

}  // namespace timepool::wire::dns
