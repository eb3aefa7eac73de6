#include "service/secrets.h"

#include <array>
#include <span>

#include "base/hex.h"
#include "crypto/digest.h"
#include "sys/random.h"

namespace timepool::service {
namespace {

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

std::string random_token() {
  std::array<std::byte, 32> bytes{};
  sys::fill_random(bytes);
  return to_hex(bytes);
}

std::string sha256_hex(std::string_view text) {
  return to_hex(crypto::sha256(bytes_of(text)));
}

bool equal_secrets(std::string_view a, std::string_view b) {
  return crypto::equal_constant_time(bytes_of(a), bytes_of(b));
}

}  // namespace timepool::service
