// Frame streams (the protocol of libfstrm): what dnstap's frames are carried by, in files and over
// sockets. Control frames are built and read here; data frames are a length and their octets.
//   to a file      START  data frames  STOP
//   to a socket    READY -> ; <- ACCEPT; START, data frames, STOP -> ; <- FINISH
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace timepool::dnsd {

enum class StreamControl : std::uint8_t {
  kAccept = 1,
  kStart = 2,
  kStop = 3,
  kReady = 4,
  kFinish = 5,
};

// The escape, the length and the frame, with dnstap's content type where the kind has one.
std::string control_frame(StreamControl kind);
void append_data_frame(std::string_view data, std::string& out);

enum class StreamFault : std::uint8_t {
  kData,      // no control frame
  kLength,    // shorter than its type, or longer than kMaxControlFrame
  kKind,      // none of those above
  kContents,  // fields that do not fill it, or longer content types than allowed
  kNoDnstap,  // ACCEPT that names content types, and not dnstap's
};
// libfstrm's own limits.
inline constexpr std::size_t kMaxControlFrame = 512;
inline constexpr std::size_t kMaxContentType = 256;

struct StreamFrame {
  StreamControl kind{};
  std::size_t size = 0;  // octets that it took
};
// The control frame that `bytes` begin with; nothing: it is not all there.
Result<std::optional<StreamFrame>, StreamFault> parse_control_frame(std::string_view bytes);

std::string_view describe(StreamFault fault);

}  // namespace timepool::dnsd
