// Any text as the name that a member chooses: refused with a reason, or a label or a name that
// stands in DNS as it is.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "pool/server_name.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

void check_labels(std::string_view name) {
  for (;;) {
    const std::string_view label = name.substr(0, name.find('.'));
    CHECK(!label.empty() && label.size() <= pool::kMaxServerLabel);
    CHECK(std::all_of(label.begin(), label.end(), is_plain));
    CHECK(label.front() != '-' && label.back() != '-');
    if (label.size() == name.size()) return;
    name.remove_prefix(label.size() + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const std::string reserved[] = {"ours"};
  const auto label = pool::check_label(text, reserved);
  if (label.ok()) {
    CHECK(text.size() >= pool::kMinServerLabel && pool::is_label(text));
    CHECK(!pool::is_reserved(text, reserved));
    check_labels(text);
  } else {
    CHECK(!pool::explain(label.error()).empty());
  }
  const auto name = pool::check_own_name(text, "pool.test");
  if (name.ok()) {
    CHECK(text.size() <= pool::kMaxServerName && text != "pool.test");
    CHECK(!text.ends_with(".pool.test"));
    check_labels(text);
  } else {
    CHECK(!pool::explain(name.error()).empty());
  }
  return 0;
}
