#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "base/check.h"
#include "wire/dns/name.h"

// A name anywhere in a message, and the same bytes as text: what parses has a valid form, and reads
// back equal from wire and from text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  using namespace timepool::wire::dns;
  const Bytes bytes = std::as_bytes(std::span(data, size));
  for (std::size_t start = 0; start < size && start < 64; ++start) {
    ByteReader reader(bytes);
    reader.seek(start);
    const auto name = parse_name(reader);
    if (!name.ok()) continue;
    CHECK(name->size() <= kMaxName && name->label_count() <= kMaxLabels);
    CHECK(reader.position() > start);
    ByteReader again(name->wire());
    const auto plain = parse_plain_name(again);
    CHECK(plain.ok() && again.remaining() == 0 && same_bytes(*plain, *name));
    const auto text = DnsName::from_text(format(*name));
    CHECK(text.ok() && same_bytes(*text, *name));
    const DnsName lower = lowered(*name);
    CHECK(lower == *name && hash(lower) == hash(*name) && canonical_order(lower, *name) == 0);
    CHECK(name->is_within(name->parent()));
  }
  const auto name = DnsName::from_text({reinterpret_cast<const char*>(data), size});
  if (name.ok()) CHECK(same_bytes(*DnsName::from_text(format(*name)), *name));
  return 0;
}
