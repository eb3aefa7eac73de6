#include "nts/key_chain.h"

#include <algorithm>
#include <optional>

#include "base/byte_writer.h"
#include "base/check.h"
#include "base/hex.h"

namespace timepool::nts {
namespace {

constexpr std::string_view kFirstLine = "timepool-nts-cookies 1";
constexpr std::string_view kLastLine = "end";
// No clock of 64 bits of nanoseconds gets there.
constexpr std::uint64_t kMaxSeconds = 9'000'000'000;

// RFC 5869 2.3 for 32 octets: one block, numbered 1.
ChainSecret expand(const ChainSecret& secret, std::string_view info, HmacSha256 hmac) {
  std::array<std::byte, 64> message{};
  ByteWriter writer(message);
  writer.text(info);
  writer.u8(1);
  CHECK(writer.ok());
  return hmac(secret, writer.written());
}

// The compiler may not leave it out: what is written is looked at, so far as it can tell.
void overwrite(ChainSecret& secret) {
  secret.fill(std::byte{0});
  asm volatile("" : : "r"(secret.data()) : "memory");
}

std::uint64_t seconds_of(Duration rotation) {
  return static_cast<std::uint64_t>(rotation.ns() / 1'000'000'000);
}

std::uint64_t epoch_of(UnixTime now, Duration rotation) {
  const std::int64_t ns = std::max<std::int64_t>(now.ns(), 0);
  return static_cast<std::uint64_t>(ns / rotation.ns());
}

bool is_rotation(Duration rotation) {
  return rotation >= kMinRotation && rotation <= kMaxRotation && rotation.ns() % 1'000'000'000 == 0;
}

// Line by line; the last one needs its end too, so that a file that is cut off is seen.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  std::optional<std::string_view> next() {
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view out = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return out;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// "NAME VALUE"; nothing when it has another name.
std::optional<std::string_view> value_of(std::string_view line, std::string_view name) {
  if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ' ') {
    return std::nullopt;
  }
  return line.substr(name.size() + 1);
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  if (text.empty() || text.size() > 10) return std::nullopt;
  std::uint64_t out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    out = out * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return out;
}

bool read_hex(std::string_view text, MutableBytes out) {
  auto octets = from_hex(text);
  if (!octets.ok() || octets->size() != out.size()) return false;
  std::copy(octets->begin(), octets->end(), out.begin());
  std::fill(octets->begin(), octets->end(), std::byte{0});
  return true;
}

std::array<std::byte, 4> id_octets(std::uint32_t id) {
  std::array<std::byte, 4> out{};
  ByteWriter writer(out);
  writer.u32(id);
  return out;
}

// "ID SECRET", 8 and 64 digits.
bool read_key(std::string_view text, CookieKey& out) {
  std::array<std::byte, 4> id{};
  if (text.size() < 9 || text[8] != ' ') return false;
  if (!read_hex(text.substr(0, 8), id) || !read_hex(text.substr(9), out.secret)) return false;
  ByteReader reader(id);
  out.id = reader.u32();
  return true;
}

}  // namespace

std::string_view describe(ChainFault fault) {
  switch (fault) {
    case ChainFault::kNotOurs:
      return "not a file of cookie keys: it does not begin with \"timepool-nts-cookies 1\"";
    case ChainFault::kTruncated:
      return "the file is cut off: it has no \"end\"";
    case ChainFault::kBadLine:
      return "a line that does not belong there";
    case ChainFault::kBadNumber:
      return "a number or key that can't be";
    case ChainFault::kTooManyKeys:
      return "too many past keys";
    case ChainFault::kTooLong:
      break;
  }
  return "the file is too long";
}

KeyChain KeyChain::begin(const ChainSecret& secret, Duration rotation, UnixTime now) {
  CHECK(is_rotation(rotation));
  KeyChain out;
  out.rotation_ = rotation;
  out.secret_ = secret;
  out.epoch_ = epoch_of(now, rotation);
  return out;
}

CookieKey KeyChain::derive(const ChainSecret& secret, HmacSha256 hmac) const {
  CookieKey out;
  out.secret = expand(secret, "timepool nts cookie key", hmac);
  const ChainSecret id = expand(secret, "timepool nts cookie key id", hmac);
  ByteReader reader(id);
  out.id = reader.u32();
  return out;
}

void KeyChain::look_ahead(HmacSha256 hmac) {
  current_ = derive(secret_, hmac);
  ChainSecret next = expand(secret_, "timepool nts next secret", hmac);
  next_ = derive(next, hmac);
  overwrite(next);
  ready_ = true;
}

void KeyChain::forget(std::size_t past) {
  while (past_.size() > past) {
    overwrite(past_.back().secret);
    past_.pop_back();
  }
}

ChainStep KeyChain::advance(UnixTime now, std::size_t past, HmacSha256 hmac) {
  CHECK(past <= kMaxPastKeys);
  const std::uint64_t target = epoch_of(now, rotation_);
  if (target > epoch_ && target - epoch_ > kMaxEpochsAtOnce) return ChainStep::kTooFar;
  const bool changes = !ready_ || target > epoch_ || past_.size() > past;
  for (; epoch_ < target; ++epoch_) {
    StaticVector<CookieKey, kMaxPastKeys> kept;
    static_cast<void>(kept.push_back(derive(secret_, hmac)));
    for (const CookieKey& it : past_) static_cast<void>(kept.push_back(it));
    past_ = kept;
    ChainSecret next = expand(secret_, "timepool nts next secret", hmac);
    secret_ = next;
    overwrite(next);
  }
  forget(past);
  if (changes) look_ahead(hmac);
  return changes ? ChainStep::kRotated : ChainStep::kSame;
}

UnixTime KeyChain::next_epoch() const {
  return UnixTime::from_seconds(static_cast<std::int64_t>((epoch_ + 1) * seconds_of(rotation_)));
}

CookieKeys KeyChain::keys(std::uint64_t serial) const {
  CHECK(ready_);
  CookieKeys out;
  out.serial = serial;
  CHECK(out.keys.push_back(next_) && out.keys.push_back(current_));
  for (const CookieKey& it : past_) CHECK(out.keys.push_back(it));
  return out;
}

KeyChain KeyChain::succeeded_by(const ChainSecret& secret, Duration rotation, UnixTime now) const {
  KeyChain out = begin(secret, rotation, now);
  out.take_past(*this);
  return out;
}

void KeyChain::take_past(const KeyChain& before) {
  CHECK(before.ready_);
  StaticVector<CookieKey, kMaxPastKeys> kept;
  CHECK(kept.push_back(before.current_) && kept.push_back(before.next_));
  for (const CookieKey& it : before.past_) static_cast<void>(kept.push_back(it));
  for (const CookieKey& it : past_) static_cast<void>(kept.push_back(it));
  past_ = kept;
}

std::string KeyChain::text() const {
  std::string out(kFirstLine);
  out += "\nrotation " + std::to_string(seconds_of(rotation_)) + "\nepoch " +
         std::to_string(epoch_) + "\nsecret " + to_hex(secret_) + '\n';
  for (const CookieKey& it : past_) {
    out += "past " + to_hex(id_octets(it.id)) + ' ' + to_hex(it.secret) + '\n';
  }
  return out + std::string(kLastLine) + '\n';
}

Result<KeyChain, ChainFault> KeyChain::parse(std::string_view text) {
  if (text.size() > kMaxChainText) return fail(ChainFault::kTooLong);
  Lines lines(text);
  if (lines.next() != kFirstLine) return fail(ChainFault::kNotOurs);
  KeyChain out;
  std::array<std::string_view, 3> values;
  constexpr std::array<std::string_view, 3> kNames = {"rotation", "epoch", "secret"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const auto line = lines.next();
    if (!line) return fail(ChainFault::kTruncated);
    const auto value = value_of(*line, kNames[i]);
    if (!value) return fail(ChainFault::kBadLine);
    values[i] = *value;
  }
  const auto rotation = number_of(values[0]);
  const auto epoch = number_of(values[1]);
  if (!rotation || !epoch || !read_hex(values[2], out.secret_)) return fail(ChainFault::kBadNumber);
  if (*rotation > seconds_of(kMaxRotation)) return fail(ChainFault::kBadNumber);
  out.rotation_ = Duration::seconds(static_cast<std::int64_t>(*rotation));
  out.epoch_ = *epoch;
  if (!is_rotation(out.rotation_) || *epoch > kMaxSeconds / *rotation) {
    return fail(ChainFault::kBadNumber);
  }
  for (auto line = lines.next(); line != kLastLine; line = lines.next()) {
    if (!line) return fail(ChainFault::kTruncated);
    const auto value = value_of(*line, "past");
    CookieKey key;
    if (!value) return fail(ChainFault::kBadLine);
    if (!read_key(*value, key)) return fail(ChainFault::kBadNumber);
    if (!out.past_.push_back(key)) return fail(ChainFault::kTooManyKeys);
  }
  if (!lines.at_end()) return fail(ChainFault::kBadLine);
  return out;
}

bool KeyChain::same_seed(const KeyChain& other) const {
  return rotation_ == other.rotation_ && epoch_ == other.epoch_ && secret_ == other.secret_;
}

void KeyChain::wipe() {
  overwrite(secret_);
  overwrite(next_.secret);
  overwrite(current_.secret);
  forget(0);
}

}  // namespace timepool::nts
