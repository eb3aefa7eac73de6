// Any octets from a collector of dnstap: more is waited for, a control frame, or a fault; however
// they are cut the same comes of them, and what a program of ours would send is taken whole.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "dnsd/frame_stream.h"

namespace {

using namespace timepool::dnsd;  // NOLINT: a test program of one file

// 8 octets of escape and length, and the longest frame.
constexpr std::size_t kMaxWhole = 8 + kMaxControlFrame;

// The shortest beginning that is not waited on any more says what all of it says.
void check_beginnings(std::string_view bytes) {
  const auto all = parse_control_frame(bytes);
  for (std::size_t size = 0; size <= bytes.size() && size <= kMaxWhole; ++size) {
    const auto part = parse_control_frame(bytes.substr(0, size));
    if (part.ok() && !part->has_value()) continue;
    CHECK(part.ok() == all.ok());
    if (!part.ok()) {
      CHECK(part.error() == all.error());
      return;
    }
    CHECK(all->has_value() && (*part)->kind == (*all)->kind && (*part)->size == (*all)->size);
    CHECK((*part)->size == size);
    return;
  }
  CHECK(all.ok() && !all->has_value());
}

void check_ours(StreamControl kind) {
  const std::string ours = control_frame(kind);
  const auto frame = parse_control_frame(ours);
  CHECK(frame.ok() && frame->has_value());
  CHECK((*frame)->kind == kind && (*frame)->size == ours.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  check_beginnings(rest);
  // As a connection is read: one frame after the other, until a fault or until there is no more.
  for (;;) {
    const auto frame = parse_control_frame(rest);
    if (!frame.ok()) {
      CHECK(!describe(frame.error()).empty());
      break;
    }
    if (!frame->has_value()) {
      CHECK(rest.size() < kMaxWhole);
      break;
    }
    CHECK((*frame)->size >= 12 && (*frame)->size <= kMaxWhole && (*frame)->size <= rest.size());
    check_ours((*frame)->kind);
    rest.remove_prefix((*frame)->size);
  }
  return 0;
}
