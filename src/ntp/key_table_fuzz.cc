// Any bytes as a key file: a fault with a name and a line, or keys that keep every limit.
#include <cstdint>
#include <set>

#include "base/check.h"
#include "ntp/key_table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto entries = ntp::parse_key_table(text);
  if (!entries.ok()) {
    CHECK(!ntp::describe(entries.error().error).empty());
    CHECK(entries.error().line > 0 || size > ntp::kMaxKeyFileSize);
    return 0;
  }
  CHECK(entries->size() <= ntp::kMaxKeys);
  std::set<ntp::KeyId> ids;
  for (const ntp::KeyEntry& it : *entries) {
    CHECK(it.id != 0 && ids.insert(it.id).second);
    CHECK(!it.secret.empty() && it.secret.size() <= ntp::kMaxKeySize);
    CHECK(key_size(it.type) == 0 || it.secret.size() == key_size(it.type));
    CHECK(it.allowed.size() <= ntp::kMaxKeyPrefixes);
    CHECK(it.line >= 1 && it.line <= size);
  }
  return 0;
}
