#include "dns/zone/rdata_reader.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/hex.h"
#include "base/ip.h"
#include "dns/zone/zone.h"
#include "wire/dns/rdata.h"
#include "wire/dns/type_bitmap.h"

namespace timepool::dns {
namespace {

using wire::dns::DnsName;
using wire::dns::NameView;
using wire::dns::RrType;

// The fields of a type's text, one letter each:
//   1 2 4  an integer of so many octets     T  seconds, 4 octets
//   n      a name                           a A  an IPv4, IPv6 address
//   s      one character-string             S  one or more of them, to the end
//   q      text to the end of the data      c  text behind its length in one octet
//   x b    hexadecimal, base64, to the end  t  a type, 2 octets
//   g      a DNSSEC algorithm, 1 octet      m  types as a bitmap, to the end
//   e      octets in hexadecimal with dashes between
//   v      service parameters, to the end
struct TextForm {
  RrType type;
  std::string_view fields;
};
constexpr RrType type_of(std::uint16_t value) {
  return static_cast<RrType>(value);
}
constexpr TextForm kForms[] = {
    {RrType::kA, "a"},         {RrType::kNs, "n"},         {type_of(3), "n"},        // MD
    {type_of(4), "n"},                                                               // MF
    {RrType::kCname, "n"},     {RrType::kSoa, "nn4TTTT"},  {type_of(7), "n"},        // MB
    {type_of(8), "n"},                                                               // MG
    {type_of(9), "n"},                                                               // MR
    {RrType::kPtr, "n"},       {RrType::kHinfo, "ss"},     {type_of(14), "nn"},      // MINFO
    {RrType::kMx, "2n"},       {RrType::kTxt, "S"},        {type_of(17), "nn"},      // RP
    {type_of(18), "2n"},                                                             // AFSDB
    {type_of(21), "2n"},                                                             // RT
    {RrType::kAaaa, "A"},      {RrType::kSrv, "222n"},     {type_of(35), "22sssn"},  // NAPTR
    {type_of(36), "2n"},                                                             // KX
    {type_of(37), "22gb"},                                                           // CERT
    {RrType::kDname, "n"},     {RrType::kDs, "2g1x"},      {type_of(44), "11x"},     // SSHFP
    {RrType::kDnskey, "21gb"}, {type_of(49), "b"},                                   // DHCID
    {RrType::kTlsa, "111x"},   {type_of(53), "111x"},                                // SMIMEA
    {RrType::kCds, "2g1x"},    {RrType::kCdnskey, "21gb"}, {type_of(61), "b"},       // OPENPGPKEY
    {type_of(62), "42m"},                                                            // CSYNC
    {RrType::kSvcb, "2nv"},    {RrType::kHttps, "2nv"},    {RrType::kSpf, "S"},
    {type_of(107), "2n"},   // LP
    {type_of(108), "e"},    // EUI48
    {type_of(109), "e"},    // EUI64
    {type_of(256), "22q"},  // URI
    {RrType::kCaa, "1cq"},
};

std::string_view fields_of(RrType type) {
  for (const TextForm& form : kForms) {
    if (form.type == type) return form.fields;
  }
  return {};
}

// IANA "DNS Security Algorithm Numbers".
struct Mnemonic {
  std::string_view name;
  std::uint8_t value;
};
constexpr Mnemonic kAlgorithms[] = {{"DELETE", 0},
                                    {"RSAMD5", 1},
                                    {"DH", 2},
                                    {"DSA", 3},
                                    {"RSASHA1", 5},
                                    {"DSA-NSEC3-SHA1", 6},
                                    {"RSASHA1-NSEC3-SHA1", 7},
                                    {"RSASHA256", 8},
                                    {"RSASHA512", 10},
                                    {"ECC-GOST", 12},
                                    {"ECDSAP256SHA256", 13},
                                    {"ECDSAP384SHA384", 14},
                                    {"ED25519", 15},
                                    {"ED448", 16},
                                    {"PRIVATEDNS", 253},
                                    {"PRIVATEOID", 254}};

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

// Reads field after field; the first fault stays and what follows is not looked at.
class FieldReader {
 public:
  FieldReader(std::span<const Word> words, NameView origin) : words_(words), origin_(origin) {}

  void field(char letter);
  void end() {
    if (!failed_ && at_ < words_.size()) fault("nothing is expected here");
  }
  bool failed() const { return failed_; }
  RdataFault take_fault() { return std::move(fault_); }
  std::vector<std::byte>& data() { return data_; }

 private:
  void fault(std::string text) {
    if (failed_) return;
    failed_ = true;
    fault_ = {at_, std::move(text)};
  }
  // The word that comes next; a fault and an empty one where there is none.
  std::string_view next(std::string_view what) {
    if (at_ < words_.size()) return words_[at_].text;
    fault(std::string(what) + " is missing");
    return {};
  }
  void put(Bytes bytes) { data_.insert(data_.end(), bytes.begin(), bytes.end()); }
  void put(std::string_view text) { put(std::as_bytes(std::span(text.data(), text.size()))); }
  void put_integer(std::uint64_t value, int octets) {
    for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) {
      data_.push_back(static_cast<std::byte>(value >> shift & 0xff));
    }
  }

  void integer(int octets);
  void seconds();
  void name();
  void address(bool v4);
  void string();
  void text_to_end(bool with_length);
  void encoded(bool hex);
  void type();
  void algorithm();
  void bitmap();
  void dashed_octets();
  void parameters();

  std::span<const Word> words_;
  NameView origin_;
  std::size_t at_ = 0;
  bool failed_ = false;
  RdataFault fault_;
  std::vector<std::byte> data_;
};

void FieldReader::field(char letter) {
  if (failed_) return;
  switch (letter) {
    case '1':
    case '2':
    case '4':
      return integer(letter - '0');
    case 'T':
      return seconds();
    case 'n':
      return name();
    case 'a':
    case 'A':
      return address(letter == 'a');
    case 's':
      return string();
    case 'S':
      do {
        string();
      } while (!failed_ && at_ < words_.size());
      return;
    case 'q':
    case 'c':
      return text_to_end(letter == 'c');
    case 'x':
    case 'b':
      return encoded(letter == 'x');
    case 't':
      return type();
    case 'g':
      return algorithm();
    case 'm':
      return bitmap();
    case 'e':
      return dashed_octets();
    default:
      return parameters();
  }
}

void FieldReader::integer(int octets) {
  const std::string_view text = next("a number");
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::uint64_t max = ~std::uint64_t{0} >> (64 - 8 * octets);
  if (error != std::errc() || end != text.data() + text.size() || value > max) {
    return fault("'" + std::string(text) + "' is no number from 0 to " + std::to_string(max));
  }
  put_integer(value, octets);
  ++at_;
}

void FieldReader::seconds() {
  const std::string_view text = next("a time in seconds");
  if (failed_) return;
  // The fields of an SOA have all 32 bits; with units they are bounded as TTLs are.
  auto value = read_ttl(text);
  std::uint32_t plain = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), plain);
  if (error == std::errc() && end == text.data() + text.size()) value = plain;
  if (!value) return fault("'" + std::string(text) + "' is no time in seconds");
  put_integer(*value, 4);
  ++at_;
}

void FieldReader::name() {
  const std::string_view text = next("a name");
  if (failed_) return;
  const auto name = text == "@" ? Result<DnsName, wire::dns::Malformed>(DnsName(origin_))
                                : DnsName::from_text(text, origin_);
  if (!name.ok()) {
    return fault("'" + std::string(text) + "' is no domain name (" +
                 std::string(wire::dns::name_of(name.error())) + ")");
  }
  put(name.value().wire());
  ++at_;
}

void FieldReader::address(bool v4) {
  const std::string_view text = next("an address");
  if (failed_) return;
  const auto address = parse_ip(text);
  if (!address.ok() || address->is_v4() != v4) {
    return fault("'" + std::string(text) + "' is no " + (v4 ? "IPv4" : "IPv6") + " address");
  }
  put(address->bytes());
  ++at_;
}

void FieldReader::string() {
  const std::string_view text = next("a text");
  if (failed_) return;
  const auto octets = unescaped(text);
  if (!octets) return fault("has a broken escape");
  if (octets->size() > 255) return fault("is longer than 255 octets");
  put_integer(octets->size(), 1);
  put(*octets);
  ++at_;
}

void FieldReader::text_to_end(bool with_length) {
  const std::string_view text = next("a text");
  if (failed_) return;
  const auto octets = unescaped(text);
  if (!octets) return fault("has a broken escape");
  if (with_length) {
    if (octets->size() > 255) return fault("is longer than 255 octets");
    put_integer(octets->size(), 1);
  }
  put(*octets);
  ++at_;
}

// Blanks may stand anywhere in it (RFC 4034 2.2, 5.3).
void FieldReader::encoded(bool hex) {
  std::string text;
  const std::size_t first = at_;
  next(hex ? "data in hexadecimal" : "data in base64");
  for (; at_ < words_.size(); ++at_) text += words_[at_].text;
  if (failed_) return;
  const auto octets = hex ? from_hex(text) : from_base64(text);
  // "0" stands for no digest in a CDS that asks for deletion (RFC 8078 4).
  if (!octets.ok() || octets->empty()) {
    at_ = first;
    return fault(hex ? "is no data in hexadecimal" : "is no data in base64");
  }
  put(*octets);
}

void FieldReader::type() {
  const std::string_view text = next("a type");
  if (failed_) return;
  const auto type = wire::dns::parse_type(text);
  if (!type.ok()) return fault("'" + std::string(text) + "' is no type");
  put_integer(static_cast<std::uint16_t>(type.value()), 2);
  ++at_;
}

void FieldReader::algorithm() {
  const std::string name = upper(next("an algorithm"));
  for (const Mnemonic& known : kAlgorithms) {
    if (known.name != name) continue;
    put_integer(known.value, 1);
    ++at_;
    return;
  }
  integer(1);
}

void FieldReader::bitmap() {
  std::vector<RrType> types;
  for (; at_ < words_.size(); ++at_) {
    const auto type = wire::dns::parse_type(words_[at_].text);
    if (!type.ok()) return fault("'" + std::string(words_[at_].text) + "' is no type");
    types.push_back(type.value());
  }
  std::sort(types.begin(), types.end());
  types.erase(std::unique(types.begin(), types.end()), types.end());
  std::vector<std::byte> buffer(34 * 256);
  ByteWriter writer(buffer);
  wire::dns::write_type_bitmap(writer, types);
  put(writer.written());
}

void FieldReader::dashed_octets() {
  std::string text;
  for (const char c : next("octets")) {
    if (c != '-') text += c;
  }
  if (failed_) return;
  const auto octets = from_hex(text);
  if (!octets.ok()) return fault("is no list of octets");
  put(*octets);
  ++at_;
}

void FieldReader::parameters() {
  auto params = read_svcb_params(words_.subspan(at_));
  if (!params.ok()) {
    at_ += params.error().word;
    return fault(std::move(params.error().text));
  }
  put(*params);
  at_ = words_.size();
}

// RFC 3597 5: \# LENGTH HEX...
Result<std::vector<std::byte>, RdataFault> read_generic(std::span<const Word> words) {
  std::size_t length = 0;
  const std::string_view number = words.size() > 1 ? words[1].text : std::string_view();
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), length);
  if (number.empty() || error != std::errc() || end != number.data() + number.size() ||
      length > 65535) {
    return fail(RdataFault{1, "the number of octets must follow \\#"});
  }
  std::string text;
  for (const Word& word : words.subspan(2)) text += word.text;
  auto octets = from_hex(text);
  if (!octets.ok()) return fail(RdataFault{2, "is no data in hexadecimal"});
  if (octets->size() != length) {
    return fail(RdataFault{1, "says " + std::to_string(length) + " octets, there are " +
                                  std::to_string(octets->size())});
  }
  return std::move(octets).value();
}

// What a reader of the wire form would refuse is refused here, and so is what it would write in
// another way: pointers of compression in generic data.
Result<void, RdataFault> check(RrType type, Bytes data) {
  if (data.size() > kMaxRdata) {
    return fail(RdataFault{0, "is longer than " + std::to_string(kMaxRdata) + " octets"});
  }
  ByteReader reader(data);
  const auto parsed = wire::dns::parse_rdata(reader, type, data.size());
  if (!parsed.ok()) {
    return fail(RdataFault{0, "is no data of " + format(type) + " (" +
                                  std::string(wire::dns::name_of(parsed.error())) + ")"});
  }
  std::vector<std::byte> again(data.size() + wire::dns::kMaxName * 2);
  ByteWriter writer(again);
  wire::dns::write_rdata(writer, parsed.value());
  const Bytes written = writer.written();
  if (!std::equal(written.begin(), written.end(), data.begin(), data.end())) {
    return fail(RdataFault{0, "has a compressed name"});
  }
  return {};
}

}  // namespace

bool has_text_form(RrType type) {
  return !fields_of(type).empty();
}

std::optional<std::uint32_t> read_ttl(std::string_view text) {
  std::uint64_t sum = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::uint64_t unit = 1;
    if (!text.empty()) {
      switch (text.front() | 0x20) {
        case 's':
          break;
        case 'm':
          unit = 60;
          break;
        case 'h':
          unit = 3600;
          break;
        case 'd':
          unit = 86400;
          break;
        case 'w':
          unit = 604800;
          break;
        default:
          return std::nullopt;
      }
      text.remove_prefix(1);
    }
    sum += value * unit;
    if (sum > kMaxTtl) return std::nullopt;
  }
  return static_cast<std::uint32_t>(sum);
}

Result<std::vector<std::byte>, RdataFault> read_rdata(RrType type, std::span<const Word> words,
                                                      NameView origin) {
  std::vector<std::byte> data;
  if (!words.empty() && words[0].text == "\\#" && !words[0].quoted) {
    data = TRY(read_generic(words));
  } else {
    const std::string_view fields = fields_of(type);
    if (fields.empty()) {
      return fail(
          RdataFault{0, format(type) + " has no text form here but \"\\# LENGTH HEX\" (RFC 3597)"});
    }
    FieldReader reader(words, origin);
    for (const char letter : fields) reader.field(letter);
    reader.end();
    if (reader.failed()) return fail(reader.take_fault());
    data = std::move(reader.data());
  }
  TRY(check(type, data));
  return data;
}

Result<std::vector<std::byte>, std::string> read_rdata_text(RrType type, std::string_view text,
                                                            NameView origin) {
  MasterLexer lexer(text);
  auto entry = lexer.next();
  if (!entry.ok()) return fail(std::move(entry.error().text));
  const std::vector<Word> words = entry.value() ? std::move((*entry)->words) : std::vector<Word>();
  if (const auto more = lexer.next(); !more.ok() || more.value()) {
    return fail(std::string("has more than one line"));
  }
  auto data = read_rdata(type, words, origin);
  if (data.ok()) return std::move(data).value();
  const RdataFault& fault = data.error();
  return fail("word " + std::to_string(fault.word + 1) + ": " + fault.text);
}

}  // namespace timepool::dns
