#include "dns/zone/master_file.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "dns/zone/master_lexer.h"
#include "dns/zone/rdata_reader.h"
#include "dns/zone/zone_check.h"

namespace timepool::dns {
namespace {

using wire::dns::DnsName;
using wire::dns::NameView;
using wire::dns::RrClass;
using wire::dns::RrType;
using Status = Result<void, ZoneError>;

// What is made, not taken from the file.
constexpr RrType kSigned[] = {RrType::kRrsig,          RrType::kNsec,   RrType::kNsec3,
                              RrType::kNsec3param,     RrType::kDnskey, RrType::kCds,
                              RrType::kCdnskey,
                              static_cast<RrType>(24),   // SIG
                              static_cast<RrType>(30),   // NXT
                              static_cast<RrType>(63)};  // ZONEMD

bool is_signed_type(RrType type) {
  return std::find(std::begin(kSigned), std::end(kSigned), type) != std::end(kSigned);
}

// One text being read: the zone's own file or an included one.
struct Source {
  std::string_view text;
  std::string name;  // as $INCLUDE has it; empty: the zone's own
  DnsName origin;
  std::optional<DnsName> owner;  // of the record before
};

class MasterLoader {
 public:
  MasterLoader(Zone& zone, const IncludeReader& include) : zone_(zone), include_(include) {}

  Status read(Source source, int depth) {
    total_ += source.text.size();
    if (total_ > kMaxZoneText) {
      return wrong(source, 0,
                   "all together are longer than " + std::to_string(kMaxZoneText) + " bytes");
    }
    MasterLexer lexer(source.text);
    for (;;) {
      auto entry = lexer.next();
      if (!entry.ok()) return wrong(source, entry.error().offset, entry.error().text);
      if (!entry.value()) return {};
      TRY(take(source, **entry, depth));
    }
  }

  Status finish(const Source& source) {
    if (zone_.soa.empty()) return wrong(source, 0, "the zone has no SOA");
    for (auto& [name, label] : labels_) zone_.labels.push_back(std::move(label));
    const Label* apex = zone_.find("");
    if (apex == nullptr || apex->find(RrType::kNs) == nullptr) {
      return wrong(source, 0, "the zone has no NS at its apex");
    }
    if (left_out_ > 0) {
      zone_.warnings.push_back(std::to_string(left_out_) +
                               " records of signing (the first in line " +
                               std::to_string(left_out_line_) + ") are left out");
    }
    return {};
  }

 private:
  static Failure<ZoneError> wrong(const Source& source, std::size_t offset, std::string text) {
    return fail(ZoneError{place_of(source.text, offset), std::move(text), source.name});
  }
  static Failure<ZoneError> wrong(const Source& source, const Word& word, std::string text) {
    return wrong(source, word.offset, std::move(text));
  }

  Status take(Source& source, const MasterEntry& entry, int depth) {
    const Word& first = entry.words.front();
    if (!first.quoted && first.text.starts_with('$')) return directive(source, entry, depth);
    return record(source, entry);
  }

  static Result<DnsName, ZoneError> name_of(const Source& source, const Word& word) {
    if (word.text == "@" && !word.quoted) return source.origin;
    const auto name = DnsName::from_text(word.text, source.origin);
    if (!name.ok()) {
      return wrong(source, word,
                   "'" + std::string(word.text) + "' is no domain name (" +
                       std::string(wire::dns::name_of(name.error())) + ")");
    }
    return name.value();
  }

  Status directive(Source& source, const MasterEntry& entry, int depth) {
    const std::string_view which = entry.words[0].text;
    const std::size_t given = entry.words.size() - 1;
    if (which == "$INCLUDE") return include(source, entry, depth);
    if (which != "$ORIGIN" && which != "$TTL") {
      return wrong(source, entry.words[0], "unknown directive '" + std::string(which) + "'");
    }
    if (given != 1) return wrong(source, entry.words[0], std::string(which) + " takes one value");
    const Word& value = entry.words[1];
    if (which == "$ORIGIN") {
      source.origin = TRY(name_of(source, value));
      return {};
    }
    default_ttl_ = read_ttl(value.text);
    if (!default_ttl_) return wrong(source, value, "is no time in seconds");
    return {};
  }

  // RFC 1035 5.1: the origin and the owner of the including file are as before behind it.
  Status include(const Source& source, const MasterEntry& entry, int depth) {
    if (entry.words.size() < 2 || entry.words.size() > 3) {
      return wrong(source, entry.words[0], "$INCLUDE takes a file and perhaps an origin");
    }
    const Word& file = entry.words[1];
    if (depth == kMaxIncludeDepth || ++includes_ > kMaxIncludes) {
      return wrong(source, file,
                   "more than " + std::to_string(kMaxIncludeDepth) +
                       " files within each other, or " + std::to_string(kMaxIncludes) + " in all");
    }
    if (!include_) return wrong(source, file, "$INCLUDE has no files here");
    const auto name = unescaped(file.text);
    if (!name) return wrong(source, file, "has a broken escape");
    const auto text = include_(*name);
    if (!text.ok()) return wrong(source, file, text.error());
    Source next{text.value(), *name, source.origin, source.owner};
    if (entry.words.size() == 3) next.origin = TRY(name_of(source, entry.words[2]));
    return read(std::move(next), depth + 1);
  }

  // [owner] [TTL] [class] type data, TTL and class in either order.
  Status record(Source& source, const MasterEntry& entry) {
    const auto& words = entry.words;
    std::size_t at = 0;
    if (!entry.starts_blank) source.owner = TRY(name_of(source, words[at++]));
    if (!source.owner) return wrong(source, words[0], "a record without an owner");
    std::optional<std::uint32_t> ttl;
    bool with_class = false;
    for (; at < words.size(); ++at) {
      if (!ttl && !words[at].text.empty() && words[at].text[0] >= '0' && words[at].text[0] <= '9') {
        ttl = read_ttl(words[at].text);
        if (!ttl) return wrong(source, words[at], "is no time in seconds");
        continue;
      }
      const auto klass = wire::dns::parse_class(words[at].text);
      if (with_class || !klass.ok() || klass.value() == RrClass::kAny) break;
      if (klass.value() != RrClass::kIn) return wrong(source, words[at], "the class must be IN");
      with_class = true;
    }
    if (at == words.size()) {
      return wrong(source, words.back(), "a record without a type");
    }
    const Word& word = words[at];
    const auto type = wire::dns::parse_type(word.text);
    if (!type.ok()) return wrong(source, word, "'" + std::string(word.text) + "' is no type");
    return data(source, type.value(), ttl, word, std::span(words).subspan(at + 1));
  }

  Status data(const Source& source, RrType type, std::optional<std::uint32_t> ttl,
              const Word& type_word, std::span<const Word> words) {
    if (is_signed_type(type)) {
      if (left_out_++ == 0) left_out_line_ = place_of(source.text, type_word.offset).line;
      return {};
    }
    if (wire::dns::is_meta(type)) return wrong(source, type_word, "is no type of data");
    if (type == RrType::kDname) return wrong(source, type_word, "DNAME is not served here");
    if (!source.owner->is_within(zone_.origin)) {
      return wrong(source, type_word,
                   "'" + format(*source.owner) + "' is not in the zone " + format(zone_.origin));
    }
    auto read = read_rdata(type, words, source.origin);
    if (!read.ok()) {
      const std::size_t index = read.error().word;
      const Word& at = index < words.size() ? words[index]
                       : words.empty()      ? type_word
                                            : words.back();
      return wrong(source, at, format(type) + ": " + read.error().text);
    }
    if (type == RrType::kSoa) return soa(source, type_word, ttl, std::move(read).value());
    // RFC 2308 4: the file's default; else, as RFC 1035 5.1 has it, that of the record before.
    const auto own = ttl ? ttl : default_ttl_ ? default_ttl_ : last_ttl_;
    if (!own) return wrong(source, type_word, "has no TTL, and there is no $TTL before it");
    last_ttl_ = *own;
    return add(source, type, *own, type_word, std::move(read).value());
  }

  Status soa(const Source& source, const Word& word, std::optional<std::uint32_t> ttl,
             std::vector<std::byte> data) {
    if (!(source.owner->view() == zone_.origin.view())) {
      return wrong(source, word, "an SOA that is not at the zone's apex " + format(zone_.origin));
    }
    if (!zone_.soa.empty()) return wrong(source, word, "a second SOA");
    ByteReader fields(Bytes(data).last(20));
    zone_.serial = fields.u32();
    fields.skip(12);
    zone_.soa_minimum = fields.u32();
    zone_.soa_ttl = ttl ? *ttl : default_ttl_ ? *default_ttl_ : zone_.soa_minimum;
    if (!last_ttl_) last_ttl_ = zone_.soa_ttl;
    zone_.ttl = zone_.soa_ttl;
    zone_.soa = std::move(data);
    return {};
  }

  Status add(const Source& source, RrType type, std::uint32_t ttl, const Word& word,
             std::vector<std::byte> data) {
    const std::string name = label_name(*source.owner, zone_.origin);
    auto at = labels_.find(name);
    if (at == labels_.end()) {
      if (labels_.size() == kMaxLabels) {
        return wrong(source, word, "more than " + std::to_string(kMaxLabels) + " names");
      }
      at = labels_.try_emplace(name).first;
      at->second.name = name;
      at->second.max_hosts = kMaxItems;
    }
    Label& label = at->second;
    // RFC 2181 5: a record that is there already is the same record.
    if (!fresh(name, type, data)) return {};
    TRY(check_cname(source, label, type, word));
    auto set = std::find_if(label.sets.begin(), label.sets.end(),
                            [type](const RecordSet& s) { return s.type == type; });
    if (set == label.sets.end()) {
      set = label.sets.insert(label.sets.end(), RecordSet{type, {}, ttl, {}});
    } else if (*set->ttl != ttl) {
      // RFC 2181 5.2: one TTL for all of a set.
      zone_.warnings.push_back(format(*source.owner) + ' ' + format(type) + ": its TTLs differ");
      set->ttl = std::min(*set->ttl, ttl);
    }
    if (set->records.size() == kMaxRecordsPerSet) {
      return wrong(source, word, "more than " + std::to_string(kMaxRecordsPerSet) + " in a set");
    }
    set->records.push_back({std::move(data), 0});
    return {};
  }

  bool fresh(const std::string& name, RrType type, const std::vector<std::byte>& data) {
    std::string key = name + '/' + std::to_string(static_cast<unsigned>(type)) + '/';
    key.append(reinterpret_cast<const char*>(data.data()), data.size());
    return seen_.try_emplace(std::move(key)).second;
  }

  // RFC 1034 3.6.2, RFC 2181 10.1: a CNAME is alone.
  static Status check_cname(const Source& source, const Label& label, RrType type,
                            const Word& word) {
    const bool has_cname = label.find(RrType::kCname) != nullptr;
    if (type != RrType::kCname && !has_cname) return {};
    if (label.name.empty()) return wrong(source, word, "a CNAME at the zone's apex");
    if (type == RrType::kCname && has_cname) {
      return wrong(source, word, "a second CNAME of " + format(*source.owner));
    }
    if (!label.sets.empty()) {
      return wrong(source, word, format(*source.owner) + " has a CNAME and other data");
    }
    return {};
  }

  struct Nothing {};

  Zone& zone_;
  const IncludeReader& include_;
  std::map<std::string, Label> labels_;
  std::unordered_map<std::string, Nothing> seen_;
  std::optional<std::uint32_t> default_ttl_;
  std::optional<std::uint32_t> last_ttl_;
  std::size_t total_ = 0;
  int includes_ = 0;
  std::size_t left_out_ = 0;
  unsigned left_out_line_ = 0;
};

bool is_plain_octet(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view("-_*/+=:").find(c) != std::string_view::npos;
}

}  // namespace

std::string label_name(NameView name, NameView origin) {
  const DnsName lower = wire::dns::lowered(name);
  const std::size_t count = name.label_count() - std::min(name.label_count(), origin.label_count());
  std::string out;
  std::size_t i = 0;
  for (const std::string_view label : lower.labels()) {
    if (i++ == count) break;
    if (!out.empty()) out += '.';
    for (const char c : label) {
      if (is_plain_octet(c)) {
        out += c;
        continue;
      }
      const auto value = static_cast<unsigned char>(c);
      out += '\\';
      for (const int place : {100, 10, 1}) out += static_cast<char>('0' + value / place % 10);
    }
  }
  return out;
}

Result<Zone, ZoneError> load_master(std::string_view text, std::string_view origin,
                                    const IncludeReader& include) {
  Zone zone;
  const auto name = DnsName::from_text(origin);
  if (!name.ok()) {
    return fail(ZoneError{{}, "'" + std::string(origin) + "' is no domain name for a zone"});
  }
  zone.origin = wire::dns::lowered(name.value());
  zone.plain = true;
  zone.targeting = {false, false, false, false, true};
  const Source source{text, {}, zone.origin, std::nullopt};
  MasterLoader loader(zone, include);
  TRY(loader.read(source, 0));
  TRY(loader.finish(source));
  merge_repeats(zone);
  if (const auto fault = find_fault(zone)) {
    return fail(ZoneError{{}, "'" + fault->label + "': " + fault->text});
  }
  return zone;
}

}  // namespace timepool::dns
