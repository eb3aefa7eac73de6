// Any text of a key file: whatever is read is written back, read again the same, and goes on.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/siphash.h"
#include "nts/key_chain.h"

namespace {

std::array<std::byte, 32> fuzz_hmac(timepool::Bytes key, timepool::Bytes message) {
  std::array<std::byte, 32> out{};
  out[0] = static_cast<std::byte>(timepool::siphash24({1, 2}, key));
  out[1] = static_cast<std::byte>(timepool::siphash24({3, 4}, message));
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto chain = nts::KeyChain::parse(text);
  if (!chain.ok()) {
    CHECK(!nts::describe(chain.error()).empty());
    return 0;
  }
  const std::string written = chain->text();
  const auto again = nts::KeyChain::parse(written);
  CHECK(again.ok() && again->text() == written && again->same_seed(*chain));
  const std::uint64_t epoch = chain->epoch();
  chain->advance(chain->next_epoch(), 4, fuzz_hmac);
  CHECK(chain->epoch() == epoch + 1 && chain->past() <= 4);
  CHECK(chain->keys(1).usable());
  CHECK(nts::KeyChain::parse(chain->text()).ok());
  return 0;
}
