#include "dnsd/frame_stream.h"

#include <array>

namespace timepool::dnsd {
namespace {

constexpr std::string_view kContentType = "protobuf:dnstap.Dnstap";
// The field of a control frame that names what the data frames hold.
constexpr std::uint32_t kFieldContentType = 1;
constexpr std::size_t kWord = 4;

void append_u32(std::uint32_t value, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift & 0xff));
  }
}

std::uint32_t u32_at(std::string_view bytes, std::size_t at) {
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < kWord; ++i) {
    out = out << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return out;
}

bool has_content_type(StreamControl kind) {
  return kind == StreamControl::kAccept || kind == StreamControl::kStart ||
         kind == StreamControl::kReady;
}

// An ACCEPT without content types takes any.
std::optional<StreamFault> fault_of_fields(std::string_view fields) {
  bool any = false;
  bool ours = false;
  while (!fields.empty()) {
    if (fields.size() < 2 * kWord) return StreamFault::kContents;
    const std::size_t size = u32_at(fields, kWord);
    if (u32_at(fields, 0) != kFieldContentType || size > kMaxContentType ||
        size > fields.size() - 2 * kWord) {
      return StreamFault::kContents;
    }
    any = true;
    ours = ours || fields.substr(2 * kWord, size) == kContentType;
    fields.remove_prefix(2 * kWord + size);
  }
  if (any && !ours) return StreamFault::kNoDnstap;
  return std::nullopt;
}

}  // namespace

std::string control_frame(StreamControl kind) {
  std::string out;
  append_u32(0, out);  // what follows is no data frame
  const std::size_t fields = has_content_type(kind) ? 2 * kWord + kContentType.size() : 0;
  append_u32(static_cast<std::uint32_t>(kWord + fields), out);
  append_u32(static_cast<std::uint32_t>(kind), out);
  if (fields == 0) return out;
  append_u32(kFieldContentType, out);
  append_u32(static_cast<std::uint32_t>(kContentType.size()), out);
  return out += kContentType;
}

void append_data_frame(std::string_view data, std::string& out) {
  append_u32(static_cast<std::uint32_t>(data.size()), out);
  out += data;
}

Result<std::optional<StreamFrame>, StreamFault> parse_control_frame(std::string_view bytes) {
  if (bytes.size() < kWord) return std::optional<StreamFrame>();
  if (u32_at(bytes, 0) != 0) return fail(StreamFault::kData);
  if (bytes.size() < 2 * kWord) return std::optional<StreamFrame>();
  const std::size_t size = u32_at(bytes, kWord);
  if (size < kWord || size > kMaxControlFrame) return fail(StreamFault::kLength);
  if (bytes.size() < 2 * kWord + size) return std::optional<StreamFrame>();
  const std::uint32_t kind = u32_at(bytes, 2 * kWord);
  if (kind < static_cast<std::uint32_t>(StreamControl::kAccept) ||
      kind > static_cast<std::uint32_t>(StreamControl::kFinish)) {
    return fail(StreamFault::kKind);
  }
  if (const auto fault = fault_of_fields(bytes.substr(3 * kWord, size - kWord))) {
    return fail(*fault);
  }
  return std::optional(StreamFrame{static_cast<StreamControl>(kind), 2 * kWord + size});
}

std::string_view describe(StreamFault fault) {
  constexpr std::array<std::string_view, 5> kTexts{
      "data where a control frame was due", "a control frame of a wrong length",
      "a control frame of an unknown kind", "a control frame with malformed fields",
      "it does not take dnstap"};
  return kTexts[static_cast<std::size_t>(fault)];
}

}  // namespace timepool::dnsd
