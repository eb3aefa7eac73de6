#include "net/trust_anchors.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <utility>

#include "sys/file.h"

namespace timepool::net {
namespace {

constexpr std::size_t kMaxFile = 256 * 1024;
// A DNSKEY of RSA with 4096 bits has 700 characters.
constexpr std::size_t kMaxFields = 32;

bool is_number(std::string_view text, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc() && end == text.data() + text.size() && value <= most;
}

bool all_of(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

std::vector<std::string_view> fields_of(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r";
  std::vector<std::string_view> out;
  while (out.size() < kMaxFields) {
    const std::size_t begin = line.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return out;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(kBlank), line.size());
    out.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return out;
}

std::string joined(std::span<const std::string_view> fields) {
  std::string out;
  for (const std::string_view it : fields) out += it;
  return out;
}

// RFC 4034 5.3, RFC 6605 3: SHA-1, SHA-256, SHA-384, in hexadecimal.
std::string fault_of_ds(std::span<const std::string_view> data) {
  if (data.size() < 4) return "a DS has a key tag, an algorithm, a digest type and a digest";
  if (!is_number(data[0], 65535) || !is_number(data[1], 255)) return "no key tag or no algorithm";
  constexpr std::pair<std::string_view, std::size_t> kDigests[] = {{"1", 40}, {"2", 64}, {"4", 96}};
  const auto known = std::find_if(std::begin(kDigests), std::end(kDigests),
                                  [&](const auto& it) { return it.first == data[2]; });
  if (known == std::end(kDigests)) return "the digest type is not 1, 2 or 4";
  const std::string digest = joined(data.subspan(3));
  const bool hex = all_of(digest, "0123456789abcdefABCDEF");
  return hex && digest.size() == known->second ? "" : "the digest is not of its type's length";
}

// RFC 4034 2.2.
std::string fault_of_dnskey(std::span<const std::string_view> data) {
  if (data.size() < 4) return "a DNSKEY has flags, a protocol, an algorithm and a key";
  if (!is_number(data[0], 65535) || data[1] != "3" || !is_number(data[2], 255)) {
    return "no flags, no protocol 3 or no algorithm";
  }
  constexpr std::string_view kBase64 =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  const std::string key = joined(data.subspan(3));
  return all_of(key, kBase64) && key.size() % 4 == 0 ? "" : "the key is not base64";
}

// Owner, TTL and class may be left out but for the owner.
std::string fault_of(std::span<const std::string_view> fields) {
  std::size_t at = 1;
  if (at < fields.size() && is_number(fields[at], UINT32_MAX)) ++at;
  if (at < fields.size() && fields[at] == "IN") ++at;
  if (at < fields.size() && is_number(fields[at], UINT32_MAX)) ++at;
  if (at >= fields.size()) return "expected: NAME [TTL] [IN] DS or DNSKEY ...";
  if (fields[at] == "DS") return fault_of_ds(fields.subspan(at + 1));
  if (fields[at] == "DNSKEY") return fault_of_dnskey(fields.subspan(at + 1));
  return "neither a DS nor a DNSKEY record";
}

// What unbound-anchor keeps of a key that is not trusted: RFC 5011 4.2, by unbound's numbers.
bool is_distrusted(std::string_view comment) {
  constexpr std::string_view kState = ";;state=";
  const std::size_t at = comment.find(kState);
  if (at == std::string_view::npos || at + kState.size() >= comment.size()) return false;
  const char state = comment[at + kState.size()];
  return state != '2' && state != '3';
}

Error line_error(std::size_t line, const std::string& fault) {
  return {ErrorCode::kInvalid, "line " + std::to_string(line), fault};
}

}  // namespace

Result<std::vector<std::string>> parse_trust_anchors(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view whole = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t comment = std::min(whole.find(';'), whole.size());
    const std::vector<std::string_view> fields = fields_of(whole.substr(0, comment));
    if (fields.empty() || is_distrusted(whole.substr(comment))) continue;
    if (const std::string fault = fault_of(fields); !fault.empty()) {
      return fail(line_error(line, fault));
    }
    if (out.size() >= kMaxAnchors) return fail(line_error(line, "too many records"));
    std::string record;
    for (const std::string_view it : fields)
      record += (record.empty() ? "" : " ") + std::string(it);
    out.push_back(std::move(record));
  }
  if (out.empty()) return fail(Error{ErrorCode::kInvalid, "trust anchors", "there is no record"});
  return out;
}

Result<std::vector<std::string>> load_trust_anchors(const std::vector<std::string>& files) {
  std::vector<std::string> paths = files;
  if (paths.empty()) {
    for (const char* path : kRootAnchorFiles) {
      std::error_code ignored;
      if (paths.empty() && std::filesystem::exists(path, ignored)) paths.emplace_back(path);
    }
  }
  if (paths.empty()) {
    return fail(Error{ErrorCode::kNotFound, "DNSSEC trust anchor",
                      std::string("there is neither ") + kRootAnchorFiles[0] +
                          " (Debian package dns-root-data) nor " + kRootAnchorFiles[1]});
  }
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    auto text = sys::read_file(path, kMaxFile);
    if (!text.ok()) return fail(std::move(text).error());
    auto records = parse_trust_anchors(*text);
    if (!records.ok()) {
      const Error& fault = records.error();
      return fail(Error{fault.code, "DNSSEC trust anchor " + path, fault.text()});
    }
    out.insert(out.end(), records->begin(), records->end());
  }
  if (out.size() > kMaxAnchors) {
    return fail(Error{ErrorCode::kInvalid, "DNSSEC trust anchors", "too many records"});
  }
  return out;
}

}  // namespace timepool::net
