// Where in a JSON text a value stands, for messages: line and column of a path within a document
// that is known to be well formed. Called only when there is something to report.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace timepool::dns {

// Both from 1; columns count bytes.
struct TextPlace {
  unsigned line = 1;
  unsigned column = 1;
  bool operator==(const TextPlace&) const = default;
};

// The place of text[offset]; an offset past the end is the end's.
TextPlace place_of(std::string_view text, std::size_t offset);

// A step into an object, by key, or into an array, by index.
struct JsonStep {
  std::string_view key;
  std::size_t index = 0;
  bool in_array = false;

  static JsonStep member(std::string_view key) { return {key, 0, false}; }
  static JsonStep item(std::size_t index) { return {{}, index, true}; }
};

// The offset of the value that `path` leads to; of two members of one name the last, as the parser
// takes it. Where a step leads nowhere, the offset of the value before that step.
std::size_t offset_of(std::string_view json, std::span<const JsonStep> path);

// "data/0.us/a/3": the path as text.
std::string format(std::span<const JsonStep> path);

}  // namespace timepool::dns
