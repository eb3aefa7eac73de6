#include "acme/saved_state.h"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "acme/json_fields.h"
#include "acme/message.h"
#include "acme/resources.h"

namespace timepool::acme {
namespace {

namespace json = boost::json;

// Octets of texts for a person, ids and profiles.
constexpr std::size_t kMaxText = 4096;

json::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}

void put(json::object& out, const char* key, std::string_view text) {
  if (!text.empty()) out[key] = view(text);
}

void put(json::object& out, const char* key, const std::optional<UnixTime>& time) {
  if (time) out[key] = format_utc(*time, 0);
}

json::object object_of(const SavedAuthority& authority) {
  json::object out;
  put(out, "directory", authority.directory);
  put(out, "account", authority.account);
  if (authority.failures > 0) out["failures"] = authority.failures;
  put(out, "next_try", authority.next_try);
  if (const auto& last = authority.last_failure) {
    json::object failure;
    put(failure, "at", std::optional(last->at));
    put(failure, "kind", name_of(last->kind));
    put(failure, "text", plain(last->text, kMaxText));
    out["last_failure"] = std::move(failure);
  }
  return out;
}

json::object object_of(const SavedCertificate& certificate) {
  json::object out;
  put(out, "directory", certificate.directory);
  json::array names;
  for (const std::string& name : certificate.names) names.emplace_back(view(name));
  out["names"] = std::move(names);
  out["id"] = view(certificate.id);
  put(out, "not_before", std::optional(certificate.not_before));
  put(out, "not_after", std::optional(certificate.not_after));
  put(out, "renew_at", std::optional(certificate.renew_at));
  put(out, "profile", certificate.profile);
  return out;
}

json::object object_of(const SavedRenewal& renewal) {
  json::object out;
  put(out, "start", std::optional(renewal.window.start));
  put(out, "end", std::optional(renewal.window.end));
  put(out, "explanation", renewal.window.explanation);
  put(out, "renew_at", std::optional(renewal.renew_at));
  if (renewal.replaced) out["replaced"] = true;
  return out;
}

// Reads members and remembers whether one was not as it must be.
class Reader {
 public:
  explicit Reader(const json::object& object) : object_(object) {}
  bool ok() const { return ok_; }

  std::string text(std::string_view key, bool needed, std::size_t longest = kMaxText) {
    const json::value* value = member(object_, key);
    if (value == nullptr) return missing(needed);
    if (!value->is_string() || value->get_string().size() > longest) return missing(true);
    return std::string(text_of(object_, key));
  }
  std::string url(std::string_view key, bool needed) {
    std::string out = text(key, needed, kMaxUrl);
    if (!out.empty() && !is_https_url(out)) return missing(true);
    return out;
  }
  std::optional<UnixTime> time(std::string_view key) {
    if (member(object_, key) == nullptr) return std::nullopt;
    const auto out = parse_rfc3339(text_of(object_, key));
    ok_ &= out.has_value();
    return out;
  }
  UnixTime needed_time(std::string_view key) {
    const auto out = time(key);
    ok_ &= out.has_value();
    return out.value_or(UnixTime());
  }
  std::uint32_t count(std::string_view key) {
    const json::value* value = member(object_, key);
    if (value == nullptr) return 0;
    constexpr std::int64_t kMost = 1'000'000;
    const auto* number = value->if_int64();
    ok_ &= number != nullptr && *number >= 0 && *number <= kMost;
    return ok_ ? static_cast<std::uint32_t>(*number) : 0;
  }
  bool flag(std::string_view key) {
    const json::value* value = member(object_, key);
    ok_ &= value == nullptr || value->is_bool();
    return flag_of(object_, key);
  }
  // The member as an object; null when it is absent.
  const json::object* object(std::string_view key) {
    const json::value* value = member(object_, key);
    ok_ &= value == nullptr || value->is_object();
    return value == nullptr ? nullptr : value->if_object();
  }

 private:
  std::string missing(bool is_fault) {
    ok_ &= !is_fault;
    return {};
  }
  const json::object& object_;
  bool ok_ = true;
};

std::optional<SavedAuthority> read_authority(const json::object& object) {
  Reader in(object);
  SavedAuthority out;
  out.directory = in.url("directory", true);
  out.account = in.url("account", false);
  out.failures = in.count("failures");
  out.next_try = in.time("next_try");
  if (const json::object* last = in.object("last_failure")) {
    Reader failure(*last);
    SavedAuthority::LastFailure read;
    read.at = failure.needed_time("at");
    const auto kind = parse_failure_kind(failure.text("kind", true));
    read.text = failure.text("text", false);
    if (!failure.ok() || !kind) return std::nullopt;
    read.kind = *kind;
    out.last_failure = std::move(read);
  }
  if (!in.ok()) return std::nullopt;
  return out;
}

std::optional<std::vector<std::string>> read_names(const json::object& object) {
  const json::array* list = list_of(object, "names");
  if (list == nullptr || list->empty() || list->size() > kMaxNames) return std::nullopt;
  std::vector<std::string> out;
  for (const json::value& it : *list) {
    const json::string* text = it.if_string();
    if (text == nullptr) return std::nullopt;
    const auto identifier = identifier_of({text->data(), text->size()});
    if (!identifier.ok()) return std::nullopt;
    out.push_back(identifier->value);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::optional<SavedCertificate> read_certificate(const json::object& object) {
  Reader in(object);
  SavedCertificate out;
  out.directory = in.url("directory", true);
  auto names = read_names(object);
  out.id = in.text("id", true);
  out.not_before = in.needed_time("not_before");
  out.not_after = in.needed_time("not_after");
  out.renew_at = in.needed_time("renew_at");
  out.profile = in.text("profile", false);
  if (!in.ok() || !names || out.not_after <= out.not_before) return std::nullopt;
  out.names = std::move(*names);
  return out;
}

std::optional<SavedRenewal> read_renewal(const json::object& object) {
  Reader in(object);
  SavedRenewal out;
  out.window.start = in.needed_time("start");
  out.window.end = in.needed_time("end");
  out.window.explanation = in.text("explanation", false);
  out.renew_at = in.needed_time("renew_at");
  out.replaced = in.flag("replaced");
  if (!in.ok() || out.window.end <= out.window.start) return std::nullopt;
  return out;
}

bool read_authorities(const json::object& object, SavedState& out) {
  const json::array* list = list_of(object, "authorities");
  if (list == nullptr || list->size() > kMaxAuthorities) return false;
  for (const json::value& it : *list) {
    const json::object* one = it.if_object();
    auto authority = one == nullptr ? std::nullopt : read_authority(*one);
    if (!authority || out.find(authority->directory) != nullptr) return false;
    out.authorities.push_back(std::move(*authority));
  }
  return true;
}

}  // namespace

const SavedAuthority* SavedState::find(std::string_view directory) const {
  for (const SavedAuthority& it : authorities) {
    if (it.directory == directory) return &it;
  }
  return nullptr;
}

SavedAuthority& SavedState::authority(std::string_view directory) {
  for (SavedAuthority& it : authorities) {
    if (it.directory == directory) return it;
  }
  if (authorities.size() >= kMaxAuthorities) {
    auto least = std::find_if(authorities.begin(), authorities.end(), [&](const auto& it) {
      return it.account.empty() && (!certificate || certificate->directory != it.directory);
    });
    authorities.erase(least == authorities.end() ? authorities.begin() : least);
  }
  authorities.push_back({});
  authorities.back().directory = directory;
  return authorities.back();
}

std::string format_state(const SavedState& state) {
  json::object out;
  out["version"] = SavedState::kVersion;
  json::array authorities;
  for (const SavedAuthority& it : state.authorities) authorities.push_back(object_of(it));
  out["authorities"] = std::move(authorities);
  if (state.certificate) out["certificate"] = object_of(*state.certificate);
  if (state.renewal) out["renewal"] = object_of(*state.renewal);
  put(out, "ask_again", state.ask_again);
  return json::serialize(out) + "\n";
}

std::string_view name_of(StateFault fault) {
  constexpr std::array<std::string_view, 4> kNames = {"not JSON", "of another version", "too long",
                                                      "an entry is not as it must be"};
  return kNames[static_cast<std::size_t>(fault)];
}

Result<SavedState, StateFault> parse_state(std::string_view text) {
  if (text.size() > kMaxStateText) return fail(StateFault::kTooLong);
  const auto object = json_object(text, kMaxStateText);
  if (!object) return fail(StateFault::kNotJson);
  const json::value* version = member(*object, "version");
  if (version == nullptr || *version != SavedState::kVersion) return fail(StateFault::kVersion);
  SavedState out;
  if (!read_authorities(*object, out)) return fail(StateFault::kEntry);
  Reader in(*object);
  out.ask_again = in.time("ask_again");
  if (const json::object* certificate = in.object("certificate")) {
    out.certificate = read_certificate(*certificate);
    if (!out.certificate) return fail(StateFault::kEntry);
  }
  if (const json::object* renewal = in.object("renewal")) {
    out.renewal = read_renewal(*renewal);
    if (!out.renewal) return fail(StateFault::kEntry);
  }
  if (!in.ok()) return fail(StateFault::kEntry);
  return out;
}

}  // namespace timepool::acme
