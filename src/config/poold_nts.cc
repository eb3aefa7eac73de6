#include "config/poold_nts.h"

#include <algorithm>

namespace timepool::config {
namespace {

using Nts = PooldNtsConfig;
constexpr std::string_view kHead = "{name}.";
constexpr std::string_view kTail = ".{pool}";

bool is_lower_word(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), allowed);
}

// What is below the zone as its own name must not be one of those that the pool's servers stand at:
// numbers, countries (two letters), continents (which have a '-' or are words of five and more).
std::string check_template(const Nts& nts) {
  constexpr const char* kExpected =
      "template: expected \"{name}.LABELS.{pool}\" with labels of lower-case letters, digits and "
      "'-', the last of them no number, country or continent";
  const std::string_view whole = nts.name_template;
  if (!whole.starts_with(kHead) || !whole.ends_with(kTail) ||
      whole.size() <= kHead.size() + kTail.size()) {
    return kExpected;
  }
  const std::string parent = nts.parent();
  std::string_view left = parent;
  std::string_view label;
  for (bool more = true; more;) {
    const std::size_t dot = left.find('.');
    label = left.substr(0, dot);
    more = dot != std::string_view::npos;
    if (more) left.remove_prefix(dot + 1);
    if (!is_lower_word(label)) return kExpected;
  }
  constexpr std::string_view kContinents[] = {"africa",  "antarctica",    "asia",         "europe",
                                              "oceania", "north-america", "south-america"};
  const bool number =
      std::all_of(label.begin(), label.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (number || label.size() == 2 ||
      std::find(std::begin(kContinents), std::end(kContinents), label) != std::end(kContinents)) {
    return kExpected;
  }
  return {};
}

std::string check(const Nts& nts) {
  if (std::string wrong = check_template(nts); !wrong.empty()) return wrong;
  for (const std::string& word : nts.reserved) {
    if (!is_lower_word(word)) return "reserved: '" + word + "' is no label in lower case";
  }
  for (const std::string& method : nts.methods) {
    if (!is_lower_word(method)) return "methods: '" + method + "' is no method of validation";
  }
  const bool word =
      std::all_of(nts.trust.begin(), nts.trust.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  return nts.trust.empty() || !word ? "trust: expected a word" : "";
}

}  // namespace

std::string PooldNtsConfig::parent() const {
  if (name_template.size() <= kHead.size() + kTail.size()) return {};
  return name_template.substr(kHead.size(), name_template.size() - kHead.size() - kTail.size());
}

Schema<PooldNtsConfig> poold_nts_schema() {
  Schema<Nts> out;
  const Duration day = Duration::seconds(86'400);
  out.field("template", &Nts::name_template, text(200),
            "What a server's name becomes in DNS: \"{name}\" is what the member chose, \"{pool}\" "
            "the zone; between them stand one label or more, below which nothing else is. Names "
            "that the member brings are used as they are.")
      .field("reserved", &Nts::reserved, list_of(text(63), 10'000),
             "Labels that nobody may have, besides those that never can be had: numbers, "
             "continents, services (\"www\", \"ns1\"), vendors.")
      .field("reuse_after", &Nts::reuse_after, duration(Duration::seconds(1), day * 3650),
             "A name that was removed goes to another owner only after this long: longer than any "
             "certificate for it lives.")
      .field("authorities", &Nts::authorities, list_of(domain_name(), 8),
             "Authorities that may issue certificates for names of servers, as their CAA records "
             "name them (RFC 8659). Empty: any.")
      .field("methods", &Nts::methods, list_of(text(63), 8),
             "How they may validate (RFC 8657 validationmethods). Empty: in any way.")
      .field(
          "ttl", &Nts::ttl, integer<std::uint32_t>(1, 86'400),
          "TTL of names of servers and of SRV records, in seconds: how long one that was removed "
          "may still be found.")
      .field("max_targets", &Nts::max_targets, integer<std::uint32_t>(1, 16),
             "SRV records in one answer.")
      .field(
          "trust", &Nts::trust, text(64),
          "What monitors are told to check certificates by: \"system\", or a word for which they "
          "have a file with roots.")
      .field(
          "min_monitors", &Nts::min_monitors, integer<std::uint32_t>(1, 1000),
          "A server's NTS is confirmed by more than half of the monitors that checked it lately, "
          "counted as this many at least; as all active ones where the pool has fewer.")
      .field("max_failures", &Nts::max_failures, integer<std::uint32_t>(1, 100),
             "A monitor calls a server's NTS bad after so many failed checks in a row. It leaves "
             "the SRV records when more than half of the monitors do; its name stays.")
      .field("window", &Nts::window, duration(Duration::milliseconds(100), day * 7),
             "How long a monitor's last check of NTS counts; at least two of its intervals.")
      .field("max_offset", &Nts::max_offset_s, number(0.001, 1e6),
             "Offset in seconds from which on authenticated time is wrong.")
      .check([](const Nts& nts) { return check(nts); });
  return out;
}

}  // namespace timepool::config
