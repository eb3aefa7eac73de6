#include "wire/dns/constants.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace timepool::wire::dns {
namespace {

struct Mnemonic {
  std::uint16_t value;
  std::string_view name;
};

// IANA "Resource Record (RR) TYPEs".
constexpr Mnemonic kTypes[] = {
    {1, "A"},           {2, "NS"},        {3, "MD"},        {4, "MF"},       {5, "CNAME"},
    {6, "SOA"},         {7, "MB"},        {8, "MG"},        {9, "MR"},       {10, "NULL"},
    {11, "WKS"},        {12, "PTR"},      {13, "HINFO"},    {14, "MINFO"},   {15, "MX"},
    {16, "TXT"},        {17, "RP"},       {18, "AFSDB"},    {19, "X25"},     {20, "ISDN"},
    {21, "RT"},         {22, "NSAP"},     {23, "NSAP-PTR"}, {24, "SIG"},     {25, "KEY"},
    {26, "PX"},         {27, "GPOS"},     {28, "AAAA"},     {29, "LOC"},     {30, "NXT"},
    {31, "EID"},        {32, "NIMLOC"},   {33, "SRV"},      {34, "ATMA"},    {35, "NAPTR"},
    {36, "KX"},         {37, "CERT"},     {38, "A6"},       {39, "DNAME"},   {40, "SINK"},
    {41, "OPT"},        {42, "APL"},      {43, "DS"},       {44, "SSHFP"},   {45, "IPSECKEY"},
    {46, "RRSIG"},      {47, "NSEC"},     {48, "DNSKEY"},   {49, "DHCID"},   {50, "NSEC3"},
    {51, "NSEC3PARAM"}, {52, "TLSA"},     {53, "SMIMEA"},   {55, "HIP"},     {56, "NINFO"},
    {57, "RKEY"},       {58, "TALINK"},   {59, "CDS"},      {60, "CDNSKEY"}, {61, "OPENPGPKEY"},
    {62, "CSYNC"},      {63, "ZONEMD"},   {64, "SVCB"},     {65, "HTTPS"},   {66, "DSYNC"},
    {67, "HHIT"},       {68, "BRID"},     {99, "SPF"},      {100, "UINFO"},  {101, "UID"},
    {102, "GID"},       {103, "UNSPEC"},  {104, "NID"},     {105, "L32"},    {106, "L64"},
    {107, "LP"},        {108, "EUI48"},   {109, "EUI64"},   {128, "NXNAME"}, {249, "TKEY"},
    {250, "TSIG"},      {251, "IXFR"},    {252, "AXFR"},    {253, "MAILB"},  {254, "MAILA"},
    {255, "ANY"},       {256, "URI"},     {257, "CAA"},     {258, "AVC"},    {259, "DOA"},
    {260, "AMTRELAY"},  {261, "RESINFO"}, {262, "WALLET"},  {263, "CLA"},    {264, "IPN"},
    {32768, "TA"},      {32769, "DLV"},
};
constexpr Mnemonic kClasses[] = {{1, "IN"}, {3, "CH"}, {4, "HS"}, {254, "NONE"}, {255, "ANY"}};
constexpr Mnemonic kOpcodes[] = {{0, "QUERY"},  {1, "IQUERY"}, {2, "STATUS"},
                                 {4, "NOTIFY"}, {5, "UPDATE"}, {6, "DSO"}};
constexpr Mnemonic kRcodes[] = {
    {0, "NOERROR"},  {1, "FORMERR"},  {2, "SERVFAIL"},  {3, "NXDOMAIN"},   {4, "NOTIMP"},
    {5, "REFUSED"},  {6, "YXDOMAIN"}, {7, "YXRRSET"},   {8, "NXRRSET"},    {9, "NOTAUTH"},
    {10, "NOTZONE"}, {16, "BADVERS"}, {17, "BADKEY"},   {18, "BADTIME"},   {19, "BADMODE"},
    {20, "BADNAME"}, {21, "BADALG"},  {22, "BADTRUNC"}, {23, "BADCOOKIE"},
};

template <std::size_t N>
std::string name_or(const Mnemonic (&table)[N], unsigned value, std::string_view prefix) {
  const auto* found = std::find_if(std::begin(table), std::end(table),
                                   [&](const Mnemonic& m) { return m.value == value; });
  if (found != std::end(table)) return std::string(found->name);
  return std::string(prefix) + std::to_string(value);
}

bool same_word(std::string_view a, std::string_view b) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return upper(x) == upper(y); });
}

template <std::size_t N>
Result<std::uint16_t, Malformed> value_of(const Mnemonic (&table)[N], std::string_view text,
                                          std::string_view prefix) {
  for (const Mnemonic& m : table) {
    if (same_word(m.name, text)) return m.value;
  }
  if (text.size() <= prefix.size() || !same_word(text.substr(0, prefix.size()), prefix)) {
    return fail(Malformed::kUnknownName);
  }
  std::uint16_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data() + prefix.size(), end, value);
  if (error != std::errc() || at != end) return fail(Malformed::kUnknownName);
  return value;
}

}  // namespace

std::string format(RrType type) {
  return name_or(kTypes, static_cast<unsigned>(type), "TYPE");
}
std::string format(RrClass klass) {
  return name_or(kClasses, static_cast<unsigned>(klass), "CLASS");
}
std::string format(Opcode opcode) {
  return name_or(kOpcodes, static_cast<unsigned>(opcode), "OPCODE");
}
std::string format(Rcode rcode) {
  return name_or(kRcodes, static_cast<unsigned>(rcode), "RCODE");
}

Result<RrType, Malformed> parse_type(std::string_view text) {
  return static_cast<RrType>(TRY(value_of(kTypes, text, "TYPE")));
}
Result<RrClass, Malformed> parse_class(std::string_view text) {
  return static_cast<RrClass>(TRY(value_of(kClasses, text, "CLASS")));
}

}  // namespace timepool::wire::dns
