#include "crypto/dns_key_bundle.h"

#include <algorithm>
#include <charconv>

#include "base/hex.h"
#include "crypto/aead.h"
#include "crypto/digest.h"
#include "sys/secret_file.h"

namespace timepool::crypto {
namespace {

constexpr std::string_view kFirst = "timepool dnssec keys 1\n";
constexpr std::size_t kNonce = 16;

Bytes octets(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

void wipe_text(std::string& text) {
  wipe(std::as_writable_bytes(std::span(text.data(), text.size())));
}

Error corrupt(std::string why) {
  return Error{ErrorCode::kCorrupt, "sealed keys", std::move(why)};
}

bool travels(const dnssec::PlannedKey& key) {
  return key.wanted || key.published.on() || key.signing.on();
}

std::string part(const char* name, std::string_view text) {
  return std::string(name) + " " + std::to_string(text.size()) + "\n" + std::string(text);
}

// Takes "NAME N\n" and N octets from the front; false when they are not there.
bool take(std::string_view& rest, std::string_view name, std::string_view& out) {
  if (!rest.starts_with(name) || rest.size() <= name.size() || rest[name.size()] != ' ')
    return false;
  std::size_t size = 0;
  const char* begin = rest.data() + name.size() + 1;
  const char* end = rest.data() + rest.size();
  const auto [stop, fault] = std::from_chars(begin, end, size);
  if (fault != std::errc() || stop == end || *stop != '\n') return false;
  const std::size_t head = static_cast<std::size_t>(stop - rest.data()) + 1;
  if (size > rest.size() - head) return false;
  out = rest.substr(head, size);
  rest.remove_prefix(head + size);
  return true;
}

bool holds(const DnsKeyBundle& bundle, const dnssec::PlannedKey& key) {
  return std::any_of(bundle.keys.begin(), bundle.keys.end(), [&](const auto& it) {
    return it->algorithm() == key.algorithm && it->public_key() == key.public_key;
  });
}

Result<DnsKeyBundle> parse_inside(std::string_view rest) {
  DnsKeyBundle out;
  std::string_view text;
  if (!take(rest, "state", text)) return fail(corrupt("no state inside"));
  auto state = dnssec::parse_state(text);
  if (!state.ok()) return fail(corrupt(std::string(dnssec::describe(state.error().fault))));
  out.state = std::move(state).value();
  while (!rest.empty()) {
    if (out.keys.size() == dnssec::KeyPlan::kMaxKeys || !take(rest, "key", text)) {
      return fail(corrupt("rubbish among its keys"));
    }
    out.keys.push_back(TRY(DnsKey::parse(text)));
  }
  for (const dnssec::PlannedKey& key : out.state.record.keys) {
    if (travels(key) && !holds(out, key)) {
      return fail(corrupt("key " + std::to_string(key.tag) + " is missing"));
    }
  }
  return out;
}

}  // namespace

Result<BundleSecret> load_bundle_secret(const std::string& path) {
  constexpr std::size_t kMaxText = 4096;
  std::string text = TRY(sys::read_secret_file(path, kMaxText));
  std::string_view hex = text;
  while (!hex.empty() && (hex.back() == '\n' || hex.back() == '\r')) hex.remove_suffix(1);
  auto bytes = from_hex(hex);
  wipe_text(text);
  BundleSecret out{};
  if (!bytes.ok() || bytes->size() != out.size()) {
    return fail(Error{ErrorCode::kCorrupt, "secret file " + path,
                      "a secret is 64 hexadecimal digits: openssl rand -hex 32"});
  }
  std::copy(bytes->begin(), bytes->end(), out.begin());
  wipe(*bytes);
  return out;
}

Result<DnsKeyBundle> collect_bundle(const DnsKeyDirectory& directory, const std::string& zone) {
  auto state = TRY(directory.read_state(zone));
  if (!state) {
    return fail(Error{ErrorCode::kNotFound, "state of keys " + directory.state_path(zone),
                      "there are no keys of " + zone});
  }
  DnsKeyBundle out;
  out.state = std::move(*state);
  for (const dnssec::PlannedKey& key : out.state.record.keys) {
    if (travels(key)) out.keys.push_back(TRY(directory.load_key(zone, key)));
  }
  return out;
}

Result<void> install_bundle(const DnsKeyDirectory& directory, const DnsKeyBundle& bundle) {
  const std::string& zone = bundle.state.zone;
  const auto there = directory.read_state(zone);
  if (there.ok() && *there && (*there)->record.now > bundle.state.record.now) {
    return fail(Error{ErrorCode::kExists, "state of keys " + directory.state_path(zone),
                      "what is there is of a later time than what is brought"});
  }
  for (const dnssec::PlannedKey& key : bundle.state.record.keys) {
    for (const auto& it : bundle.keys) {
      if (it->algorithm() != key.algorithm || it->public_key() != key.public_key) continue;
      TRY(directory.save_key(zone, key.tag, *it));
    }
  }
  return directory.write_state(bundle.state);
}

Result<std::string> seal_bundle(const DnsKeyBundle& bundle, const BundleSecret& secret,
                                const std::array<std::byte, 16>& nonce) {
  std::string inside = part("state", dnssec::format_state(bundle.state));
  for (const auto& key : bundle.keys) {
    std::string pem = TRY(key->pem());
    inside += part("key", pem);
    wipe_text(pem);
  }
  std::vector<std::byte> sealed(kNonce + inside.size() + kAeadOverhead);
  std::copy(nonce.begin(), nonce.end(), sealed.begin());
  const auto aead = GcryptAeads().make(AeadId::kAesSivCmac256);
  aead->set_key(secret);
  aead->seal(nonce, octets(kFirst), octets(inside), MutableBytes(sealed).subspan(kNonce));
  wipe_text(inside);
  return std::string(kFirst) + to_base64(sealed) + "\n";
}

Result<DnsKeyBundle> open_bundle(std::string_view text, const BundleSecret& secret) {
  if (text.size() > kMaxBundleText || !text.starts_with(kFirst)) {
    return fail(corrupt("it is no file of sealed keys"));
  }
  std::string_view body = text.substr(kFirst.size());
  while (!body.empty() && (body.back() == '\n' || body.back() == '\r')) body.remove_suffix(1);
  const auto sealed = from_base64(body);
  if (!sealed.ok() || sealed->size() < kNonce + kAeadOverhead) {
    return fail(corrupt("it is cut off or damaged"));
  }
  std::string inside(sealed->size() - kNonce - kAeadOverhead, '\0');
  const auto aead = GcryptAeads().make(AeadId::kAesSivCmac256);
  aead->set_key(secret);
  const Bytes all(*sealed);
  if (!aead->open(all.first(kNonce), octets(kFirst), all.subspan(kNonce),
                  std::as_writable_bytes(std::span(inside.data(), inside.size())))) {
    return fail(Error{ErrorCode::kDenied, "sealed keys",
                      "the secret is not that which it was sealed with, or it was changed"});
  }
  auto out = parse_inside(inside);
  wipe_text(inside);
  return out;
}

}  // namespace timepool::crypto
