#include "dns/zone/zone.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/ip.h"
#include "dns/zone/record_reader.h"
#include "dns/zone/zone_check.h"

namespace timepool::dns {
namespace {

namespace json = boost::json;
using wire::dns::DnsName;
using wire::dns::NameView;
using wire::dns::RrType;
using Status = Result<void, ZoneError>;

std::string_view view(const json::string& text) {
  return {text.data(), text.size()};
}
std::string_view view(json::string_view text) {
  return {text.data(), text.size()};
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// The SOA is made here, signatures are (by those who sign), and DNAME has no answers here.
bool zones_hold(RrType type) {
  switch (type) {
    case RrType::kSoa:
    case RrType::kDname:
    case RrType::kRrsig:
    case RrType::kNsec:
    case RrType::kNsec3:
    case RrType::kNsec3param:
    case RrType::kDnskey:
    case RrType::kCds:
    case RrType::kCdnskey:
      return false;
    default:
      return !wire::dns::is_meta(type);
  }
}

// What a record is looked up by in a file of health.
std::string test_key(RrType type, Bytes rdata) {
  if (type == RrType::kA || type == RrType::kAaaa) return format(IpAddress::from_bytes(rdata));
  if (type == RrType::kMx) return format(NameView::from_valid_wire(rdata.subspan(2)));
  return {};
}

// Reads one document; `path_` is where it is, so that a fault can be placed.
class Loader {
 public:
  Loader(std::string_view text, Zone& zone) : text_(text), zone_(zone) {}

  Status document(const json::object& object) {
    // Options first, wherever they stand: labels take their defaults from them.
    for (const auto& [key, value] : object) {
      const Step step(*this, JsonStep::member(view(key)));
      if (view(key) != "data") TRY(option(view(key), value));
    }
    const json::value* data = object.if_contains("data");
    if (data == nullptr || data->is_null()) return {};
    const Step step(*this, JsonStep::member("data"));
    const json::object* labels = data->if_object();
    if (labels == nullptr) return wrong("must be an object of labels");
    if (labels->size() > kMaxLabels) {
      return wrong("has " + std::to_string(labels->size()) + " labels, at most " +
                   std::to_string(kMaxLabels) + " are taken");
    }
    for (const auto& [key, value] : *labels) {
      const Step at(*this, JsonStep::member(view(key)));
      TRY(label(view(key), value));
    }
    return finish();
  }

  Failure<ZoneError> wrong(std::string text) const {
    const std::string where = format(path_);
    return fail(ZoneError{place_of(text_, offset_of(text_, path_)),
                          where.empty() ? std::move(text) : where + ": " + text});
  }

 private:
  class Step {
   public:
    Step(Loader& loader, JsonStep step) : loader_(loader) { loader_.path_.push_back(step); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;
    ~Step() { loader_.path_.pop_back(); }

   private:
    Loader& loader_;
  };

  void warn(std::string text) { zone_.warnings.push_back(format(path_) + ": " + text); }

  Result<std::uint32_t, ZoneError> integer(const json::value& value, std::int64_t min,
                                           std::int64_t max) const {
    std::string why;
    const auto number = integer_of(value, min, max, why);
    if (!number) return wrong(std::move(why));
    return static_cast<std::uint32_t>(*number);
  }

  Status option(std::string_view key, const json::value& value) {
    if (key == "ttl") {
      zone_.ttl = TRY(integer(value, 0, kMaxTtl));
    } else if (key == "negative_ttl") {
      // Not geodns', which passes over it: its minimum is an hour.
      zone_.soa_minimum = TRY(integer(value, 0, kMaxTtl));
    } else if (key == "serial") {
      zone_.serial = TRY(integer(value, 0, 0xffff'ffff));
    } else if (key == "max_hosts") {
      zone_.max_hosts = TRY(integer(value, 0, 0x7fff'ffff));
    } else if (key == "contact") {
      return contact(value);
    } else if (key == "targeting") {
      return targeting(value);
    } else if (key == "closest") {
      return closest(value, closest_);
    } else if (key != "logging" && key != "origin") {
      // geodns reads neither of those two: its zones are named by their files.
      warn("unknown, has no effect");
    }
    return {};
  }

  Status contact(const json::value& value) {
    const json::string* text = value.if_string();
    if (text == nullptr) return wrong("must be a text");
    const auto name = DnsName::from_text(view(*text));
    if (!name.ok()) return wrong("'" + std::string(view(*text)) + "' is no domain name");
    zone_.contact = name.value();
    return {};
  }

  Status closest(const json::value& value, bool& out) const {
    if (!value.is_bool()) return wrong("must be true or false");
    out = value.get_bool();
    return {};
  }

  Status targeting(const json::value& value) {
    const json::string* text = value.if_string();
    if (text == nullptr) return wrong("must be a text");
    Targeting out{false, false, false, false, false};
    std::string_view rest = view(*text);
    while (!rest.empty()) {
      const std::size_t space = std::min(rest.find(' '), rest.size());
      const std::string_view word = rest.substr(0, space);
      rest.remove_prefix(std::min(space + 1, rest.size()));
      if (word == "@") {
        out.global = true;
      } else if (word == "continent") {
        out.continent = true;
      } else if (word == "country") {
        out.country = true;
      } else if (word == "asn") {
        out.asn = true;
      } else if (word == "ip") {
        out.ip = true;
      } else if (word == "region") {
        out.region = true;
      } else if (word == "regiongroup") {
        out.regiongroup = true;
      } else if (!word.empty()) {
        return wrong("unknown targeting option '" + std::string(word) + "'");
      }
    }
    zone_.targeting = out;
    return {};
  }

  Status label(std::string_view key, const json::value& value) {
    const json::object* object = value.if_object();
    if (object == nullptr) return wrong("must be an object of record types");
    Label label;
    label.name = lower(key);
    if (is_too_long(label.name)) {
      warn("nobody can ask for a name of this length");
      return {};
    }
    TRY(check_name(label.name));
    label.max_hosts = zone_.max_hosts;
    label.closest = closest_;
    health_.clear();
    for (const auto& [member_key, member] : *object) {
      const Step step(*this, JsonStep::member(view(member_key)));
      TRY(label_member(label, view(member_key), member));
    }
    add_tests(label);
    zone_.labels.push_back(std::move(label));
    return {};
  }

  // geodns takes labels that no name can have: one of its examples does.
  bool is_too_long(const std::string& name) const {
    if (name.empty() || name.find('[') != std::string::npos) return false;
    const auto full = DnsName::from_text(name, zone_.origin);
    return !full.ok() && (full.error() == wire::dns::Malformed::kLabelTooLong ||
                          full.error() == wire::dns::Malformed::kNameTooLong);
  }

  // A label of an address target ("www.[192.0.2.1]") is no domain name itself.
  Status check_name(const std::string& name) const {
    const std::size_t bracket = name.find('[');
    std::string_view rest = name;
    if (bracket != std::string::npos) {
      const bool whole = name.back() == ']' && (bracket == 0 || name[bracket - 1] == '.');
      if (!whole || !parse_ip(rest.substr(bracket + 1, rest.size() - bracket - 2)).ok()) {
        return wrong("has brackets without an address in them");
      }
      rest = rest.substr(0, bracket == 0 ? 0 : bracket - 1);
    }
    if (rest.empty()) return {};
    if (rest.find('\\') != std::string_view::npos) return wrong("has a backslash");
    const auto full = DnsName::from_text(std::string(rest), zone_.origin);
    if (rest.back() == '.' || !full.ok()) return wrong("is no relative domain name");
    return {};
  }

  Status label_member(Label& label, std::string_view key, const json::value& value) {
    if (key == "max_hosts") {
      label.max_hosts = TRY(integer(value, 0, 0x7fff'ffff));
      return {};
    }
    if (key == "ttl") {
      const std::uint32_t ttl = TRY(integer(value, 0, kMaxTtl));
      if (ttl > 0) label.ttl = ttl;  // geodns takes 0 as not given
      return {};
    }
    if (key == "closest") return closest(value, label.closest);
    if (value.is_null()) return {};
    if (key == "health") return health(value);
    if (key == "alias") return alias(label, value);
    const auto type = wire::dns::parse_type(key);
    if (!type.ok()) {
      warn("unknown record type, has no effect");
      return {};
    }
    if (!zones_hold(type.value())) return wrong("is no type that a zone document may hold");
    return records(label, type.value(), value);
  }

  // Where the health of the label's addresses and mail servers is told: {"name": FILE, ...}; the
  // type stands in for the name.
  Status health(const json::value& value) {
    const json::object* object = value.if_object();
    if (object == nullptr) return wrong("must be an object with a name");
    for (const std::string_view key : {"name", "type"}) {
      const json::value* name = object->if_contains(json::string_view(key.data(), key.size()));
      if (name == nullptr || !name->is_string() || name->get_string().empty()) continue;
      health_ = view(name->get_string());
      return {};
    }
    warn("has neither name nor type, no effect");
    return {};
  }

  // geodns: in a label without health nothing is tested. Else a record's own test counts, or an
  // address or mail server is looked up in the label's file under its text. Other records have
  // none, and are healthy.
  void add_tests(Label& label) const {
    for (RecordSet& set : label.sets) {
      if (health_.empty()) {
        set.tests.clear();
        continue;
      }
      set.tests.resize(set.records.size());
      for (std::size_t i = 0; i < set.records.size(); ++i) {
        if (!set.tests[i].empty()) continue;
        const std::string key = test_key(set.type, set.records[i].rdata);
        if (!key.empty()) set.tests[i] = health_ + '/' + key;
      }
    }
    for (RecordSet& set : label.sets) {
      const auto none = [](const std::string& test) { return test.empty(); };
      if (std::all_of(set.tests.begin(), set.tests.end(), none)) set.tests.clear();
    }
  }

  Status alias(Label& label, const json::value& value) {
    const json::value* target = &value;
    if (const json::array* items = value.if_array(); items != nullptr && items->size() == 1) {
      target = &(*items)[0];
    }
    const json::string* text = target->if_string();
    if (text == nullptr) return wrong("must be a label's name");
    label.alias = lower(view(*text));
    return {};
  }

  Status records(Label& label, RrType type, const json::value& value) {
    RecordSet set{type, {}};
    if (const json::array* items = value.if_array()) {
      if (items->size() > kMaxRecordsPerSet) {
        return wrong("has " + std::to_string(items->size()) + " records, at most " +
                     std::to_string(kMaxRecordsPerSet) + " are taken");
      }
      set.records.reserve(items->size());
      for (std::size_t i = 0; i < items->size(); ++i) {
        const Step step(*this, JsonStep::item(i));
        TRY(record(set, (*items)[i]));
      }
    } else if (const json::object* names = value.if_object();
               names != nullptr && type == RrType::kNs) {
      // The old form: {"ns1.example.net.": null}.
      for (const auto& [name, nothing] : *names) {
        const Step step(*this, JsonStep::member(view(name)));
        TRY(record(set, json::string(name)));
      }
    } else if (value.is_string()) {
      TRY(record(set, value));
    } else {
      return wrong("must be a list of records");
    }
    if (set.records.empty()) return {};
    if (label.find(type) != nullptr) return wrong("has this type twice, in different writing");
    label.sets.push_back(std::move(set));
    return {};
  }

  Status record(RecordSet& set, const json::value& value) {
    auto read = read_record(set.type, value, zone_.origin);
    if (!read.ok()) {
      if (!read.error().has_step) return wrong(read.error().text);
      const Step step(*this, read.error().step);
      return wrong(read.error().text);
    }
    if (!read.value()) {
      warn("an empty record is left out");
      return {};
    }
    set.records.push_back(std::move(read.value()->record));
    // Only a label with "health" looks at its records' own.
    if (!read.value()->test.empty()) set.tests.resize(set.records.size());
    if (!set.tests.empty()) {
      set.tests.resize(set.records.size());
      set.tests.back() = std::move(read.value()->test);
    }
    return {};
  }

  Status finish() {
    std::sort(zone_.labels.begin(), zone_.labels.end(),
              [](const Label& a, const Label& b) { return a.name < b.name; });
    const auto twice =
        std::adjacent_find(zone_.labels.begin(), zone_.labels.end(),
                           [](const Label& a, const Label& b) { return a.name == b.name; });
    if (twice != zone_.labels.end()) {
      return wrong("has '" + twice->name + "' twice, in different case");
    }
    merge_repeats(zone_);
    if (const auto fault = find_fault(zone_)) {
      const Step step(*this, JsonStep::member(fault->label));
      return wrong(fault->text);
    }
    for (const Label& label : zone_.labels) {
      if (!label.alias || zone_.find(*label.alias) != nullptr) continue;
      const Step step(*this, JsonStep::member(label.name));
      warn("alias leads to '" + *label.alias + "', which has no label of its own");
    }
    return {};
  }

  std::string_view text_;
  Zone& zone_;
  bool closest_ = false;  // the document's, for labels without their own
  std::string health_;    // of the label being read
  std::vector<JsonStep> path_;
};

}  // namespace

const Label* Zone::find(std::string_view name) const {
  const auto at = std::lower_bound(labels.begin(), labels.end(), name,
                                   [](const Label& a, std::string_view b) { return a.name < b; });
  return at != labels.end() && at->name == name ? &*at : nullptr;
}

std::vector<std::byte> soa_data(const Zone& zone) {
  if (zone.plain) return zone.soa;
  const Label* apex = zone.find("");
  const RecordSet* ns = apex == nullptr ? nullptr : apex->find(RrType::kNs);
  std::vector<std::byte> out;
  const auto append = [&out](Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); };
  const auto own = DnsName::prepend("ns", zone.origin);
  if (ns != nullptr) {
    append(ns->records.front().rdata);
  } else {
    append(own.ok() ? own.value().wire() : zone.origin.wire());
  }
  append(zone.contact.wire());
  const std::uint32_t refresh = refresh_within(5400, zone.expire);
  for (const std::uint32_t value : {zone.serial, refresh, refresh, zone.expire, zone.soa_minimum}) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      out.push_back(static_cast<std::byte>(value >> shift & 0xff));
    }
  }
  return out;
}

std::uint32_t soa_ttl(const Zone& zone) {
  if (zone.plain) return zone.soa_ttl;
  const std::uint64_t ten_times = zone.ttl == 0 ? 600 : std::uint64_t{zone.ttl} * 10;
  const std::uint64_t most = std::min(3600U, zone.soa_minimum);
  return static_cast<std::uint32_t>(std::min(ten_times, most));
}

std::string format(const ZoneError& error, std::string_view file) {
  return (error.file.empty() ? std::string(file) : error.file) + ':' +
         std::to_string(error.place.line) + ':' + std::to_string(error.place.column) + ": " +
         error.text;
}

Result<Zone, ZoneError> load_zone(std::string_view text, std::string_view origin,
                                  std::uint32_t default_serial) {
  Zone zone;
  const auto name = DnsName::from_text(origin);
  if (!name.ok()) {
    return fail(ZoneError{{}, "'" + std::string(origin) + "' is no domain name for a zone"});
  }
  zone.origin = wire::dns::lowered(name.value());
  zone.serial = default_serial;
  const auto contact = DnsName::prepend("hostmaster", zone.origin);
  zone.contact = contact.ok() ? contact.value() : zone.origin;
  if (text.size() > kMaxZoneText) {
    return fail(ZoneError{{}, "is longer than " + std::to_string(kMaxZoneText) + " bytes"});
  }
  json::monotonic_resource memory;
  json::stream_parser parser(&memory);
  json::error_code error;
  std::size_t at = parser.write_some(text.data(), text.size(), error);
  if (!error && !parser.done()) parser.finish(error);
  while (!error && at < text.size() &&
         std::string_view(" \t\r\n").find(text[at]) != std::string_view::npos) {
    ++at;
  }
  if (!error && at < text.size()) error = json::error::extra_data;
  if (error) {
    return fail(ZoneError{place_of(text, at), "JSON: " + error.message()});
  }
  const json::value document = parser.release();
  Loader loader(text, zone);
  const json::object* object = document.if_object();
  if (object == nullptr) return loader.wrong("must be an object");
  TRY(loader.document(*object));
  return zone;
}

}  // namespace timepool::dns
