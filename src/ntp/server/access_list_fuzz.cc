// Any text as a file of prefixes: a fault with its line, or prefixes that are printed and read
// again to the same, and rules made of them that say what the definition says.
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "ntp/server/access_list.h"
#include "ntp/server/prefix_list.h"

namespace timepool::ntp {
namespace {

constexpr std::size_t kMax = 64;

bool slow_serves(const std::vector<Prefix>& allow, const std::vector<Prefix>& deny,
                 const IpAddress& address) {
  const auto longest = [&address](const std::vector<Prefix>& list) {
    int out = -1;
    for (const Prefix& it : list) {
      if (it.contains(address)) out = std::max(out, it.length());
    }
    return out;
  };
  const int allowed = longest(allow);
  const int denied = longest(deny);
  return allowed == denied ? allowed < 0 && allow.empty() : allowed > denied;
}

}  // namespace
}  // namespace timepool::ntp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  using namespace timepool::ntp;
  const std::string text(data, data + size);
  const auto list = parse_prefix_list(text, kMax);
  if (!list.ok()) {
    CHECK(list.error().line >= 1 && !list.error().text.empty());
    for (const char c : list.error().text) CHECK(c >= 0x20 && c <= 0x7e);
    return 0;
  }
  CHECK(list->size() <= kMax);
  std::string printed;
  for (const Prefix& it : *list) printed += format(it) + "\n";
  const auto again = parse_prefix_list(printed, kMax);
  CHECK(again.ok() && *again == *list);
  // Every other one is allowed.
  std::vector<Prefix> allow;
  std::vector<Prefix> deny;
  for (std::size_t i = 0; i < list->size(); ++i) (i % 2 == 0 ? deny : allow).push_back((*list)[i]);
  const auto rules = AccessRules::build(allow, deny);
  CHECK(rules.ok());
  for (const Prefix& it : *list) {
    const IpAddress address = it.base();
    CHECK(rules->serves(address) == slow_serves(allow, deny, address));
  }
  return 0;
}
