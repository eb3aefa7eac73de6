#include "net/http_message.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include "base/utf8.h"

namespace timepool::net {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The part of `text` before the next `separator`, which is taken off with it.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return part;
}

struct Status {
  int status;
  std::string_view reason;
};
// RFC 9110 15, RFC 6585.
constexpr std::array kReasons{
    Status{100, "Continue"},
    Status{200, "OK"},
    Status{201, "Created"},
    Status{202, "Accepted"},
    Status{204, "No Content"},
    Status{206, "Partial Content"},
    Status{301, "Moved Permanently"},
    Status{302, "Found"},
    Status{303, "See Other"},
    Status{304, "Not Modified"},
    Status{307, "Temporary Redirect"},
    Status{308, "Permanent Redirect"},
    Status{400, "Bad Request"},
    Status{401, "Unauthorized"},
    Status{403, "Forbidden"},
    Status{404, "Not Found"},
    Status{405, "Method Not Allowed"},
    Status{406, "Not Acceptable"},
    Status{408, "Request Timeout"},
    Status{409, "Conflict"},
    Status{410, "Gone"},
    Status{411, "Length Required"},
    Status{412, "Precondition Failed"},
    Status{413, "Content Too Large"},
    Status{415, "Unsupported Media Type"},
    Status{417, "Expectation Failed"},
    Status{422, "Unprocessable Content"},
    Status{429, "Too Many Requests"},
    Status{431, "Request Header Fields Too Large"},
    Status{500, "Internal Server Error"},
    Status{501, "Not Implemented"},
    Status{502, "Bad Gateway"},
    Status{503, "Service Unavailable"},
    Status{504, "Gateway Timeout"},
    Status{505, "HTTP Version Not Supported"},
    Status{507, "Insufficient Storage"},
};

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kExists:
      return 409;
    case ErrorCode::kDenied:
      return 403;
    case ErrorCode::kUnavailable:
    case ErrorCode::kExhausted:
      return 503;
    case ErrorCode::kSystem:
    case ErrorCode::kCorrupt:
      return 500;
  }
  return 500;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

void HttpFields::add(std::string_view name, std::string_view value) {
  fields_.push_back(Field{std::string(name), std::string(value)});
}

void HttpFields::set(std::string_view name, std::string_view value) {
  std::erase_if(fields_, [&](const Field& f) { return equal_ignoring_case(f.name, name); });
  add(name, value);
}

const std::string* HttpFields::find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (equal_ignoring_case(field.name, name)) return &field.value;
  }
  return nullptr;
}

std::string_view HttpFields::value(std::string_view name) const {
  const std::string* found = find(name);
  return found == nullptr ? std::string_view() : std::string_view(*found);
}

std::size_t HttpFields::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(),
                    [&](const Field& f) { return equal_ignoring_case(f.name, name); }));
}

std::string_view HttpRequest::param(std::string_view name) const {
  for (const auto& [key, value] : params) {
    if (key == name) return value;
  }
  return {};
}

std::optional<std::string_view> HttpRequest::query_value(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::string_view HttpRequest::bearer_token() const {
  std::string_view field = trimmed(headers.value("Authorization"));
  const std::string_view scheme = take_until(field, ' ');
  return equal_ignoring_case(scheme, "Bearer") ? trimmed(field) : std::string_view();
}

std::optional<std::uint32_t> HttpRequest::prefer_wait() const {
  for (const HttpFields::Field& field : headers.all()) {
    if (!equal_ignoring_case(field.name, "Prefer")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      std::string_view preference = take_until(rest, ',');
      preference = take_until(preference, ';');
      const std::string_view name = trimmed(take_until(preference, '='));
      if (!equal_ignoring_case(name, "wait")) continue;
      const std::string_view number = trimmed(preference);
      std::uint32_t seconds = 0;
      const auto [end, error] =
          std::from_chars(number.data(), number.data() + number.size(), seconds);
      // RFC 7240 2: a preference that can't be understood is ignored.
      if (error != std::errc() || end != number.data() + number.size()) continue;
      return seconds;
    }
  }
  return std::nullopt;
}

HttpResponse http_json(int status, std::string json) {
  return http_text(status, "application/json", std::move(json));
}

HttpResponse http_text(int status, std::string content_type, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = std::move(content_type);
  response.body = std::move(body);
  return response;
}

HttpResponse http_error(int status, std::string_view code, std::string_view message) {
  const auto quoted = [](std::string_view text) {
    return boost::json::serialize(boost::json::value(boost::json::string(as_utf8(text))));
  };
  return http_json(
      status, "{\"error\":{\"code\":" + quoted(code) + ",\"message\":" + quoted(message) + "}}\n");
}

HttpResponse http_error(const Error& error) {
  const int status = status_of(error.code);
  if (status == 500) return http_error(status, name_of(error.code), "internal error; see the log");
  return http_error(status, name_of(error.code), error.text());
}

std::string_view http_reason(int status) {
  for (const Status& entry : kReasons) {
    if (entry.status == status) return entry.reason;
  }
  return {};
}

bool etag_matches(std::string_view field, std::string_view etag) {
  while (!field.empty()) {
    std::string_view one = trimmed(take_until(field, ','));
    if (one == "*") return true;
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == etag) return true;
  }
  return false;
}

}  // namespace timepool::net
