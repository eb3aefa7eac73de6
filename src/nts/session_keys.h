// SessionKeys: what a key establishment yields (RFC 8915 4.2, 5.1): the two keys by which a client
// and a server prove their packets to each other. A cookie holds them for the server.
#pragma once

#include <array>
#include <compare>
#include <cstddef>

#include "base/aead.h"
#include "base/byte_reader.h"

namespace timepool::nts {

struct SessionKeys {
  AeadId aead = AeadId::kAesSivCmac256;
  // The first key_size(aead) octets of each count, the others are zero.
  std::array<std::byte, kMaxAeadKey> client_to_server{};
  std::array<std::byte, kMaxAeadKey> server_to_client{};

  Bytes c2s() const { return Bytes(client_to_server).first(key_size(aead)); }
  Bytes s2c() const { return Bytes(server_to_client).first(key_size(aead)); }
  friend bool operator==(const SessionKeys&, const SessionKeys&) = default;
};

}  // namespace timepool::nts
