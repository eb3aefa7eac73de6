#include "acme/renewal_info.h"

#include <algorithm>

#include "acme/base64url.h"
#include "acme/json_fields.h"
#include "base/check.h"
#include "base/civil.h"

namespace timepool::acme {
namespace {

// Digits at `at` as a number; -1 when there are not so many.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  if (text.size() < at + count) return -1;
  int out = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return -1;
    out = out * 10 + (c - '0');
  }
  return out;
}

// "Z", "+02:00", "-11:30" as seconds east of Greenwich.
std::optional<int> offset_of(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const int hours = digits(text, 1, 2);
  const int minutes = digits(text, 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  const int seconds = hours * 3600 + minutes * 60;
  return text[0] == '-' ? -seconds : seconds;
}

// RFC 8555 7.1's POST-as-GET is not for this (RFC 9773 4.1): BASE/ID.
std::string url_of(std::string base, const std::string& id) {
  while (base.ends_with('/')) base.pop_back();
  return base + "/" + id;
}

}  // namespace

std::string certificate_id(Bytes authority_key, Bytes serial) {
  return to_base64url(authority_key) + "." + to_base64url(serial);
}

std::optional<UnixTime> parse_rfc3339(std::string_view text) {
  // 2026-11-21T12:34:56, a fraction, an offset.
  const int year = digits(text, 0, 4);
  const int month = digits(text, 5, 2);
  const int day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2);
  const int minute = digits(text, 14, 2);
  const int second = digits(text, 17, 2);
  // Years that UnixTime has with room to spare.
  if (year < 1700 || year > 2250 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 ||
      hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 || text[4] != '-' ||
      text[7] != '-' || (text[10] != 'T' && text[10] != 't' && text[10] != ' ') ||
      text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  std::string_view rest = text.substr(19);
  if (rest.starts_with('.')) {
    const std::size_t end = rest.find_first_not_of("0123456789", 1);
    if (end == std::string_view::npos || end == 1) return std::nullopt;
    rest.remove_prefix(end);
  }
  const auto offset = offset_of(rest);
  if (!offset) return std::nullopt;
  const CivilDate date{year, month, day};
  if (civil_of(days_of(date)) != date) return std::nullopt;
  return UnixTime::from_seconds(days_of(date) * kSecondsPerDay + hour * 3600LL + minute * 60LL +
                                second - *offset);
}

Result<RenewalWindow, FailureKind> parse_renewal_window(std::string_view body) {
  const auto object = json_object(body);
  const auto* window = object ? object_of(*object, "suggestedWindow") : nullptr;
  if (window == nullptr) return fail(FailureKind::kRubbish);
  const auto start = parse_rfc3339(text_of(*window, "start"));
  const auto end = parse_rfc3339(text_of(*window, "end"));
  if (!start || !end || *end <= *start) return fail(FailureKind::kRubbish);
  return RenewalWindow{*start, *end, plain(text_of(*object, "explanationURL"), kMaxUrl)};
}

UnixTime chosen_time(const RenewalWindow& window, double unit) {
  const double span = (window.end - window.start).to_seconds();
  return window.start + Duration::from_seconds(span * std::clamp(unit, 0.0, 1.0));
}

Duration ask_again_after(std::optional<Duration> retry_after) {
  if (!retry_after) return kUsualAsk;
  return std::clamp(*retry_after, kShortestAsk, kLongestAsk);
}

void RenewalInquiry::begin(MonoTime) {
  // 4.3.3: what does not change soon is asked for at the usual pace.
  if (directory()->renewal_info.empty()) return finish();
  get("renewalInfo", url_of(directory()->renewal_info, id_));
}

void RenewalInquiry::handle_answer(MonoTime, const Reply& reply) {
  again_ = ask_again_after(retry_after_of(reply));
  if (reply.status != 200) {
    // A lasting refusal may carry no wish of its own.
    return refuse(reply);
  }
  auto read = parse_renewal_window(reply.body);
  if (!read.ok()) {
    again_ = kUsualAsk;
    return refuse_rubbish("window that ends after it starts");
  }
  window_ = std::move(read).value();
  finish();
}

void RenewalInquiry::resume(MonoTime) {
  CHECK(false);  // it never waits
}

}  // namespace timepool::acme
