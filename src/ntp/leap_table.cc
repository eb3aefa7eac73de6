#include "ntp/leap_table.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/civil.h"
#include "base/sha1.h"

namespace timepool::ntp {
namespace {

// Up to the year 2261, where UnixTime ends; ten digits reach 2216.
constexpr std::size_t kMaxDigits = 11;
constexpr std::int64_t kLastNtpSecond = 11'000'000'000;
constexpr std::int64_t kMaxTaiOffset = 1000;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// The next word of `rest`, which loses it; empty at the end.
std::string_view take_word(std::string_view& rest) {
  rest = trim(rest);
  const auto end = std::find_if(rest.begin(), rest.end(), is_blank);
  const std::string_view out = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(out.size());
  return out;
}

std::optional<std::int64_t> number(std::string_view digits) {
  if (digits.empty() || digits.size() > kMaxDigits) return {};
  std::int64_t out = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return {};
    out = out * 10 + (c - '0');
  }
  return out;
}

std::optional<UnixTime> ntp_time(std::string_view digits) {
  const std::optional<std::int64_t> seconds = number(digits);
  if (!seconds || *seconds > kLastNtpSecond) return {};
  return UnixTime::from_seconds(*seconds - kNtpToUnixSeconds);
}

// Some files leave out the zeros in front.
std::optional<std::uint32_t> hex_word(std::string_view digits) {
  if (digits.empty() || digits.size() > 8) return {};
  std::uint32_t out = 0;
  for (const char c : digits) {
    std::uint32_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<std::uint32_t>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<std::uint32_t>(c - 'A' + 10);
    } else {
      return {};
    }
    out = out << 4 | digit;
  }
  return out;
}

}  // namespace

// Reads line by line and gathers what the hash is made of.
class LeapFileParser {
 public:
  Result<LeapTable, LeapFileFault> parse(std::string_view text) {
    if (text.size() > kMaxLeapFileSize) return fault(LeapFileError::kTooLong);
    while (!text.empty()) {
      ++line_;
      const std::size_t end = std::min(text.find('\n'), text.size());
      if (const auto error = take_line(text.substr(0, end)); error) return fault(*error);
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    line_ = 0;
    if (!updated_) return fault(LeapFileError::kNoUpdate);
    if (!expires_) return fault(LeapFileError::kNoExpiry);
    if (table_.entries_.empty()) return fault(LeapFileError::kNoEntries);
    if (hash_ && *hash_ != digest()) return fault(LeapFileError::kBadHash);
    table_.updated_ = *updated_;
    table_.expires_ = *expires_;
    table_.has_hash_ = hash_.has_value();
    return std::move(table_);
  }

 private:
  Failure<LeapFileFault> fault(LeapFileError error) const {
    return fail(LeapFileFault{error, line_});
  }

  std::optional<LeapFileError> take_line(std::string_view line) {
    line = trim(line);
    if (line.starts_with("#$")) return take_date(line.substr(2), updated_);
    if (line.starts_with("#@")) return take_date(line.substr(2), expires_);
    if (line.starts_with("#h")) return take_hash(line.substr(2));
    if (line.empty() || line.front() == '#') return {};
    return take_entry(line.substr(0, line.find('#')));
  }

  std::optional<LeapFileError> take_date(std::string_view rest, std::optional<UnixTime>& out) {
    const std::string_view digits = take_word(rest);
    const std::optional<UnixTime> time = ntp_time(digits);
    if (!time || out || !trim(rest).empty()) return LeapFileError::kBadLine;
    out = time;
    hashed_ += digits;
    return {};
  }

  std::optional<LeapFileError> take_hash(std::string_view rest) {
    Sha1 words{};
    for (std::uint32_t& word : words) {
      const std::optional<std::uint32_t> read = hex_word(take_word(rest));
      if (!read) return LeapFileError::kBadLine;
      word = *read;
    }
    if (hash_ || !trim(rest).empty()) return LeapFileError::kBadLine;
    hash_ = words;
    return {};
  }

  std::optional<LeapFileError> take_entry(std::string_view rest) {
    const std::string_view time_digits = take_word(rest);
    const std::string_view offset_digits = take_word(rest);
    const std::optional<UnixTime> at = ntp_time(time_digits);
    const std::optional<std::int64_t> offset = number(offset_digits);
    if (!at || !offset || *offset > kMaxTaiOffset || !trim(rest).empty()) {
      return LeapFileError::kBadLine;
    }
    std::vector<LeapEntry>& entries = table_.entries_;
    if (entries.size() >= kMaxLeapEntries) return LeapFileError::kTooLong;
    const LeapEntry entry{*at, static_cast<int>(*offset)};
    const std::int64_t day = day_of(entry.at);
    if (entry.at != start_of_day(day) || !begins_month(day)) return LeapFileError::kNotMonthStart;
    if (!entries.empty()) {
      if (entry.at <= entries.back().at) return LeapFileError::kNotAscending;
      const int change = entry.tai_offset - entries.back().tai_offset;
      if (change != 1 && change != -1) return LeapFileError::kNotOneSecond;
    }
    entries.push_back(entry);
    hashed_ += time_digits;
    hashed_ += offset_digits;
    return {};
  }

  Sha1 digest() const {
    return sha1(Bytes(reinterpret_cast<const std::byte*>(hashed_.data()), hashed_.size()));
  }

  LeapTable table_;
  std::size_t line_ = 0;
  std::optional<UnixTime> updated_;
  std::optional<UnixTime> expires_;
  std::optional<Sha1> hash_;
  std::string hashed_;
};

Result<LeapTable, LeapFileFault> LeapTable::parse(std::string_view text) {
  return LeapFileParser().parse(text);
}

std::optional<int> LeapTable::tai_offset(UnixTime utc) const {
  if (expired(utc)) return {};
  const auto after = std::upper_bound(entries_.begin(), entries_.end(), utc,
                                      [](UnixTime t, const LeapEntry& e) { return t < e.at; });
  if (after == entries_.begin()) return {};
  return (after - 1)->tai_offset;
}

std::optional<LeapSecond> LeapTable::next(UnixTime utc) const {
  const auto after = std::upper_bound(entries_.begin(), entries_.end(), utc,
                                      [](UnixTime t, const LeapEntry& e) { return t < e.at; });
  // The first entry is where the table begins, not a leap.
  if (after == entries_.end() || after == entries_.begin() || after->at > expires_) return {};
  return LeapSecond{after->at, after->tai_offset - (after - 1)->tai_offset};
}

std::string_view name_of(LeapFileError error) {
  switch (error) {
    case LeapFileError::kTooLong:
      return "too_long";
    case LeapFileError::kBadLine:
      return "bad_line";
    case LeapFileError::kNoUpdate:
      return "no_update";
    case LeapFileError::kNoExpiry:
      return "no_expiry";
    case LeapFileError::kNoEntries:
      return "no_entries";
    case LeapFileError::kNotAscending:
      return "not_ascending";
    case LeapFileError::kNotOneSecond:
      return "not_one_second";
    case LeapFileError::kNotMonthStart:
      return "not_month_start";
    case LeapFileError::kBadHash:
      break;
  }
  return "bad_hash";
}

}  // namespace timepool::ntp
