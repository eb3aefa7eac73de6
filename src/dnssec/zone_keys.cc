#include "dnssec/zone_keys.h"

#include "wire/dns/rdata.h"

namespace timepool::dnssec {
namespace {

wire::dns::Dnskey dnskey_of(const ZoneKey& key) {
  wire::dns::Dnskey out;
  out.flags = key.flags;
  out.algorithm = static_cast<std::uint8_t>(key.algorithm);
  out.key = key.public_key;
  return out;
}

}  // namespace

std::vector<std::byte> dnskey_data(const ZoneKey& key) {
  constexpr std::size_t kHead = 4;  // flags, protocol, algorithm
  std::vector<std::byte> out(kHead + key.public_key.size());
  ByteWriter writer(out);
  write_rdata(writer, dnskey_of(key));
  return out;
}

std::uint16_t key_tag(const ZoneKey& key) {
  return wire::dns::key_tag(dnskey_of(key));
}

}  // namespace timepool::dnssec
