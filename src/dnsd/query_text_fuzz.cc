// Any octets as a query and its reply that are written down: one line of JSON, whatever names are
// in them, and whole frames of dnstap. The first octet is the length of the query.
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/parse.hpp>

#include "base/check.h"
#include "dnsd/query_text.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file

// Data frames: a length of 32 bits and so many octets (frame_stream.h).
std::size_t frames_in(std::string_view text) {
  std::size_t out = 0;
  constexpr std::size_t kWord = 4;
  for (; !text.empty(); ++out) {
    CHECK(text.size() > kWord);
    std::size_t size = 0;
    for (const char c : text.substr(0, kWord)) size = size << 8 | static_cast<unsigned char>(c);
    CHECK(size > 0 && size <= text.size() - kWord);
    text.remove_prefix(kWord + size);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes rest = std::as_bytes(std::span(data + 1, size - 1));
  const std::size_t query = std::min<std::size_t>(data[0], rest.size());
  dnsd::QueryRing::Kept kept;
  kept.seen.query = rest.first(query);
  kept.seen.reply = rest.subspan(query);
  kept.query_size = kept.seen.query.size();
  kept.reply_size = kept.seen.reply.size();
  kept.seen.from = {IpAddress::v4(0xc0000201), 53};
  const std::string line = dnsd::json_line(kept);
  CHECK(line.find('\n') == line.size() - 1);
  boost::system::error_code error;
  const auto object = boost::json::parse(line, error);
  CHECK(!error && object.is_object() && object.get_object().contains("client"));
  std::string frames;
  dnsd::append_dnstap(kept, "id", frames);
  CHECK(frames_in(frames) <= (kept.reply_size > 0 ? 2U : 1U));
  return 0;
}
