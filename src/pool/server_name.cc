#include "pool/server_name.h"

#include <algorithm>
#include <array>

namespace timepool::pool {
namespace {

constexpr std::array<std::string_view, 7> kContinents{
    "africa", "antarctica", "asia", "europe", "north-america", "oceania", "south-america"};

// What people take for the pool itself, for its services or for its staff; and names that programs
// look up without being asked to.
constexpr std::array<std::string_view, 92> kServices{
    "abuse",   "account",     "accounts",     "acme",       "admin",    "administrator", "api",
    "auth",    "autoconfig",  "autodiscover", "billing",    "blog",     "broadcasthost", "cdn",
    "certs",   "client",      "clock",        "cloud",      "contact",  "default",       "dev",
    "dns",     "docs",        "domain",       "download",   "email",    "example",       "ftp",
    "git",     "gps",         "help",         "home",       "host",     "hostmaster",    "http",
    "https",   "imap",        "info",         "internal",   "invalid",  "isatap",        "ldap",
    "local",   "localdomain", "localhost",    "login",      "mail",     "manage",        "manager",
    "member",  "members",     "monitor",      "monitors",   "news",     "noc",           "none",
    "noreply", "ntp",         "ntpd",         "ntske",      "official", "onion",         "pool",
    "pop",     "pop3",        "portal",       "postmaster", "proxy",    "register",      "root",
    "secure",  "security",    "server",       "servers",    "smtp",     "sntp",          "ssh",
    "ssl",     "staff",       "static",       "status",     "support",  "system",        "test",
    "time",    "timepool",    "tls",          "usenet",     "webmail",  "webmaster",     "wpad",
    "www",
};

// The kind of labels that the NTP Pool gives to vendors.
constexpr std::array<std::string_view, 52> kVendors{
    "alpine",   "amazon",     "android",     "apple",        "arch",      "archlinux",  "arista",
    "asterisk", "aws",        "azure",       "canonical",    "centos",    "checkpoint", "chromeos",
    "cisco",    "cloudflare", "coreos",      "debian",       "dlink",     "docker",     "fedora",
    "fortinet", "freebsd",    "gentoo",      "google",       "huawei",    "ios",        "juniper",
    "linux",    "macos",      "mageia",      "mandriva",     "microsoft", "mikrotik",   "netbsd",
    "netgear",  "nixos",      "openbsd",     "openembedded", "opensuse",  "openwrt",    "opnsense",
    "oracle",   "pfsense",    "raspberrypi", "redhat",       "rhel",      "slackware",  "suse",
    "ubuntu",   "vmware",     "windows",
};

template <std::size_t kSize>
bool has(const std::array<std::string_view, kSize>& table, std::string_view word) {
  return std::find(table.begin(), table.end(), word) != table.end();
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

Result<void, NameFault> check_letters(std::string_view label) {
  if (label.empty() || label.size() > kMaxServerLabel) return fail(NameFault::kLength);
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; };
  if (!std::all_of(label.begin(), label.end(), allowed)) return fail(NameFault::kCharacters);
  if (label.front() == '-' || label.back() == '-') return fail(NameFault::kHyphen);
  return {};
}

}  // namespace

std::string_view explain(NameFault fault) {
  switch (fault) {
    case NameFault::kLength:
      return "expected 3 to 63 characters, or a whole name of at most 253";
    case NameFault::kCharacters:
      return "expected lower-case letters, digits and '-' only";
    case NameFault::kHyphen:
      return "'-' may not be first or last, nor at the third and fourth place at once";
    case NameFault::kReserved:
      return "is reserved";
    case NameFault::kInside:
      return "names inside the pool's zone are registered by their label alone";
    case NameFault::kNumericEnd:
      return "ends in a number as an address does";
  }
  return "";
}

bool is_reserved(std::string_view label, std::span<const std::string> reserved) {
  if (std::find(reserved.begin(), reserved.end(), label) != reserved.end()) return true;
  if (has(kContinents, label) || has(kServices, label) || has(kVendors, label)) return true;
  // "ns1", "www2", "ntp-3", and plain numbers, of which nothing is left.
  std::string_view stem = label;
  while (!stem.empty() && is_digit(stem.back())) stem.remove_suffix(1);
  if (stem.empty()) return true;
  if (stem.size() == label.size()) return false;
  if (stem.back() == '-') stem.remove_suffix(1);
  return stem == "ns" || stem == "mx" || has(kServices, stem) || has(kContinents, stem);
}

Result<void, NameFault> check_label(std::string_view label, std::span<const std::string> reserved) {
  if (label.size() < kMinServerLabel) return fail(NameFault::kLength);
  TRY(check_letters(label));
  // Also "xn--": what looks like another's name in another script is nothing to give away.
  if (label.size() >= 4 && label.substr(2, 2) == "--") return fail(NameFault::kHyphen);
  if (is_reserved(label, reserved)) return fail(NameFault::kReserved);
  return {};
}

Result<void, NameFault> check_own_name(std::string_view name, std::string_view zone) {
  if (name.size() > kMaxServerName) return fail(NameFault::kLength);
  std::string_view rest = name;
  std::string_view label;
  while (true) {
    const std::size_t dot = rest.find('.');
    label = rest.substr(0, dot);
    TRY(check_letters(label));
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (std::all_of(label.begin(), label.end(), is_digit)) return fail(NameFault::kNumericEnd);
  const bool inside = name == zone || (name.size() > zone.size() && name.ends_with(zone) &&
                                       name[name.size() - zone.size() - 1] == '.');
  if (inside) return fail(NameFault::kInside);
  return {};
}

}  // namespace timepool::pool
