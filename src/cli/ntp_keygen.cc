#include "cli/ntp_keygen.h"

#include <charconv>
#include <cstdio>
#include <memory>
#include <vector>

#include "base/hex.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "ntp/key_table.h"
#include "sys/random.h"

namespace timepool::cli {
namespace {

constexpr int kMaxKeyBits = static_cast<int>(ntp::kMaxKeySize) * 8;

struct KeygenArguments {
  std::optional<std::string> id;
  std::optional<std::string> type;
  std::optional<std::string> bits;
};

template <class Int>
Result<Int> number_of(const std::optional<std::string>& text, const char* what, Int absent) {
  if (!text) return absent;
  Int out = 0;
  const auto [rest, wrong] = std::from_chars(text->data(), text->data() + text->size(), out);
  if (wrong != std::errc() || rest != text->data() + text->size() || out == 0) {
    return fail(Error{ErrorCode::kInvalid, "keygen", *text + " is no " + what});
  }
  return out;
}

Result<std::string> line_of(const KeygenArguments& arguments) {
  const auto id = TRY(number_of<std::uint32_t>(arguments.id, "number of a key", 1));
  const std::string name = arguments.type.value_or("AES128");
  const std::optional<MacType> type = parse_mac_type(name);
  if (!type) return fail(Error{ErrorCode::kInvalid, "keygen", name + " is no type of keys"});
  std::optional<int> bits;
  if (arguments.bits) bits = TRY(number_of<int>(arguments.bits, "number of bits", 0));
  if (is_weak(*type)) {
    std::fprintf(stderr, "%s is weak: timepool-ntpd uses it with allow_weak only\n", name.c_str());
  }
  return key_line(id, *type, bits);
}

int run_keygen(const KeygenArguments& arguments) {
  const Result<std::string> line = line_of(arguments);
  if (!line.ok()) return failed(line.error());
  print(*line);
  return kOk;
}

}  // namespace

Result<std::string> key_line(std::uint32_t id, MacType type, std::optional<int> bits) {
  const int needed = static_cast<int>(key_size(type)) * 8;
  const int count = bits.value_or(needed > 0 ? needed : kDefaultKeyBits);
  std::string wrong;
  if (needed > 0 && count != needed) {
    wrong = std::string(name_of(type)) + " has keys of " + std::to_string(needed) + " bits";
  } else if (count < kMinKeyBits || count > kMaxKeyBits || count % 8 != 0) {
    wrong = "a key has " + std::to_string(kMinKeyBits) + " to " + std::to_string(kMaxKeyBits) +
            " bits, in steps of 8";
  }
  if (!wrong.empty()) return fail(Error{ErrorCode::kInvalid, "keygen", wrong});
  std::vector<std::byte> secret(static_cast<std::size_t>(count / 8));
  sys::fill_random(secret);
  return std::to_string(id) + " " + std::string(name_of(type)) + " HEX:" + to_hex(secret);
}

void add_ntp_keygen(Command& ntp) {
  Command keygen = ntp.command("keygen", "Print a new key as a line of a key file");
  keygen.footer(
      "Both sides need the line. Examples:\n"
      "  (umask 077; timepool ntp keygen 10 >> /etc/timepool/ntp.keys)\n"
      "  timepool ntp keygen 11 SHA256 256");
  const auto arguments = std::make_shared<KeygenArguments>();
  keygen.positional("NUMBER", arguments->id, "The key's number, 1 to 4294967295 (1)")
      .positional("TYPE", arguments->type,
                  "AES128, AES256, SHA256, SHA384, SHA512, SHA1 or MD5 (AES128)")
      .positional("BITS", arguments->bits, "Its length: 80 to 2048 (AES: its own; others: 160)");
  keygen.action([arguments] { return run_keygen(*arguments); });
}

}  // namespace timepool::cli
