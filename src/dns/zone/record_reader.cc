#include "dns/zone/record_reader.h"

#include <boost/json.hpp>
#include <charconv>
#include <cmath>

#include "base/ip.h"
#include "dns/zone/rdata_reader.h"

namespace timepool::dns {
namespace {

namespace json = boost::json;
using wire::dns::DnsName;
using wire::dns::NameView;
using wire::dns::RrType;
using Read = Result<std::optional<ZoneRecord>, RecordFault>;

Failure<RecordFault> fault(std::string text) {
  return fail(RecordFault{{}, false, std::move(text)});
}
Failure<RecordFault> fault(JsonStep step, std::string text) {
  return fail(RecordFault{step, true, std::move(text)});
}

std::string_view view(const json::string& text) {
  return {text.data(), text.size()};
}

void put16(std::vector<std::byte>& out, std::int64_t value) {
  out.push_back(static_cast<std::byte>(value >> 8 & 0xff));
  out.push_back(static_cast<std::byte>(value & 0xff));
}
void put(std::vector<std::byte>& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// The members of a record by name; a missing one is nullptr.
class Members {
 public:
  explicit Members(const json::object& object) : object_(object) {}

  const json::value* find(std::string_view key) const {
    const auto at = object_.find(json::string_view(key.data(), key.size()));
    return at == object_.end() || at->value().is_null() ? nullptr : &at->value();
  }
  Result<std::string_view, RecordFault> text(std::string_view key) const {
    const json::value* value = find(key);
    if (value == nullptr) return fault("has no \"" + std::string(key) + "\"");
    const json::string* string = value->if_string();
    if (string == nullptr) return fault(JsonStep::member(key), "must be a text");
    return view(*string);
  }
  // `otherwise` when it is missing.
  Result<std::int64_t, RecordFault> integer(std::string_view key, std::int64_t max,
                                            std::int64_t otherwise) const {
    const json::value* value = find(key);
    if (value == nullptr) return otherwise;
    std::string why;
    const auto number = integer_of(*value, 0, max, why);
    if (!number) return fault(JsonStep::member(key), std::move(why));
    return *number;
  }
  Result<std::uint32_t, RecordFault> weight() const {
    const auto weight = TRY(integer("weight", kMaxWeight, 0));
    return static_cast<std::uint32_t>(weight);
  }

 private:
  const json::object& object_;
};

// What most records are: one text and a weight.
struct TextAndWeight {
  std::string_view text;
  std::uint32_t weight = 0;
};

// ["text", weight] with the weight left out or a number or a text of one.
Result<TextAndWeight, RecordFault> pair_of(const json::array& items) {
  if (items.empty() || items.size() > 2) return fault("must have a text and perhaps a weight");
  const json::string* text = items[0].if_string();
  if (text == nullptr) return fault(JsonStep::item(0), "must be a text");
  TextAndWeight out{view(*text), 0};
  if (items.size() == 2) {
    std::string why;
    const auto weight = integer_of(items[1], 0, kMaxWeight, why);
    if (!weight) return fault(JsonStep::item(1), std::move(why));
    out.weight = static_cast<std::uint32_t>(*weight);
  }
  return out;
}

// {key: text, "weight": w}; the first of `keys` that is there.
Result<TextAndWeight, RecordFault> object_of(const json::object& object,
                                             std::initializer_list<std::string_view> keys) {
  const Members members(object);
  for (const std::string_view key : keys) {
    if (members.find(key) == nullptr) continue;
    const auto text = TRY(members.text(key));
    const auto weight = TRY(members.weight());
    return TextAndWeight{text, weight};
  }
  return fault("has no \"" + std::string(*keys.begin()) + "\"");
}

Result<DnsName, RecordFault> name_of(std::string_view text, NameView origin) {
  const auto name = DnsName::from_text(text, origin);
  if (!name.ok()) {
    return fault("'" + std::string(text) + "' is no domain name (" +
                 std::string(wire::dns::name_of(name.error())) + ")");
  }
  return name.value();
}

ZoneRecord with_name(const DnsName& name, std::uint32_t weight) {
  ZoneRecord record{{}, weight};
  put(record.rdata, name.wire());
  return record;
}

Read read_address(RrType type, const json::value& value) {
  const std::string_view own = type == RrType::kA ? "a" : "aaaa";
  TextAndWeight read;
  if (const json::array* items = value.if_array()) {
    read = TRY(pair_of(*items));
  } else if (const json::object* object = value.if_object()) {
    read = TRY(object_of(*object, {"ip", own}));
  } else {
    return fault("must be [\"address\", weight] or {\"ip\": address, \"weight\": weight}");
  }
  const auto address = parse_ip(read.text);
  if (!address.ok() || address->is_v4() != (type == RrType::kA)) {
    return fault("'" + std::string(read.text) + "' is no " +
                 (type == RrType::kA ? "IPv4" : "IPv6") + " address");
  }
  ZoneRecord record{{}, read.weight};
  put(record.rdata, address->bytes());
  return std::optional(std::move(record));
}

// CNAME targets without a last dot are below the zone; PTR's are complete (as geodns has it).
Read read_name(RrType type, const json::value& value, NameView origin) {
  const bool cname = type == RrType::kCname;
  TextAndWeight read;
  if (const json::array* items = value.if_array()) {
    read = TRY(pair_of(*items));
  } else if (const json::object* object = value.if_object()) {
    read = TRY(object_of(*object, {cname ? "cname" : "ptr"}));
  } else if (const json::string* text = value.if_string(); text != nullptr && cname) {
    read.text = view(*text);
  } else {
    return fault("must be [\"name\", weight] or an object");
  }
  const DnsName name = TRY(name_of(read.text, cname ? origin : NameView()));
  return std::optional(with_name(name, read.weight));
}

Read read_ns(const json::value& value) {
  const json::string* text = value.if_string();
  if (text == nullptr) return fault("must be a name");
  const DnsName name = TRY(name_of(view(*text), NameView()));
  return std::optional(with_name(name, 0));
}

Read read_mx(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr) return fault("must be {\"mx\": name, \"preference\": number}");
  const Members members(*object);
  const auto text = TRY(members.text("mx"));
  const DnsName name = TRY(name_of(text, NameView()));
  ZoneRecord record{{}, TRY(members.weight())};
  put16(record.rdata, TRY(members.integer("preference", 0xffff, 0)));
  put(record.rdata, name.wire());
  return std::optional(std::move(record));
}

Read read_srv(const json::value& value, NameView origin) {
  const json::object* object = value.if_object();
  if (object == nullptr) return fault("must be {\"target\": name, \"port\": number, ...}");
  const Members members(*object);
  const auto text = TRY(members.text("target"));
  const DnsName name = TRY(name_of(text, origin));
  ZoneRecord record{{}, TRY(members.weight())};
  put16(record.rdata, TRY(members.integer("priority", 0xffff, 0)));
  put16(record.rdata, TRY(members.integer("srv_weight", 0xffff, 0)));
  put16(record.rdata, TRY(members.integer("port", 0xffff, 0)));
  put(record.rdata, name.wire());
  return std::optional(std::move(record));
}

// As one or more strings of at most 255 bytes (RFC 1035 3.3.14).
Read read_text(RrType type, const json::value& value) {
  TextAndWeight read;
  if (const json::string* text = value.if_string()) {
    read.text = view(*text);
  } else if (const json::object* object = value.if_object()) {
    const std::string_view key = type == RrType::kTxt ? "txt" : "spf";
    if (Members(*object).find(key) == nullptr) return std::optional<ZoneRecord>();
    read = TRY(object_of(*object, {key}));
  } else {
    return fault("must be a text or an object");
  }
  if (read.text.empty()) return std::optional<ZoneRecord>();
  if (read.text.size() > kMaxRdata - kMaxRdata / 256 - 1) {
    return fault("is longer than " + std::to_string(kMaxRdata) + " bytes");
  }
  ZoneRecord record{{}, read.weight};
  for (std::size_t at = 0; at < read.text.size(); at += 255) {
    const std::string_view part = read.text.substr(at, 255);
    record.rdata.push_back(static_cast<std::byte>(part.size()));
    put(record.rdata, std::as_bytes(std::span(part.data(), part.size())));
  }
  return std::optional(std::move(record));
}

// The text form of a master file.
Read read_presented(RrType type, const json::value& value, NameView origin) {
  TextAndWeight read;
  if (const json::string* text = value.if_string()) {
    read.text = view(*text);
  } else if (const json::array* items = value.if_array()) {
    read = TRY(pair_of(*items));
  } else if (const json::object* object = value.if_object()) {
    std::string key = format(type);
    for (char& c : key) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    read = TRY(object_of(*object, {key, "rdata"}));
  } else {
    return fault("must be a text or an object");
  }
  auto data = read_rdata_text(type, read.text, origin);
  if (!data.ok()) return fault(std::move(data).error());
  return std::optional(ZoneRecord{std::move(data).value(), read.weight});
}

}  // namespace

std::optional<std::int64_t> integer_of(const json::value& value, std::int64_t min, std::int64_t max,
                                       std::string& why) {
  std::int64_t out = 0;
  if (const std::int64_t* integer = value.if_int64()) {
    out = *integer;
  } else if (value.if_uint64() != nullptr) {
    why = "is larger than " + std::to_string(max);
    return std::nullopt;
  } else if (const double* number = value.if_double()) {
    // Beyond 2^53 whole numbers have gaps; every limit here lies far below.
    if (!(std::abs(*number) < 9e15)) {
      why = "is out of range";
      return std::nullopt;
    }
    out = static_cast<std::int64_t>(*number);
  } else if (const json::string* text = value.if_string()) {
    const char* end = text->data() + text->size();
    const auto [at, error] = std::from_chars(text->data(), end, out);
    if (error != std::errc() || at != end || text->empty()) {
      why = "'" + std::string(text->data(), text->size()) + "' is no whole number";
      return std::nullopt;
    }
  } else {
    why = "must be a number";
    return std::nullopt;
  }
  if (out < min || out > max) {
    why = std::to_string(out) + " is not in " + std::to_string(min) + " to " + std::to_string(max);
    return std::nullopt;
  }
  return out;
}

namespace {

Read read_data(RrType type, const json::value& value, NameView origin) {
  switch (type) {
    case RrType::kA:
    case RrType::kAaaa:
      return read_address(type, value);
    case RrType::kCname:
    case RrType::kPtr:
      return read_name(type, value, origin);
    case RrType::kNs:
      return read_ns(value);
    case RrType::kMx:
      return read_mx(value);
    case RrType::kSrv:
      return read_srv(value, origin);
    case RrType::kTxt:
    case RrType::kSpf:
      return read_text(type, value);
    default:
      return read_presented(type, value, origin);
  }
}

}  // namespace

Result<std::optional<ReadRecord>, RecordFault> read_record(RrType type, const json::value& value,
                                                           NameView origin) {
  auto data = TRY(read_data(type, value, origin));
  if (!data) return std::optional<ReadRecord>();
  ReadRecord out{std::move(*data), {}};
  if (const json::object* object = value.if_object()) {
    const json::value* test = Members(*object).find("health");
    if (test != nullptr) out.test = TRY(Members(*object).text("health"));
  }
  return std::optional(std::move(out));
}

}  // namespace timepool::dns
