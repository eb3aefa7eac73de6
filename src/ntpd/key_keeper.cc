#include "ntpd/key_keeper.h"

#include <span>
#include <utility>

#include "crypto/digest.h"
#include "crypto/mac.h"
#include "sys/random.h"
#include "sys/secret_file.h"

namespace timepool::ntpd {
namespace {

// As chronyd: a key of less than 80 bits can be guessed.
constexpr std::size_t kShortKey = 10;

void wipe(std::string& text) {
  crypto::wipe(std::as_writable_bytes(std::span(text.data(), text.size())));
}

void wipe(std::vector<ntp::KeyEntry>& entries) {
  for (ntp::KeyEntry& entry : entries) crypto::wipe(entry.secret);
}

}  // namespace

KeyKeeper::KeyKeeper(sys::Logger& logger) : logger_(logger) {
  sys::fill_random(secret_);
}

Result<std::vector<ntp::KeyEntry>> KeyKeeper::parse(const std::string& path) const {
  std::string text = TRY(sys::read_secret_file(path, ntp::kMaxKeyFileSize));
  auto entries = ntp::parse_key_table(text);
  wipe(text);
  if (!entries.ok()) {
    const ntp::KeyFileFault& fault = entries.error();
    const std::string place = fault.line > 0 ? path + ":" + std::to_string(fault.line) : path;
    return fail(Error{ErrorCode::kInvalid, place, std::string(describe(fault.error))});
  }
  return std::move(entries).value();
}

// Of all that makes a key what it is.
KeyKeeper::Fingerprint KeyKeeper::fingerprint_of(const ntp::KeyEntry& entry) const {
  std::string text(name_of(entry.type));
  for (const Prefix& prefix : entry.allowed) text += " " + format(prefix);
  text += ' ';
  text.append(reinterpret_cast<const char*>(entry.secret.data()), entry.secret.size());
  const Fingerprint out =
      crypto::hmac_sha256(secret_, std::as_bytes(std::span(text.data(), text.size())));
  wipe(text);
  return out;
}

std::uint64_t KeyKeeper::generation_of(const ntp::KeyEntry& entry,
                                       std::map<ntp::KeyId, Known>& next) {
  Known now{fingerprint_of(entry), 0};
  const auto before = known_.find(entry.id);
  const bool same = before != known_.end() && before->second.fingerprint == now.fingerprint;
  now.generation = same ? before->second.generation : ++last_generation_;
  next.emplace(entry.id, now);
  return now.generation;
}

void KeyKeeper::warn(const ntp::KeyEntry& entry, const std::string& place) const {
  if (is_weak(entry.type)) {
    logger_.warning("{}: key {} is {}, which is weak (RFC 8573): use AES128", place, entry.id,
                    name_of(entry.type));
  }
  if (entry.secret.size() < kShortKey) {
    logger_.warning("{}: key {} has {} octets: 10 or more can't be guessed", place, entry.id,
                    entry.secret.size());
  }
}

Result<void> KeyKeeper::read(const config::NtpKeysConfig& config) {
  if (config.file.empty()) {
    ring_.reset();
    known_.clear();
    return {};
  }
  std::vector<ntp::KeyEntry> entries = TRY(parse(config.file));
  std::vector<std::shared_ptr<const ntp::SymmetricKey>> keys;
  std::map<ntp::KeyId, Known> next;
  for (ntp::KeyEntry& entry : entries) {
    const std::string place = config.file + ":" + std::to_string(entry.line);
    if (is_weak(entry.type) && !config.allow_weak) {
      logger_.warning("{}: key {} is {} and left out without allow_weak", place, entry.id,
                      name_of(entry.type));
      continue;
    }
    warn(entry, place);
    auto mac = crypto::make_mac(entry.type, entry.secret);
    if (!mac.ok()) {
      wipe(entries);
      return fail(Error{ErrorCode::kInvalid, place, mac.error().text()});
    }
    const std::uint64_t generation = generation_of(entry, next);
    keys.push_back(std::make_shared<ntp::SymmetricKey>(
        entry.id, entry.type, generation, std::move(entry.allowed), std::move(mac).value()));
  }
  wipe(entries);
  known_ = std::move(next);
  logger_.info("{}: {} keys", config.file, keys.size());
  ring_ = std::make_shared<ntp::KeyRing>(std::move(keys));
  return {};
}

}  // namespace timepool::ntpd
