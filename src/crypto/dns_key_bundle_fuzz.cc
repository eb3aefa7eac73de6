// Any text as sealed keys, and any text inside them, as who has the secret may have written it: an
// error, or keys that are sealed and opened again to the same. In the input as the inside "@key"
// and
// "@state" stand for what belongs there, so that whole bundles are reached.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/hex.h"
#include "crypto/aead.h"
#include "crypto/dns_key_bundle.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file
using namespace timepool::crypto;

constexpr std::string_view kFirst = "timepool dnssec keys 1\n";
// The example key of RFC 8080 6.1, which keeps nothing secret.
constexpr std::string_view kPem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIDgyMjYwMzg0NjI4MDgwMTIyNjQ1MTkwMjA0MTQyMjYy\n"
    "-----END PRIVATE KEY-----\n";

std::string sealed(std::string_view inside, const BundleSecret& secret) {
  const std::array<std::byte, 16> nonce{};
  std::vector<std::byte> out(nonce.size() + inside.size() + kAeadOverhead);
  const auto aead = GcryptAeads().make(AeadId::kAesSivCmac256);
  aead->set_key(secret);
  const auto octets = [](std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
  };
  aead->seal(nonce, octets(kFirst), octets(inside), MutableBytes(out).subspan(nonce.size()));
  return std::string(kFirst) + to_base64(out) + "\n";
}

std::string part(std::string_view name, std::string_view text) {
  return std::string(name) + " " + std::to_string(text.size()) + "\n" + std::string(text);
}

// "@key" becomes the part of a key, "@state" the head of a state that goes on up to the next one.
std::string inside_of(std::string_view input) {
  std::string out;
  constexpr std::string_view kState = "@state\n";
  constexpr std::string_view kKey = "@key\n";
  while (!input.empty()) {
    if (input.starts_with(kKey)) {
      out += part("key", kPem);
      input.remove_prefix(kKey.size());
    } else if (input.starts_with(kState)) {
      input.remove_prefix(kState.size());
      const std::string_view text = input.substr(0, input.find(kKey));
      out += part("state", text);
      input.remove_prefix(text.size());
    } else {
      out += input.front();
      input.remove_prefix(1);
    }
  }
  return out;
}

void check(const std::string& text, const BundleSecret& secret) {
  const auto bundle = open_bundle(text, secret);
  if (!bundle.ok()) {
    CHECK(!bundle.error().text().empty());
    return;
  }
  const auto again = seal_bundle(*bundle, secret, {});
  CHECK(again.ok());
  const auto opened = open_bundle(*again, secret);
  CHECK(opened.ok() && opened->keys.size() == bundle->keys.size());
  CHECK(dnssec::format_state(opened->state) == dnssec::format_state(bundle->state));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const BundleSecret secret{};
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  CHECK(!open_bundle(input, secret).ok() || input.starts_with(kFirst));
  check(sealed(inside_of(input), secret), secret);
  return 0;
}
