// CHECK: stops the program when one of our own invariants is broken, in release builds too. Never
// for input: bad input is an error value (result.h).
#pragma once

namespace timepool {

// Writes `file:line: CHECK failed: text` to standard error and aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* text);

}  // namespace timepool

#define CHECK(condition)                               \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::timepool::check_failed(__FILE__, __LINE__, #condition))
