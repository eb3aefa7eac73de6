// Any octets as a journal; and as the frames of one (kind 1, length 2, content), with their digests
// made right. What is read is written and read again as it was, in pieces of any size.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "dns/transfer/journal.h"

namespace timepool::dns {
namespace {

class Octets final : public JournalWriter::Sink {
 public:
  bool take(Bytes octets) override {
    all.insert(all.end(), octets.begin(), octets.end());
    return true;
  }
  std::vector<std::byte> all;
};

auto read(Bytes bytes, std::size_t piece) {
  JournalReader reader;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    if (!reader.feed(bytes.subspan(at, std::min(piece, bytes.size() - at)))) break;
  }
  return reader.finish();
}

std::vector<std::byte> framed(Bytes input) {
  constexpr std::string_view kMagic = "timepool transfers 2\n";
  const Bytes magic = std::as_bytes(std::span(kMagic));
  std::vector<std::byte> out(magic.begin(), magic.end());
  std::uint64_t digest = 0;
  ByteReader reader(input);
  while (reader.remaining() > 3) {
    std::vector<std::byte> frame{std::byte{reader.u8()}, std::byte{0}, std::byte{0}};
    const std::size_t wanted = reader.u16();
    const std::size_t length = std::min(wanted, reader.remaining());
    frame.push_back(static_cast<std::byte>(length >> 8));
    frame.push_back(static_cast<std::byte>(length & 0xff));
    const Bytes content = reader.bytes(length);
    frame.insert(frame.end(), content.begin(), content.end());
    digest = frame_digest(digest, frame);
    out.insert(out.end(), frame.begin(), frame.end());
    for (int shift = 56; shift >= 0; shift -= 8) {
      out.push_back(static_cast<std::byte>(digest >> shift & 0xff));
    }
  }
  return out;
}

void check(Bytes input) {
  static_cast<void>(read(input, 7));
  const std::vector<std::byte> bytes = framed(input);
  const auto journal = read(bytes, bytes.size());
  const auto in_pieces = read(bytes, 5);
  CHECK(journal.ok() == in_pieces.ok());
  if (!journal.ok()) return;
  CHECK(journal->mark.size == in_pieces->mark.size && journal->rest == in_pieces->rest);
  CHECK(journal->mark.serial == journal->history->current()->serial);
  Octets again;
  JournalWriter writer;
  CHECK(writer.write(*journal->history, again));
  CHECK(writer.mark().size == again.all.size());
  const auto second = read(again.all, 4096);
  CHECK(second.ok() && !second->rest && second->mark.digest == writer.mark().digest);
  CHECK(second->history->current()->records == journal->history->current()->records);
  CHECK(second->history->difference_count() == journal->history->difference_count());
}

}  // namespace
}  // namespace timepool::dns

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  timepool::dns::check(std::as_bytes(std::span(data, size)));
  return 0;
}
