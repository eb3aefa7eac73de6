// Any octets as a resolver's answer to the question for a zone's DS: the set, or why there is none.
// The octets are an answer's as they are, and once more behind the head of one that fits, so that
// the records are reached.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "dnsd/ds_lookup.h"
#include "wire/dns/header.h"
#include "wire/dns/message.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file

constexpr std::uint16_t kId = 0x1234;
constexpr std::size_t kMaxSet = 64;

void check(Bytes answer, wire::dns::NameView zone) {
  const auto set = dnsd::parse_ds_answer(answer, zone, kId);
  if (!set.ok()) {
    CHECK(!set.error().text().empty());
    return;
  }
  // RFC 4035 4.9.3: nothing that is not proved counts.
  const auto message = wire::dns::parse_message(answer);
  CHECK(message.ok() && message->header().id == kId);
  CHECK(message->header().has(wire::dns::Header::kAd) ||
        message->header().has(wire::dns::Header::kAa));
  CHECK(!message->header().has(wire::dns::Header::kTc));
  CHECK(set->size() <= kMaxSet);
  for (const auto& it : *set) CHECK(it.size() > 4);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto zone = wire::dns::DnsName::from_text("pool.test.").value();
  const Bytes input = std::as_bytes(std::span(data, size));
  check(input, zone);
  if (size < 3) return 0;
  // Flags and the number of answers by the first three octets; the question is ours.
  std::vector<std::byte> framed = dnsd::ds_question(zone, kId);
  framed.resize(wire::dns::kHeaderSize + zone.size() + 4);
  framed[2] = input[0] | std::byte{0x80};
  framed[3] = input[1];
  framed[7] = input[2] & std::byte{0x7f};
  framed[11] = std::byte{0};
  framed.insert(framed.end(), input.begin() + 3, input.end());
  check(framed, zone);
  return 0;
}
