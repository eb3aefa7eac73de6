#include "dnssec/key_state.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/hex.h"
#include "base/siphash.h"

namespace timepool::dnssec {
namespace {

constexpr std::string_view kFirst = "timepool dnssec state ";
constexpr std::string_view kVersion = "1";
constexpr std::string_view kDigest = "digest ";
// Not a secret: the digest is against damage, not against people.
constexpr SiphashKey kDigestKey{};

std::string digest_of(std::string_view text) {
  const std::uint64_t hash =
      siphash24(kDigestKey, std::as_bytes(std::span(text.data(), text.size())));
  std::array<std::byte, 8> octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) {
    octets[i] = static_cast<std::byte>(hash >> (56 - 8 * i));
  }
  return to_hex(octets);
}

std::string text_of(const std::optional<PlanTime>& time) {
  return time ? std::to_string(*time) : "-";
}

std::string text_of(const char* name, const KeySpan& span) {
  return std::string(" ") + name + " " + text_of(span.from) + " " + text_of(span.until);
}

std::string text_of(const char* name, const HeldTtl& ttl) {
  return std::string("ttl ") + name + " " + std::to_string(ttl.value) + " " +
         std::to_string(ttl.before) + " " + std::to_string(ttl.changed) + "\n";
}

std::string text_of(const PlannedKey& key) {
  std::string out = "key " + std::to_string(key.tag) + " " + std::string(name_of(key.role)) + " " +
                    std::to_string(static_cast<unsigned>(key.algorithm)) + " " +
                    to_base64(key.public_key) + " created " + std::to_string(key.created);
  out += key.wanted ? (key.leave ? " leaving" : " wanted") : " unwanted";
  out += text_of("published", key.published) + text_of("signing", key.signing);
  return out + text_of("offered", key.offered) + text_of("parent", key.at_parent) + "\n";
}

// The words of one line, with a sticky error.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}

  std::string_view next() {
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view out = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (out.empty()) ok_ = false;
    return out;
  }
  void expect(std::string_view word) {
    if (next() != word) ok_ = false;
  }
  std::int64_t number(std::int64_t max) {
    const std::string_view text = next();
    std::int64_t out = -1;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (fault != std::errc() || end != text.data() + text.size() || out < 0 || out > max) {
      ok_ = false;
      return 0;
    }
    return out;
  }
  PlanTime time() { return number(kMaxTime); }
  KeySpan span(std::string_view name) {
    expect(name);
    KeySpan out;
    out.from = maybe_time();
    out.until = maybe_time();
    if (out.until && (!out.from || *out.until < *out.from)) ok_ = false;
    return out;
  }
  void fail() { ok_ = false; }
  // All was right and nothing is left.
  bool done() const { return ok_ && rest_.empty(); }

 private:
  // Seconds that a time in nanoseconds can hold.
  static constexpr std::int64_t kMaxTime = 9'000'000'000;

  std::optional<PlanTime> maybe_time() {
    if (!rest_.starts_with("- ") && rest_ != "-") return time();
    next();
    return std::nullopt;
  }

  std::string_view rest_;
  bool ok_ = true;
};

std::optional<KeyRole> role_named(std::string_view name) {
  for (const KeyRole role : {KeyRole::kKsk, KeyRole::kZsk, KeyRole::kCsk}) {
    if (name == name_of(role)) return role;
  }
  return std::nullopt;
}

std::size_t key_size(Algorithm algorithm) {
  return algorithm == Algorithm::kEd25519 ? 32 : 64;
}

bool read_public_key(Words& words, PlannedKey& key) {
  const auto role = role_named(words.next());
  const std::int64_t algorithm = words.number(255);
  auto octets = from_base64(words.next());
  if (!role || !octets.ok()) return false;
  key.role = *role;
  key.algorithm = static_cast<Algorithm>(algorithm);
  if (key.algorithm != Algorithm::kEcdsaP256Sha256 && key.algorithm != Algorithm::kEd25519) {
    return false;
  }
  key.public_key = std::move(octets).value();
  return key.public_key.size() == key_size(key.algorithm);
}

bool read_key(Words& words, KeyRecord& record) {
  PlannedKey key;
  key.tag = static_cast<std::uint16_t>(words.number(0xffff));
  if (!read_public_key(words, key)) return false;
  words.expect("created");
  key.created = words.time();
  const std::string_view wanted = words.next();
  if (wanted != "wanted" && wanted != "leaving" && wanted != "unwanted") return false;
  key.wanted = wanted != "unwanted";
  key.leave = wanted == "leaving";
  key.published = words.span("published");
  key.signing = words.span("signing");
  key.offered = words.span("offered");
  key.at_parent = words.span("parent");
  record.keys.push_back(std::move(key));
  return words.done();
}

bool read_ttl(Words& words, KeyRecord& record) {
  constexpr std::int64_t kMaxTtl = 0x7fff'ffff;  // RFC 2181 8
  const std::string_view name = words.next();
  HeldTtl* out = name == "dnskey" ? &record.dnskey_ttl
                 : name == "data" ? &record.max_zone_ttl
                 : name == "ds"   ? &record.ds_ttl
                                  : nullptr;
  if (out == nullptr) return false;
  out->value = static_cast<std::uint32_t>(words.number(kMaxTtl));
  out->before = static_cast<std::uint32_t>(words.number(kMaxTtl));
  out->changed = words.time();
  return words.done();
}

bool read_clock(Words& words, ClockMark& mark) {
  const auto boot = from_hex(words.next());
  if (!boot.ok() || boot->size() != mark.boot.size()) return false;
  std::copy(boot->begin(), boot->end(), mark.boot.begin());
  mark.since_boot = Duration::nanoseconds(words.number(Duration::max().ns()));
  return words.done();
}

std::optional<StateFault> read_line(std::string_view line, KeyStateFile& out) {
  Words words(line);
  const std::string_view what = words.next();
  bool right = false;
  if (what == "zone") {
    out.zone = words.next();
    right = words.done();
  } else if (what == "time") {
    out.record.now = words.time();
    const std::string_view kind = words.next();
    out.record.unsign = kind == "unsign";
    right = words.done() && (out.record.unsign || kind == "signed");
  } else if (what == "clock") {
    right = read_clock(words, out.mark);
  } else if (what == "ttl") {
    right = read_ttl(words, out.record);
  } else if (what == "key") {
    if (out.record.keys.size() == KeyPlan::kMaxKeys) return StateFault::kTooMany;
    right = read_key(words, out.record);
  } else {
    return StateFault::kBadLine;
  }
  if (!right) return StateFault::kBadNumber;
  const auto& keys = out.record.keys;
  const bool twice =
      !keys.empty() && std::any_of(keys.begin(), keys.end() - 1,
                                   [&](const auto& it) { return it.tag == keys.back().tag; });
  if (twice) return StateFault::kTooMany;
  return std::nullopt;
}

// The lines before the digest, which is right.
Result<std::string_view, StateError> body_of(std::string_view text) {
  if (text.size() > kMaxStateText) return fail(StateError{StateFault::kTooLong});
  if (!text.starts_with(kFirst)) return fail(StateError{StateFault::kNotOurs, 1});
  const std::string_view version = text.substr(kFirst.size(), text.find('\n') - kFirst.size());
  if (version != kVersion) return fail(StateError{StateFault::kVersion, 1});
  const std::size_t last = text.rfind(std::string("\n") + std::string(kDigest));
  if (last == std::string_view::npos || text.back() != '\n') {
    return fail(StateError{StateFault::kTruncated});
  }
  const std::string_view body = text.substr(0, last + 1);
  const std::string_view digest = text.substr(last + 1 + kDigest.size());
  if (digest.substr(0, digest.size() - 1) != digest_of(body)) {
    return fail(StateError{StateFault::kDigest});
  }
  return body;
}

}  // namespace

std::string_view describe(StateFault fault) {
  constexpr std::array<std::string_view, kStateFaultCount> kTexts{
      "it is no state of DNSSEC keys",
      "it is of a later version of this program",
      "the file is cut off",
      "its digest does not match: it is damaged, or was changed by hand",
      "a line is none of such a file",
      "a line has a number, a word or a key that can't be",
      "more keys than a zone may have, or two with one tag",
      "it is too long for such a file",
  };
  return kTexts[static_cast<std::size_t>(fault)];
}

std::string format_state(const KeyStateFile& state) {
  std::string out = std::string(kFirst) + std::string(kVersion) + "\n";
  out += "zone " + state.zone + "\n";
  out += "time " + std::to_string(state.record.now);
  out += state.record.unsign ? " unsign\n" : " signed\n";
  out +=
      "clock " + to_hex(state.mark.boot) + " " + std::to_string(state.mark.since_boot.ns()) + "\n";
  out += text_of("dnskey", state.record.dnskey_ttl) + text_of("data", state.record.max_zone_ttl);
  out += text_of("ds", state.record.ds_ttl);
  for (const PlannedKey& key : state.record.keys) out += text_of(key);
  return with_digest(std::move(out));
}

std::string with_digest(std::string lines) {
  const std::string digest = digest_of(lines);
  return std::move(lines) + std::string(kDigest) + digest + "\n";
}

Result<KeyStateFile, StateError> parse_state(std::string_view text) {
  std::string_view body = TRY(body_of(text));
  KeyStateFile out;
  for (std::uint16_t number = 1; !body.empty(); ++number) {
    const std::string_view line = body.substr(0, body.find('\n'));
    body.remove_prefix(line.size() + 1);
    if (number == 1) continue;
    if (const auto fault = read_line(line, out)) return fail(StateError{*fault, number});
  }
  if (out.zone.empty()) return fail(StateError{StateFault::kBadLine});
  return out;
}

PlanClock::PlanClock(PlanTime time, const ClockMark& written, const ClockMark& now)
    : time_(Duration::seconds(time)), mark_(now) {
  const bool same_run = written.boot == now.boot && written.boot != ClockMark{}.boot;
  if (same_run && now.since_boot > written.since_boot) time_ += now.since_boot - written.since_boot;
}

PlanTime PlanClock::advance(const ClockMark& now) {
  if (now.since_boot > mark_.since_boot) {
    time_ += now.since_boot - mark_.since_boot;
    mark_ = now;
  }
  return time_.ns() / 1'000'000'000;
}

}  // namespace timepool::dnssec
